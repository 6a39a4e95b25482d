// dict.txt of fairseq: token <-> id.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "text/token_table.h"

namespace litenat::text {

constexpr int32_t kBos = 0;
constexpr int32_t kPad = 1;
constexpr int32_t kEos = 2;
constexpr int32_t kUnk = 3;
constexpr int32_t kNumSpecials = 4;

/// Ids 0..3 are <s> <pad> </s> <unk>; line i (from 0) of the file is id i + 4.
class Dictionary {
 public:
  Dictionary();
  /// Reads the text of a dict.txt: "<token> <count>[ #fairseq:overwrite]" a line, split at the last space. An
  /// overwriting line makes a new id that find() returns from then on; the older id keeps its token.
  /// Errors name `name` and the line: no count, a duplicate without the overwrite flag, bad UTF-8.
  static Result<Dictionary> parse(std::string_view text, const std::string& name);
  static Result<Dictionary> load(const std::string& path);

  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }
  const std::string& token(int32_t id) const { return tokens_[static_cast<size_t>(id)]; }
  int64_t count(int32_t id) const { return counts_[static_cast<size_t>(id)]; }
  /// Id of `token`, kUnk when it is not in the dictionary. Allocates nothing.
  int32_t find(std::string_view token) const { return find(token, hash_token(token)); }
  /// The same for a caller that has hash_token(token) already.
  int32_t find(std::string_view token, uint64_t hash) const;
  bool contains(std::string_view token) const { return find(token) != kUnk || token == "<unk>"; }
  /// Adds a token (or adds to the count of one that is there); returns its id.
  int32_t add(std::string_view token, int64_t count);
  /// fairseq's finalize: drops tokens below `threshold`, keeps at most `max_size` ids (specials included; 0 or less =
  /// all), sorts by count descending then code points ascending, pads with "madeupword0000"... to a multiple of
  /// `padding_factor` (1 or less = no padding).
  void finalize(int64_t threshold, int64_t max_size, int padding_factor);
  /// The text of dict.txt (specials left out).
  std::string to_text() const;

 private:
  void append(std::string_view token, int64_t count);
  Status parse_line(std::string_view line);

  std::vector<std::string> tokens_;
  std::vector<int64_t> counts_;
  TokenTable table_;  // hash of a token -> the id that find() returns
};

}  // namespace litenat::text
