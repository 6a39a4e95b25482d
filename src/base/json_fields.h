// Reading and writing any settings struct (base/fields.h) as JSON.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/status.h"

namespace litenat {

template <typename T>
Json fields_to_json(const T& settings);
template <typename T>
Status fields_from_json(const Json& json, T* settings);

namespace json_fields {

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};

inline std::string join_path(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

/// A number as people write it: no trailing zeros.
inline std::string number_text(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? Json(static_cast<int64_t>(value)).dump()
                                                              : Json(value).dump();
}

// ---- writing

template <typename T>
Json value_to_json(const T& value) {
  if constexpr (IsVector<T>::value) {
    Json array = Json::array();
    for (const auto& item : value) array.push_back(value_to_json(item));
    return array;
  } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, double> || std::is_same_v<T, std::string>) {
    return Json(value);
  } else if constexpr (std::is_integral_v<T>) {
    return Json(static_cast<int64_t>(value));
  } else {
    return fields_to_json(value);
  }
}

template <typename E>
Json value_to_json(const E& value, const EnumNames<E>& names) {
  return Json(names.name(value));
}
template <typename E>
Json value_to_json(const std::vector<E>& values, const EnumNames<E>& names) {
  Json array = Json::array();
  for (const E& value : values) array.push_back(value_to_json(value, names));
  return array;
}
template <typename T>
Json value_to_json(const T& value, const Bounds&) {
  return value_to_json(value);
}

/// A visitor that writes every field.
class Writer {
 public:
  template <typename T, typename... Rule>
  void operator()(const char* name, T& value, const char*, const Rule&... rule) {
    json.set(name, value_to_json(static_cast<const T&>(value), rule...));
  }
  Json json = Json::object();
};

// ---- reading

inline Status expected(const std::string& path, const std::string& what, const Json& found) {
  std::string text = found.dump();
  if (text.size() > 60) {
    size_t end = 57;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
    text = text.substr(0, end) + "...";
  }
  return invalid_argument(path + ": expected " + what + ", found " + text);
}

inline Status check_bounds(const std::string& path, double value, const Bounds& bounds, const Json& json) {
  if (value >= bounds.low && value <= bounds.high) return {};
  return expected(path, "a value from " + number_text(bounds.low) + " to " + number_text(bounds.high), json);
}

template <typename T>
Status read_value(const Json& json, const std::string& path, T* value);

template <typename T>
Status read_integer(const Json& json, const std::string& path, T* value) {
  if (!json.is_integer()) return expected(path, "a whole number", json);
  if (json.integer() < static_cast<int64_t>(std::numeric_limits<T>::min()) ||
      json.integer() > static_cast<int64_t>(std::numeric_limits<T>::max()))
    return expected(path, "a number of " + std::to_string(8 * sizeof(T)) + " bits", json);
  *value = static_cast<T>(json.integer());
  return {};
}

/// Reads an array, each item by `read_item(item, path, &value)`.
template <typename T, typename ReadItem>
Status read_items(const Json& json, const std::string& path, std::vector<T>* values, const ReadItem& read_item) {
  if (!json.is_array()) return expected(path, "an array", json);
  std::vector<T> result;
  for (size_t i = 0; i < json.items().size(); ++i) {
    T item{};
    LITENAT_RETURN_IF_ERROR(read_item(json.items()[i], path + "[" + std::to_string(i) + "]", &item));
    result.push_back(std::move(item));
  }
  *values = std::move(result);
  return {};
}

template <typename T>
Status read_struct(const Json& json, const std::string& path, T* settings);

template <typename T>
Status read_value(const Json& json, const std::string& path, T* value) {
  if constexpr (IsVector<T>::value) {
    using Item = typename T::value_type;
    return read_items(json, path, value, [](const Json& item, const std::string& item_path, Item* out) {
      return read_value(item, item_path, out);
    });
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_bool()) return expected(path, "true or false", json);
    *value = json.boolean();
    return {};
  } else if constexpr (std::is_same_v<T, double>) {
    if (!json.is_number()) return expected(path, "a number", json);
    *value = json.number();
    return {};
  } else if constexpr (std::is_same_v<T, std::string>) {
    if (!json.is_string()) return expected(path, "a string", json);
    *value = json.string();
    return {};
  } else if constexpr (std::is_integral_v<T>) {
    return read_integer(json, path, value);
  } else {
    return read_struct(json, path, value);
  }
}

template <typename E>
Status read_value(const Json& json, const std::string& path, E* value, const EnumNames<E>& names) {
  if (json.is_string() && names.parse(json.string(), value)) return {};
  return expected(path, "one of: " + names.list(), json);
}
template <typename E>
Status read_value(const Json& json, const std::string& path, std::vector<E>* values, const EnumNames<E>& names) {
  return read_items(json, path, values, [&](const Json& item, const std::string& item_path, E* out) {
    return read_value(item, item_path, out, names);
  });
}
template <typename T>
Status read_value(const Json& json, const std::string& path, T* value, const Bounds& bounds) {
  if constexpr (IsVector<T>::value) {
    using Item = typename T::value_type;
    return read_items(json, path, value, [&](const Json& item, const std::string& item_path, Item* out) {
      return read_value(item, item_path, out, bounds);
    });
  } else {
    T read{};
    LITENAT_RETURN_IF_ERROR(read_value(json, path, &read));
    LITENAT_RETURN_IF_ERROR(check_bounds(path, static_cast<double>(read), bounds, json));
    *value = read;
    return {};
  }
}

/// A visitor that reads the fields that the object has; the others keep their values.
class Reader {
 public:
  Reader(const Json& json, std::string path) : json_(json), path_(std::move(path)) {}

  template <typename T, typename... Rule>
  void operator()(const char* name, T& value, const char*, const Rule&... rule) {
    known_.emplace_back(name);
    const Json* member = json_.find(name);
    if (member == nullptr || !status_.ok()) return;
    status_ = read_value(*member, join_path(path_, name), &value, rule...);
  }

  /// The first error, or one about a member that is no field.
  Status finish() const {
    if (!status_.ok()) return status_;
    for (const auto& [key, value] : json_.members()) {
      bool is_known = false;
      for (const std::string& name : known_) is_known = is_known || name == key;
      if (!is_known) return unknown_key(key);
    }
    return {};
  }

 private:
  Status unknown_key(const std::string& key) const {
    const std::string nearest = nearest_name(key, known_);
    return invalid_argument(join_path(path_, key) + ": unknown key" +
                            (nearest.empty() ? "" : "; did you mean '" + join_path(path_, nearest) + "'?"));
  }

  const Json& json_;
  std::string path_;
  std::vector<std::string> known_;
  Status status_;
};

template <typename T>
Status read_struct(const Json& json, const std::string& path, T* settings) {
  if (!json.is_object()) return expected(path.empty() ? "settings" : path, "an object", json);
  Reader reader(json, path);
  settings->visit(reader);
  return reader.finish();
}

}  // namespace json_fields

/// Every field of `settings` as an object, in the order of its visit().
template <typename T>
Json fields_to_json(const T& settings) {
  json_fields::Writer writer;
  const_cast<T&>(settings).visit(writer);  // visit() serves readers too; the writer changes nothing
  return std::move(writer.json);
}

/// Sets the fields that the object `json` names. Errors (kInvalidArgument) name the dotted path of the
/// field, what was expected (type, bounds, names of an enum) and what was found; an unknown key is an
/// error that names the nearest known one. After an error *settings holds what was read before it.
template <typename T>
Status fields_from_json(const Json& json, T* settings) {
  return json_fields::read_struct(json, "", settings);
}

}  // namespace litenat
