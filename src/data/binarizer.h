// Text files -> token counts and indexed datasets, as fairseq-preprocess makes them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "text/dictionary.h"

namespace litenat::data {

/// Told from time to time, in order, how many bytes of the file are done.
using BytesDone = std::function<void(int64_t)>;

struct BinarizeSummary {
  int64_t num_sentences = 0;
  int64_t num_tokens = 0;    // a </s> for every sentence included
  int64_t num_replaced = 0;  // tokens that are not in the dictionary
};

/// Adds the tokens of the UTF-8 text file `path` to `dictionary`, and a </s> for every line. Throws Error that names
/// the file and, for text that is not UTF-8, the line. What it adds does not depend on `threads`.
void count_tokens(const std::string& path, int threads, text::Dictionary* dictionary, const BytesDone& progress = {});

/// Writes the lines of `path` to `prefix`.bin and `prefix`.idx, each ended by </s>, unknown tokens as <unk>. Both files
/// appear complete or not at all; they do not depend on `threads`. Throws Error like count_tokens.
BinarizeSummary binarize_file(const std::string& path, const text::Dictionary& dictionary, const std::string& prefix,
                              int threads, const BytesDone& progress = {});

/// Cuts `text` after line ends into pieces of about `piece_bytes` (longer where a line is).
std::vector<std::string_view> split_at_line_ends(std::string_view text, size_t piece_bytes);

}  // namespace litenat::data
