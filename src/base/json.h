// A small JSON document model for the runtime, which may not depend on any library.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace litenat {

/// A JSON value. Objects keep their members in the order of the text.
class Json {
 public:
  enum class Type { kNull, kBool, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, Json>;

  Json() = default;
  explicit Json(bool value) : type_(Type::kBool), bool_(value) {}
  explicit Json(double value) : type_(Type::kNumber), number_(value) {}
  explicit Json(int64_t value)
      : type_(Type::kNumber), number_(static_cast<double>(value)), integer_(value), is_integer_(true) {}
  explicit Json(int value) : Json(static_cast<int64_t>(value)) {}
  explicit Json(std::string value) : type_(Type::kString), string_(std::move(value)) {}
  explicit Json(const char* value) : Json(std::string(value)) {}
  static Json array() { return Json(Type::kArray); }
  static Json object() { return Json(Type::kObject); }

  /// Parses UTF-8 JSON (RFC 8259). Hostile input is safe: nesting is limited to 64, numbers must be
  /// finite, duplicate keys and trailing text are errors that name the byte offset.
  static Result<Json> parse(std::string_view text);
  /// The compact text; doubles are written so that they read back bit for bit.
  std::string dump() const;

  Type type() const { return type_; }
  bool is_object() const { return type_ == Type::kObject; }
  bool is_array() const { return type_ == Type::kArray; }
  bool is_string() const { return type_ == Type::kString; }
  bool is_number() const { return type_ == Type::kNumber; }
  bool is_bool() const { return type_ == Type::kBool; }
  /// True for a number written without fraction or exponent that fits an int64_t.
  bool is_integer() const { return is_integer_; }

  bool boolean() const { return bool_; }
  double number() const { return number_; }
  int64_t integer() const { return integer_; }
  const std::string& string() const { return string_; }
  const std::vector<Json>& items() const { return items_; }
  const std::vector<Member>& members() const { return members_; }
  /// The member `key` of an object, or null.
  const Json* find(std::string_view key) const;

  void push_back(Json item) { items_.push_back(std::move(item)); }
  void set(std::string key, Json value) { members_.emplace_back(std::move(key), std::move(value)); }

 private:
  explicit Json(Type type) : type_(type) {}
  Type type_ = Type::kNull;
  bool bool_ = false;
  double number_ = 0;
  int64_t integer_ = 0;
  bool is_integer_ = false;
  std::string string_;
  std::vector<Json> items_;
  std::vector<Member> members_;
};

}  // namespace litenat
