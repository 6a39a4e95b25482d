// Settings as written: a TOML file with overrides on top, and where each value stands.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"

namespace litenat::config {

/// The values of a settings file and of `--set` overrides, before anyone knows what they mean.
struct Source {
  Json values;
  /// Dotted path ("encoder.blocks[0].dim") -> "file.toml:12" or "--set encoder.blocks.0.dim=7".
  std::map<std::string, std::string> places;

  /// `message` of base/json_fields.h ("path: expected ...") with the place of its path in front.
  std::string with_place(const std::string& message) const;
};

/// Parses `path` and applies "a.b.0.c=value" overrides in order: a value is TOML (7, 0.5, true, "x", [1, 2]), anything
/// else is taken as text. A number in a path is an index of a list; one past the end appends. Throws Error for a file
/// that is missing, too large or no TOML (with file:line), UsageError for an override that cannot be applied.
Source read_source(const std::string& path, const std::vector<std::string>& overrides);

/// The same for the text of a file; `name` stands in messages.
Source parse_source(const std::string& text, const std::string& name, const std::vector<std::string>& overrides);

}  // namespace litenat::config
