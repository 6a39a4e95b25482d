// Typed settings from TOML files. A settings struct describes itself once (base/fields.h); reading, writing and
// documenting it are here. There are no global settings: a program passes its struct around.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/json_fields.h"
#include "config/describe.h"
#include "config/source.h"
#include "config/toml_writer.h"

namespace litenat::config {

/// Sets the fields of *settings that the source names; the others keep their values. Throws Error "place: path:
/// expected ..., found ..." for an unknown key (naming the nearest known one), a wrong type, a value out of bounds.
template <typename T>
void read_settings(const Source& source, T* settings) {
  const Status status = fields_from_json(source.values, settings);
  if (!status.ok()) throw Error(source.with_place(status.message()));
}

/// Loads the TOML file `path`, then applies `--set` overrides ("a.b=c", "a.b.0.c=d") in order.
template <typename T>
void load_config(const std::string& path, const std::vector<std::string>& overrides, T* settings) {
  read_settings(read_source(path, overrides), settings);
}

/// The same from the text of a file; `name` stands in messages.
template <typename T>
void parse_config(const std::string& text, const std::string& name, T* settings) {
  read_settings(parse_source(text, name, {}), settings);
}

/// Every setting with its value as a TOML file, the help as comments. Loading it gives equal settings.
template <typename T>
std::string dump_toml(const T& settings) {
  return toml_text(settings);
}

}  // namespace litenat::config
