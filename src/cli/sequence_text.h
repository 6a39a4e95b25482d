// Lines of text <-> ids of a model with a decoder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/text_tokenizer.h"
#include "runtime/model.h"

namespace litenat::cli {

/// A sentence as the model's dictionary sees it, without specials.
struct SourceSentence {
  std::vector<std::string> tokens;
  std::vector<int32_t> ids;  // of the tokens
};

/// The dictionaries and the tokenizer of a model. Threads may share one.
class SequenceText {
 public:
  /// Throws Error naming `path` when the model lacks a dictionary or its tokenizer is damaged.
  SequenceText(std::shared_ptr<const runtime::Model> model, const std::string& path);

  /// Text as people write it. A model without a tokenizer takes tokens between blanks.
  SourceSentence read_text(const std::string& line) const { return with_ids(tokenizer_->encode(line)); }
  /// Tokens between blanks.
  SourceSentence read_tokens(const std::string& line) const { return with_ids(splitter_->encode(line)); }
  SourceSentence with_ids(std::vector<std::string> tokens) const;
  /// One token for each id.
  std::vector<std::string> target_tokens(const std::vector<int32_t>& ids) const;
  /// Target tokens as text for people; with a tokenizer this undoes it.
  std::string detokenize(const std::vector<std::string>& tokens) const { return tokenizer_->decode(tokens); }

  const text::Dictionary& source_dictionary() const { return *model_->source_dictionary(); }
  const text::Dictionary& target_dictionary() const { return *model_->target_dictionary(); }

 private:
  std::shared_ptr<const runtime::Model> model_;
  std::unique_ptr<data::TextTokenizer> tokenizer_;
  std::unique_ptr<data::TextTokenizer> splitter_;
};

/// The tokens with blanks between them.
std::string join_tokens(const std::vector<std::string>& tokens);

/// `ids` with the specials that a family's training data have: w.. </s> for autoregressive models, <s> w.. </s> for
/// others.
std::vector<int32_t> add_specials(const std::vector<int32_t>& ids, bool autoregressive);

/// `ids` less <s>, <pad> and </s>, which are no text wherever a model puts them.
std::vector<int32_t> drop_specials(const std::vector<int32_t>& ids);

/// `tokens`, the output `ids` as tokens, with the source's unknown words in place of <unk>. No attention tells which
/// word an <unk> stands for, so: where the output has as many as the source has unknown words, the k-th becomes the
/// k-th; otherwise each becomes the unknown word nearest in relative position. Where the source has no unknown word,
/// an <unk> is an answer that the model does not know, and is dropped.
std::vector<std::string> copy_unknown_words(std::vector<std::string> tokens, const std::vector<int32_t>& ids,
                                            const SourceSentence& source);

}  // namespace litenat::cli
