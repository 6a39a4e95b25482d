// Settings structs as commented TOML.
#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "base/fields.h"
#include "base/json.h"
#include "base/json_fields.h"
#include "config/describe.h"

namespace litenat::config {

/// "text" with the escapes of a TOML basic string, in quotes.
std::string toml_string(const std::string& text);
/// A TOML float that reads back bit for bit.
std::string toml_number(double value);

/// A visitor that writes one table: first its own values, then its sub-tables (TOML's order).
class TomlWriter {
 public:
  explicit TomlWriter(std::string path) : path_(std::move(path)) {}

  template <typename T, typename... Rule>
  void operator()(const char* name, T& value, const char* help, const Rule&... rule) {
    if constexpr (is_settings<T>()) {
      write_table(name, value, help);
    } else if constexpr (is_settings_list<T>()) {
      write_tables(name, value, help);
    } else {
      const std::string allowed = allowed_text(rule...);
      values_ += std::string(name) + " = " + scalar(value, rule...) + "  # " + help +
                 (allowed.empty() ? "" : " (" + allowed + ")") + "\n";
    }
  }

  const std::string& values() const { return values_; }
  std::string text() const { return values_ + tables_; }

 private:
  template <typename T>
  void write_table(const std::string& name, T& value, const std::string& help) {
    const std::string path = json_fields::join_path(path_, name);
    TomlWriter writer(path);
    value.visit(writer);
    tables_ += "\n# " + help + "\n[" + path + "]\n" + writer.text();
  }

  template <typename T>
  void write_tables(const std::string& name, std::vector<T>& items, const std::string& help) {
    if (items.empty()) values_ += name + " = []  # " + help + "\n";
    const std::string path = json_fields::join_path(path_, name);
    for (T& item : items) {
      TomlWriter writer(path);
      item.visit(writer);
      tables_ += "\n# " + help + "\n[[" + path + "]]\n" + writer.text();
    }
  }

  template <typename T>
  static std::string scalar(const T& value, const Bounds&) {
    return scalar(value);
  }
  template <typename E>
  static std::string scalar(const E& value, const EnumNames<E>& names) {
    return toml_string(names.name(value));
  }
  template <typename E>
  static std::string scalar(const std::vector<E>& values, const EnumNames<E>& names) {
    std::string text;
    for (const E& value : values) text += (text.empty() ? "" : ", ") + toml_string(names.name(value));
    return "[" + text + "]";
  }
  template <typename T>
  static std::string scalar(const T& value) {
    if constexpr (json_fields::IsVector<T>::value) {
      std::string text;
      for (const auto& item : value) text += (text.empty() ? "" : ", ") + scalar(item);
      return "[" + text + "]";
    } else if constexpr (std::is_same_v<T, bool>) {
      return value ? "true" : "false";
    } else if constexpr (std::is_same_v<T, double>) {
      return toml_number(value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      return toml_string(value);
    } else {
      return std::to_string(value);
    }
  }

  std::string path_;
  std::string values_;
  std::string tables_;
};

template <typename T>
std::string toml_text(const T& settings) {
  TomlWriter writer("");
  const_cast<T&>(settings).visit(writer);  // visit() serves readers too; the writer changes nothing
  return writer.text();
}

}  // namespace litenat::config
