// The fields of a settings struct as a list: for --help and the documentation.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include "base/fields.h"
#include "base/json.h"
#include "base/json_fields.h"

namespace litenat::config {

struct FieldDescription {
  std::string path;           // "encoder.blocks[].conv.kernel"
  std::string default_value;  // as in JSON
  std::string allowed;        // "1 to 255", "conv, attention, lsra", "" when anything of the type is
  std::string help;
};

/// True for structs with a visit().
template <typename T>
constexpr bool is_settings() {
  return std::is_class_v<T> && !std::is_same_v<T, std::string> && !json_fields::IsVector<T>::value;
}
template <typename T>
constexpr bool is_settings_list() {
  if constexpr (json_fields::IsVector<T>::value)
    return is_settings<typename T::value_type>();
  else
    return false;
}

inline std::string allowed_text() { return ""; }
inline std::string allowed_text(const Bounds& bounds) {
  return json_fields::number_text(bounds.low) + " to " + json_fields::number_text(bounds.high);
}
template <typename E>
std::string allowed_text(const EnumNames<E>& names) {
  return names.list();
}

/// A visitor that lists every field; a list of structs is described by a default entry.
class Describer {
 public:
  Describer(std::string path, std::vector<FieldDescription>* fields) : path_(std::move(path)), fields_(fields) {}

  template <typename T, typename... Rule>
  void operator()(const char* name, T& value, const char* help, const Rule&... rule) {
    const std::string path = json_fields::join_path(path_, name);
    if constexpr (is_settings<T>()) {
      Describer inner(path, fields_);
      value.visit(inner);
    } else if constexpr (is_settings_list<T>()) {
      typename T::value_type item;
      Describer inner(path + "[]", fields_);
      item.visit(inner);
    } else {
      const T& settled = value;
      fields_->push_back({path, json_fields::value_to_json(settled, rule...).dump(), allowed_text(rule...), help});
    }
  }

 private:
  std::string path_;
  std::vector<FieldDescription>* fields_;
};

/// Every field of `settings`, its present values as the defaults.
template <typename T>
std::vector<FieldDescription> list_fields(const T& settings) {
  std::vector<FieldDescription> fields;
  Describer describer("", &fields);
  const_cast<T&>(settings).visit(describer);  // visit() serves readers too; this visitor changes nothing
  return fields;
}

/// One line a field: path = default, allowed values, help; aligned.
std::string format_fields(const std::vector<FieldDescription>& fields);

template <typename T>
std::string describe(const T& settings) {
  return format_fields(list_fields(settings));
}

}  // namespace litenat::config
