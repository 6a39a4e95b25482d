#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "base/utf8.h"

namespace litenat {
namespace {

constexpr int kMaxDepth = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// The character that `\c` stands for, or 0 when it stands for none.
char simple_escape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/':
      return c;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return '\0';
  }
}

bool is_high_surrogate(char32_t c) { return c >= 0xD800 && c < 0xDC00; }
bool is_low_surrogate(char32_t c) { return c >= 0xDC00 && c < 0xE000; }

/// A recursive-descent parser; its depth is bounded by kMaxDepth.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Status parse_document(Json* out) {
    LITENAT_RETURN_IF_ERROR(parse_value(0, out));
    skip_space();
    if (at_ != text_.size()) return fail("text after the value");
    return {};
  }

 private:
  Status fail(const std::string& what) const { return fail_at(what, at_); }
  static Status fail_at(const std::string& what, size_t offset) {
    return corrupt("JSON: " + what + " at byte " + std::to_string(offset));
  }

  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void skip_space() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }
  bool consume(char c) {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool consume_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Status parse_value(int depth, Json* out) {
    skip_space();
    if (at_end()) return fail("the text ends where a value should be");
    switch (peek()) {
      case '{':
        return parse_object(depth, out);
      case '[':
        return parse_array(depth, out);
      case '"':
        return parse_string_value(out);
      default:
        return parse_literal(out);
    }
  }

  Status parse_literal(Json* out) {
    if (is_digit(peek()) || peek() == '-') return parse_number(out);
    if (consume_word("true"))
      *out = Json(true);
    else if (consume_word("false"))
      *out = Json(false);
    else if (consume_word("null"))
      *out = Json();
    else
      return fail("expected a value");
    return {};
  }

  Status parse_string_value(Json* out) {
    std::string value;
    LITENAT_RETURN_IF_ERROR(parse_string(&value));
    *out = Json(std::move(value));
    return {};
  }

  Status parse_array(int depth, Json* out) {
    if (depth >= kMaxDepth) return fail("nested deeper than " + std::to_string(kMaxDepth));
    ++at_;
    *out = Json::array();
    skip_space();
    if (consume(']')) return {};
    while (true) {
      Json item;
      LITENAT_RETURN_IF_ERROR(parse_value(depth + 1, &item));
      out->push_back(std::move(item));
      skip_space();
      if (consume(']')) return {};
      if (!consume(',')) return fail("expected ',' or ']'");
    }
  }

  Status parse_object(int depth, Json* out) {
    if (depth >= kMaxDepth) return fail("nested deeper than " + std::to_string(kMaxDepth));
    ++at_;
    *out = Json::object();
    std::vector<size_t> key_offsets;
    skip_space();
    if (consume('}')) return {};
    while (true) {
      skip_space();
      key_offsets.push_back(at_);
      LITENAT_RETURN_IF_ERROR(parse_member(depth, out));
      skip_space();
      if (consume('}')) return check_unique_keys(*out, key_offsets);
      if (!consume(',')) return fail("expected ',' or '}'");
    }
  }

  Status parse_member(int depth, Json* out) {
    if (peek() != '"') return fail("expected a key in quotes");
    std::string key;
    LITENAT_RETURN_IF_ERROR(parse_string(&key));
    skip_space();
    if (!consume(':')) return fail("expected ':'");
    Json value;
    LITENAT_RETURN_IF_ERROR(parse_value(depth + 1, &value));
    out->set(std::move(key), std::move(value));
    return {};
  }

  static Status check_unique_keys(const Json& object, const std::vector<size_t>& offsets) {
    const auto& members = object.members();
    std::vector<size_t> order(members.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      const int compared = members[a].first.compare(members[b].first);
      return compared != 0 ? compared < 0 : a < b;
    });
    for (size_t i = 1; i < order.size(); ++i)
      if (members[order[i - 1]].first == members[order[i]].first)
        return fail_at("duplicate key '" + members[order[i]].first + "'", offsets[order[i]]);
    return {};
  }

  Status parse_string(std::string* out) {
    ++at_;
    while (!at_end()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return {};
      }
      if (c == '\\') {
        LITENAT_RETURN_IF_ERROR(parse_escape(out));
      } else {
        LITENAT_RETURN_IF_ERROR(parse_character(out));
      }
    }
    return fail("a string without its closing quote");
  }

  Status parse_character(std::string* out) {
    if (static_cast<unsigned char>(text_[at_]) < 0x20) return fail("a control character inside a string");
    const size_t begin = at_;
    bool valid = true;
    decode_utf8(text_, &at_, &valid);
    if (!valid) return fail_at("malformed UTF-8", begin);
    out->append(text_, begin, at_ - begin);
    return {};
  }

  Status parse_escape(std::string* out) {
    const size_t begin = at_++;
    const char kind = peek();
    ++at_;
    if (kind == 'u') return parse_unicode_escape(begin, out);
    const char c = simple_escape(kind);
    if (c == '\0') return fail_at("an unknown escape", begin);
    out->push_back(c);
    return {};
  }

  Status parse_unicode_escape(size_t begin, std::string* out) {
    char32_t code = 0;
    if (!parse_hex4(&code) || is_low_surrogate(code)) return fail_at("a malformed \\u escape", begin);
    if (is_high_surrogate(code)) {
      char32_t low = 0;
      if (!consume_word("\\u") || !parse_hex4(&low) || !is_low_surrogate(low))
        return fail_at("a surrogate without its partner", begin);
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(code, out);
    return {};
  }

  bool parse_hex4(char32_t* out) {
    if (text_.size() - std::min(at_, text_.size()) < 4) return false;
    *out = 0;
    for (int i = 0; i < 4; ++i) {
      const int digit = hex_digit(text_[at_++]);
      if (digit < 0) return false;
      *out = *out * 16 + static_cast<char32_t>(digit);
    }
    return true;
  }

  bool skip_digits() {
    const size_t begin = at_;
    while (is_digit(peek())) ++at_;
    return at_ > begin;
  }

  /// Moves past the grammar's number; *integral says whether it has neither fraction nor exponent.
  bool skip_number(bool* integral) {
    consume('-');
    if (peek() == '0')
      ++at_;
    else if (!skip_digits())
      return false;
    *integral = peek() != '.' && peek() != 'e' && peek() != 'E';
    if (consume('.') && !skip_digits()) return false;
    if (consume('e') || consume('E')) {
      if (!consume('+')) consume('-');
      return skip_digits();
    }
    return true;
  }

  Status parse_number(Json* out) {
    const size_t begin = at_;
    bool integral = false;
    if (!skip_number(&integral)) return fail_at("a malformed number", begin);
    const char* first = text_.data() + begin;
    const char* last = text_.data() + at_;
    int64_t integer = 0;
    // "-0" stays a double, or its sign would be lost.
    const bool negative_zero = integral && std::string_view(first, static_cast<size_t>(last - first)) == "-0";
    if (integral && !negative_zero && std::from_chars(first, last, integer).ec == std::errc()) {
      *out = Json(integer);
      return {};
    }
    double value = 0;
    if (std::from_chars(first, last, value).ec != std::errc() || !std::isfinite(value))
      return fail_at("a number outside the range of a double", begin);
    *out = Json(value);
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
};

void dump_string(const std::string& value, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  for (const char c : value) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n') {
      *out += "\\n";
    } else if (byte < 0x20) {
      *out += "\\u00";
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

void dump_number(const Json& value, std::string* out) {
  char text[40];
  if (!value.is_integer() && !std::isfinite(value.number())) {
    *out += "null";  // JSON has no spelling for it
    return;
  }
  const std::to_chars_result end = value.is_integer() ? std::to_chars(text, text + sizeof(text), value.integer())
                                                      : std::to_chars(text, text + sizeof(text), value.number());
  out->append(text, end.ptr);
}

void dump_value(const Json& value, std::string* out);

void dump_array(const Json& value, std::string* out) {
  out->push_back('[');
  bool first = true;
  for (const Json& item : value.items()) {
    if (!first) out->push_back(',');
    first = false;
    dump_value(item, out);
  }
  out->push_back(']');
}

void dump_object(const Json& value, std::string* out) {
  out->push_back('{');
  bool first = true;
  for (const auto& [key, member] : value.members()) {
    if (!first) out->push_back(',');
    first = false;
    dump_string(key, out);
    out->push_back(':');
    dump_value(member, out);
  }
  out->push_back('}');
}

void dump_value(const Json& value, std::string* out) {
  switch (value.type()) {
    case Json::Type::kNull:
      *out += "null";
      return;
    case Json::Type::kBool:
      *out += value.boolean() ? "true" : "false";
      return;
    case Json::Type::kNumber:
      return dump_number(value, out);
    case Json::Type::kString:
      return dump_string(value.string(), out);
    case Json::Type::kArray:
      return dump_array(value, out);
    case Json::Type::kObject:
      return dump_object(value, out);
  }
}

}  // namespace

Result<Json> Json::parse(std::string_view text) {
  Json value;
  LITENAT_RETURN_IF_ERROR(Parser(text).parse_document(&value));
  return value;
}

std::string Json::dump() const {
  std::string out;
  dump_value(*this, &out);
  return out;
}

const Json* Json::find(std::string_view key) const {
  for (const auto& [name, value] : members_)
    if (name == key) return &value;
  return nullptr;
}

}  // namespace litenat
