#include "cli/overrides.h"

#include "base/error.h"
#include "base/json_fields.h"

namespace litenat::cli {
namespace {

constexpr const char* kPrefix = "decode.";

/// A value as JSON where it is (true, 12, 0.5), else a string.
Json parse_value(const std::string& text) {
  Result<Json> parsed = Json::parse(text);
  return parsed.ok() ? std::move(parsed).value() : Json(text);
}

}  // namespace

Json parse_decode_overrides(const std::vector<std::string>& overrides) {
  if (overrides.empty()) return Json();
  Json json = Json::object();
  for (const std::string& text : overrides) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || text.compare(0, 7, kPrefix) != 0)
      throw UsageError("--set " + text + ": expected decode.KEY=VALUE");
    json.set(text.substr(7, equals - 7), parse_value(text.substr(equals + 1)));
  }
  return json;
}

void apply_decode_overrides(const std::vector<std::string>& overrides, decode::ImeOptions* options) {
  const Json json = parse_decode_overrides(overrides);
  const Status status = json.is_object() ? fields_from_json(json, options) : Status();
  if (!status.ok()) throw UsageError("--set decode." + status.message());
}

}  // namespace litenat::cli
