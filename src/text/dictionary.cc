#include "text/dictionary.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>
#include <utility>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "text/whitespace.h"

namespace litenat::text {
namespace {

constexpr std::string_view kOverwriteFlag = "#fairseq:overwrite";
constexpr int64_t kMaxTokens = std::numeric_limits<int32_t>::max() - 64;  // leaves room for padding

/// Splits `*line` at its last space into what is before (kept in *line) and after it; false without a space.
bool split_at_last_space(std::string_view* line, std::string_view* field) {
  const size_t space = line->rfind(' ');
  if (space == std::string_view::npos) return false;
  *field = line->substr(space + 1);
  *line = line->substr(0, space);
  return true;
}

/// False for what is no whole number; one beyond 64 bits is one, but too_large.
bool parse_count(std::string_view field, int64_t* count, bool* too_large) {
  const bool plus = !field.empty() && field.front() == '+';
  if (plus) field.remove_prefix(1);
  if (plus && !field.empty() && field.front() == '-') return false;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), *count);
  *too_large = error == std::errc::result_out_of_range;
  return (error == std::errc() || *too_large) && end == field.data() + field.size() && !field.empty();
}

/// Counts stop growing where int64_t ends.
int64_t add_counts(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
}

std::string quoted(std::string_view text) {
  size_t shown_bytes = std::min<size_t>(text.size(), 60);
  while (shown_bytes < text.size() && (static_cast<unsigned char>(text[shown_bytes]) & 0xC0) == 0x80) --shown_bytes;
  std::string shown(text.substr(0, shown_bytes));
  for (char& c : shown)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return "\"" + shown + (text.size() > shown_bytes ? "...\"" : "\"");
}

bool is_valid_utf8(std::string_view text) {
  bool valid = true;
  for (size_t offset = 0; offset < text.size() && valid;) decode_utf8(text, &offset, &valid);
  return valid;
}

/// Takes the next line off *text, without its end: \n, \r\n or \r, as Python reads text files.
std::string_view take_line(std::string_view* text) {
  const size_t end = std::min(text->find_first_of("\r\n"), text->size());
  const std::string_view line = text->substr(0, end);
  const bool two_bytes = end + 1 < text->size() && (*text)[end] == '\r' && (*text)[end + 1] == '\n';
  text->remove_prefix(std::min(end + (two_bytes ? 2 : 1), text->size()));
  return line;
}

std::string padding_token(int number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return "madeupword" + digits;
}

}  // namespace

Dictionary::Dictionary() {
  for (const char* token : {"<s>", "<pad>", "</s>", "<unk>"}) add(token, 1);
}

int32_t Dictionary::find(std::string_view token, uint64_t hash) const {
  const int32_t id = table_.find(hash, [&](int32_t i) { return tokens_[static_cast<size_t>(i)] == token; });
  return id == TokenTable::kNone ? kUnk : id;
}

void Dictionary::append(std::string_view token, int64_t count) {
  tokens_.emplace_back(token);
  counts_.push_back(count);
}

int32_t Dictionary::add(std::string_view token, int64_t count) {
  const uint64_t hash = hash_token(token);
  int32_t id = table_.find(hash, [&](int32_t i) { return tokens_[static_cast<size_t>(i)] == token; });
  if (id != TokenTable::kNone) {
    int64_t& sum = counts_[static_cast<size_t>(id)];
    sum = add_counts(sum, count);
    return id;
  }
  id = size();
  append(token, count);
  table_.insert(hash, id);
  return id;
}

Status Dictionary::parse_line(std::string_view line) {
  if (!is_valid_utf8(line)) return corrupt("expected UTF-8, found bytes that are not");
  std::string_view token = trim_right(line), field;
  bool complete = split_at_last_space(&token, &field);
  const bool overwrite = complete && field == kOverwriteFlag;
  if (overwrite) complete = split_at_last_space(&token, &field);
  int64_t count = 0;
  bool too_large = false;
  if (!complete || !parse_count(trim(field), &count, &too_large))
    return corrupt("expected \"<token> <count>\", found " + quoted(line));
  if (too_large) return corrupt("expected a count of at most 2^63 - 1, found " + quoted(line));
  if (size() >= kMaxTokens) return unsupported("more than 2^31 tokens");
  const uint64_t hash = hash_token(token);
  const int32_t old = table_.find(hash, [&](int32_t i) { return tokens_[static_cast<size_t>(i)] == token; });
  if (old == TokenTable::kNone) {
    table_.insert(hash, size());
  } else if (overwrite) {
    table_.replace(hash, old, size());
  } else {
    return corrupt("the token " + quoted(token) + " has the id " + std::to_string(old) +
                   " already; remove the line, or end it with " + std::string(kOverwriteFlag));
  }
  append(token, count);
  return {};
}

Result<Dictionary> Dictionary::parse(std::string_view text, const std::string& name) {
  Dictionary dictionary;
  for (size_t line = 1; !text.empty(); ++line) {
    const Status status = dictionary.parse_line(take_line(&text));
    if (!status.ok()) return status.with_context(name + ":" + std::to_string(line));
  }
  return dictionary;
}

Result<Dictionary> Dictionary::load(const std::string& path) {
  LITENAT_ASSIGN_OR_RETURN(const auto file, MappedFile::open(path));
  const Span<const uint8_t> bytes = file->bytes();
  return parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
}

void Dictionary::finalize(int64_t threshold, int64_t max_size, int padding_factor) {
  std::vector<int32_t> order(tokens_.size() - kNumSpecials);
  std::iota(order.begin(), order.end(), kNumSpecials);
  const auto before = [this](int32_t a, int32_t b) {  // bytes of UTF-8 compare as code points do
    const size_t i = static_cast<size_t>(a), j = static_cast<size_t>(b);
    return counts_[i] != counts_[j] ? counts_[i] > counts_[j] : tokens_[i] < tokens_[j];
  };
  std::sort(order.begin(), order.end(), before);
  if (max_size > 0)
    order.resize(std::min<size_t>(order.size(), static_cast<size_t>(std::max<int64_t>(0, max_size - kNumSpecials))));

  std::vector<std::string> tokens(std::make_move_iterator(tokens_.begin()),
                                  std::make_move_iterator(tokens_.begin() + kNumSpecials));
  std::vector<int64_t> counts(counts_.begin(), counts_.begin() + kNumSpecials);
  for (const int32_t id : order) {
    if (counts_[static_cast<size_t>(id)] < threshold) break;
    tokens.push_back(std::move(tokens_[static_cast<size_t>(id)]));
    counts.push_back(counts_[static_cast<size_t>(id)]);
  }
  tokens_.clear();
  counts_.clear();
  table_.clear();
  for (size_t i = 0; i < tokens.size(); ++i) add(tokens[i], counts[i]);
  for (int i = 0; padding_factor > 1 && size() % padding_factor != 0; ++i) add(padding_token(i), 0);
}

std::string Dictionary::to_text() const {
  std::string text;
  for (size_t i = kNumSpecials; i < tokens_.size(); ++i) {
    text += tokens_[i];
    text += ' ';
    text += std::to_string(counts_[i]);
    text += '\n';
  }
  return text;
}

}  // namespace litenat::text
