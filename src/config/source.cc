#include "config/source.h"

#include <toml++/toml.h>

#include <cmath>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "base/mapped_file.h"

namespace litenat::config {
namespace {

constexpr size_t kMaxFileBytes = 16 << 20;
// What toml++ itself allows; base/json.h's depth limit is lower and applies to nothing here.
constexpr size_t kMaxOverrideDepth = 32;

toml::table parse_toml(std::string_view text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    std::ostringstream message;
    message << name << ":" << error.source().begin.line << ":" << error.source().begin.column << ": "
            << error.description();
    throw Error(message.str());
  }
}

// ---- overrides

struct Override {
  std::string text;  // as given
  std::vector<std::string> path;
  std::string value;
};

[[noreturn]] void fail(const Override& override_, const std::string& why) {
  throw UsageError("--set " + override_.text + ": " + why);
}

/// "a.b[0].c" and "a.b.0.c" are the same path.
std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c == '.' || c == '[')
      parts.emplace_back();
    else if (c != ']')
      parts.back() += c;
  }
  return parts;
}

Override parse_override(const std::string& text) {
  const size_t equals = text.find('=');
  Override result{text, {}, {}};
  if (equals == std::string::npos || equals == 0) fail(result, "expected key=value");
  result.path = split_path(text.substr(0, equals));
  result.value = text.substr(equals + 1);
  if (result.path.size() > kMaxOverrideDepth) fail(result, "the key has too many parts");
  for (const std::string& part : result.path)
    if (part.empty()) fail(result, "a part of the key is empty");
  return result;
}

bool is_index(const std::string& part) {
  return part.size() <= 6 && part.find_first_not_of("0123456789") == std::string::npos;
}

/// The element `part` of a table or list; made (as a list when the next part is an index) where it is missing.
toml::node* descend(toml::node* parent, const std::string& part, bool next_is_index, const Override& override_) {
  if (toml::table* table = parent->as_table()) {
    if (!table->contains(part)) {
      if (next_is_index)
        table->insert(part, toml::array{});
      else
        table->insert(part, toml::table{});
    }
    return table->get(part);
  }
  toml::array* array = parent->as_array();
  if (array == nullptr) fail(override_, "'" + part + "' is looked up in a value that has no parts");
  if (!is_index(part)) fail(override_, "expected an index of a list, found '" + part + "'");
  const size_t index = static_cast<size_t>(std::stoul(part));
  if (index > array->size())
    fail(override_, "the list has " + std::to_string(array->size()) + " entries, index " + part + " is past its end");
  if (index == array->size()) array->push_back(toml::table{});
  return array->get(index);
}

/// The value as TOML, or as text where it is none.
toml::table parse_value(const Override& override_) {
  try {
    toml::table table = toml::parse("value = " + override_.value);
    if (table.size() == 1) return table;
  } catch (const toml::parse_error&) {
    // Plain text: `--set data.dir=corpus/bin`.
  }
  toml::table table;
  table.insert("value", override_.value);
  return table;
}

void assign(toml::node* parent, const std::string& part, const toml::node& value, const Override& override_) {
  if (toml::table* table = parent->as_table()) {
    value.visit([&](const auto& typed) { table->insert_or_assign(part, typed); });
    return;
  }
  descend(parent, part, /*next_is_index=*/false, override_);  // checks the index, appends
  toml::array* array = parent->as_array();
  value.visit([&](const auto& typed) {
    array->replace(array->cbegin() + static_cast<std::ptrdiff_t>(std::stoul(part)), typed);
  });
}

/// "a.b[0].c" of the parts.
std::string canonical_path(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) {
    if (is_index(part) && !path.empty())
      path += "[" + part + "]";
    else
      path += (path.empty() ? "" : ".") + part;
  }
  return path;
}

void apply(const Override& override_, toml::table* root) {
  toml::node* node = root;
  for (size_t i = 0; i + 1 < override_.path.size(); ++i)
    node = descend(node, override_.path[i], is_index(override_.path[i + 1]), override_);
  const toml::table value = parse_value(override_);
  assign(node, override_.path.back(), *value.get("value"), override_);
}

// ---- TOML to JSON, noting where each value stands

class Converter {
 public:
  Converter(std::string name, Source* source) : name_(std::move(name)), source_(source) {}

  Json convert(const toml::node& node, const std::string& path) {
    const std::string place = name_ + ":" + std::to_string(node.source().begin.line);
    if (node.source().begin.line > 0) source_->places[path] = place;
    if (const toml::table* table = node.as_table()) return convert_table(*table, path);
    if (const toml::array* array = node.as_array()) return convert_array(*array, path);
    if (const auto* value = node.as_boolean()) return Json(value->get());
    if (const auto* value = node.as_integer()) return Json(value->get());
    if (const auto* value = node.as_string()) return Json(value->get());
    if (const auto* value = node.as_floating_point()) {
      if (std::isfinite(value->get())) return Json(value->get());
      throw Error(place + ": " + path + ": expected a finite number");
    }
    throw Error(place + ": " + path + ": expected a number, text, true or false, found a date or time");
  }

 private:
  Json convert_table(const toml::table& table, const std::string& path) {
    Json object = Json::object();
    for (const auto& [key, node] : table) {
      const std::string member = path.empty() ? std::string(key.str()) : path + "." + std::string(key.str());
      // A table that only its members imply has no place of its own.
      if (key.source().begin.line > 0) source_->places[member] = name_ + ":" + std::to_string(key.source().begin.line);
      object.set(std::string(key.str()), convert(node, member));
    }
    return object;
  }

  Json convert_array(const toml::array& array, const std::string& path) {
    Json result = Json::array();
    size_t index = 0;
    for (const toml::node& node : array) result.push_back(convert(node, path + "[" + std::to_string(index++) + "]"));
    return result;
  }

  std::string name_;
  Source* source_;
};

}  // namespace

std::string Source::with_place(const std::string& message) const {
  // Keys may hold any character, so the path is not cut off at a colon: the longest known path that begins it wins.
  for (size_t end = message.rfind(": "); end != std::string::npos && end > 0; end = message.rfind(": ", end - 1)) {
    const auto place = places.find(message.substr(0, end));
    if (place != places.end()) return place->second + ": " + message;
  }
  return message;
}

Source parse_source(const std::string& text, const std::string& name, const std::vector<std::string>& overrides) {
  toml::table root = parse_toml(text, name);
  std::vector<Override> parsed;
  for (const std::string& override_ : overrides) {
    parsed.push_back(parse_override(override_));
    apply(parsed.back(), &root);
  }
  Source source;
  source.values = Converter(name, &source).convert(root, "");
  for (const Override& override_ : parsed) {
    const std::string path = canonical_path(override_.path);
    source.places[path] = "--set " + override_.text;
    // What the override replaced or holds inside has no line of the file any more.
    for (auto it = source.places.upper_bound(path); it != source.places.end(); ++it) {
      if (it->first.compare(0, path.size(), path) != 0) break;
      if (it->first[path.size()] == '.' || it->first[path.size()] == '[') it->second = "--set " + override_.text;
    }
  }
  return source;
}

Source read_source(const std::string& path, const std::vector<std::string>& overrides) {
  const auto file = value_or_throw(MappedFile::open(path));
  if (file->bytes().size() > kMaxFileBytes)
    throw Error(path + ": expected settings of at most 16 MiB, found " + std::to_string(file->bytes().size()) +
                " bytes");
  const std::string text(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  return parse_source(text, path, overrides);
}

}  // namespace litenat::config
