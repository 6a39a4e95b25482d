// Text of scripts without blanks to words, by a word list with counts.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/fields.h"
#include "data/text_tokenizer.h"

namespace litenat::data {

/// Which split of a sentence is taken: the likeliest under the words' frequencies (a unigram model), or the one that
/// takes the longest word from left to right.
enum class WordPath { kLikeliest, kLongest };
inline const EnumNames<WordPath> kWordPathNames{{{WordPath::kLikeliest, "likeliest"}, {WordPath::kLongest, "longest"}}};

/// The blob of a word list (docs/formats.md): `text` is what WordListReader reads; words of one spelling are added up.
/// With `lower_case` text and words are put in lower case. Throws Error, which begins with `origin`, for a list without
/// words; warns of one without counts, where every word is as likely.
std::string make_word_list(std::string_view text, WordPath path, bool lower_case, const std::string& origin);

/// True when `blob` is what make_word_list() returns, as far as its first line tells.
bool looks_like_words(std::string_view blob);

/// The tokenizer of a blob. Words are looked for between blanks; a run of letters and digits of other scripts (Latin,
/// ...) stays whole, and characters that no word covers are tokens of their own. Decoding puts no blank next to a
/// character of a script without blanks, nor before ASCII's closing or behind its opening punctuation. Throws Error,
/// which begins with `origin`, for a damaged blob.
std::unique_ptr<TextTokenizer> make_word_tokenizer(std::string_view blob, const std::string& origin);

}  // namespace litenat::data
