#include <algorithm>

#include "config/describe.h"
#include "config/toml_writer.h"

namespace litenat::config {

std::string toml_string(const std::string& text) {
  // JSON's escapes are TOML's, but TOML wants DEL escaped as well.
  std::string quoted;
  for (const char c : Json(text).dump()) {
    if (c == '\x7f')
      quoted += "\\u007F";
    else
      quoted += c;
  }
  return quoted;
}

std::string toml_number(double value) {
  std::string text = Json(value).dump();
  if (text.find_first_of(".eE") == std::string::npos) text += ".0";
  return text;
}

std::string format_fields(const std::vector<FieldDescription>& fields) {
  std::vector<std::string> heads;
  size_t width = 0;
  for (const FieldDescription& field : fields) {
    heads.push_back(field.path + " = " + field.default_value);
    width = std::max(width, std::min<size_t>(heads.back().size(), 48));
  }
  std::string text;
  for (size_t i = 0; i < fields.size(); ++i) {
    const size_t padding = heads[i].size() < width ? width - heads[i].size() : 0;
    text += heads[i] + std::string(padding + 2, ' ') + fields[i].help;
    if (!fields[i].allowed.empty()) text += " (" + fields[i].allowed + ")";
    text += "\n";
  }
  return text;
}

}  // namespace litenat::config
