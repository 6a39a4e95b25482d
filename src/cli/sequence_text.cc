#include "cli/sequence_text.h"

#include <cmath>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "decode/sequence_engine.h"

namespace litenat::cli {
namespace {

std::unique_ptr<data::TextTokenizer> open_tokenizer(const runtime::Model& model, const std::string& path) {
  const Span<const uint8_t> blob = model.tokenizer();
  return data::make_text_tokenizer({reinterpret_cast<const char*>(blob.data()), blob.size()},
                                   path + ", tensor " + runtime::kTokenizer);
}

std::vector<size_t> unknown_places(const std::vector<int32_t>& ids) {
  std::vector<size_t> places;
  for (size_t i = 0; i < ids.size(); ++i)
    if (ids[i] == decode::kUnknownToken) places.push_back(i);
  return places;
}

/// The place among `places` of a sentence of `length` tokens that is nearest to `relative`, in [0, 1].
size_t nearest_place(const std::vector<size_t>& places, size_t length, double relative) {
  const auto distance = [&](size_t place) {
    return std::abs((static_cast<double>(place) + 0.5) / static_cast<double>(length) - relative);
  };
  size_t best = places[0];
  for (const size_t place : places)
    if (distance(place) < distance(best)) best = place;
  return best;
}

}  // namespace

SequenceText::SequenceText(std::shared_ptr<const runtime::Model> model, const std::string& path)
    : model_(std::move(model)),
      tokenizer_(open_tokenizer(*model_, path)),
      splitter_(data::make_whitespace_tokenizer()) {
  for (const auto& [dictionary, name] : {std::pair(model_->source_dictionary(), runtime::kSourceDictionary),
                                         std::pair(model_->target_dictionary(), runtime::kTargetDictionary)})
    if (dictionary == nullptr)
      throw Error(path + ": has no tensor " + name +
                  ", so text cannot be read or written: export the model again with its resources");
}

SourceSentence SequenceText::with_ids(std::vector<std::string> tokens) const {
  SourceSentence sentence;
  sentence.tokens = std::move(tokens);
  for (const std::string& token : sentence.tokens) sentence.ids.push_back(source_dictionary().find(token));
  return sentence;
}

std::vector<std::string> SequenceText::target_tokens(const std::vector<int32_t>& ids) const {
  std::vector<std::string> tokens;
  for (const int32_t id : ids) tokens.push_back(target_dictionary().token(id));
  return tokens;
}

std::string join_tokens(const std::vector<std::string>& tokens) {
  std::string line;
  for (const std::string& token : tokens) (line += line.empty() ? "" : " ") += token;
  return line;
}

std::vector<int32_t> add_specials(const std::vector<int32_t>& ids, bool autoregressive) {
  std::vector<int32_t> result;
  if (!autoregressive) result.push_back(decode::kBeginToken);
  result.insert(result.end(), ids.begin(), ids.end());
  result.push_back(decode::kEndToken);
  return result;
}

std::vector<int32_t> drop_specials(const std::vector<int32_t>& ids) {
  std::vector<int32_t> result;
  for (const int32_t id : ids)
    if (id != decode::kBeginToken && id != decode::kPadToken && id != decode::kEndToken) result.push_back(id);
  return result;
}

std::vector<std::string> copy_unknown_words(std::vector<std::string> tokens, const std::vector<int32_t>& ids,
                                            const SourceSentence& source) {
  const std::vector<size_t> to = unknown_places(ids);
  if (to.empty()) return tokens;
  const std::vector<size_t> from = unknown_places(source.ids);
  std::vector<std::string> result;
  for (size_t i = 0, number = 0; i < ids.size(); ++i) {
    if (ids[i] != decode::kUnknownToken) {
      result.push_back(std::move(tokens[i]));
    } else if (!from.empty()) {
      const double relative = (static_cast<double>(i) + 0.5) / static_cast<double>(ids.size());
      const size_t place = from.size() == to.size() ? from[number++] : nearest_place(from, source.ids.size(), relative);
      result.push_back(source.tokens[place]);
    }
  }
  return result;
}

}  // namespace litenat::cli
