#include "decode/parallel_decoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "decode/crf_viterbi.h"
#include "decode/sequence_batch.h"

namespace litenat::decode {
namespace {

constexpr int32_t kShortestOutput = 2;  // <s> and </s>

bool is_special(int32_t token) { return token == kBeginToken || token == kPadToken || token == kEndToken; }

int32_t clamp_length(int64_t length, const SequenceTraits& traits) {
  if (traits.max_target > 0) length = std::min<int64_t>(length, traits.max_target);
  return static_cast<int32_t>(std::max<int64_t>(length, kShortestOutput));
}

/// The rows of one candidate.
struct Path {
  std::vector<int32_t> tokens;
  std::vector<float> scores;
};

/// The best token of each row, or the best path of the CRF.
class PathFinder {
 public:
  PathFinder(const SequenceEngine* engine, const RowCandidates& pass) : engine_(engine), pass_(pass) {}

  /// kCorrupt where a score is no number.
  Result<Path> find(size_t first_row, size_t num_rows) const {
    for (size_t row = first_row; row < first_row + num_rows; ++row)
      if (!std::isfinite(pass_.log_sum[row])) return internal_error("the model gave a score that is no number");
    return engine_->traits().has_transitions ? best_crf_path(first_row, num_rows) : best_tokens(first_row, num_rows);
  }

 private:
  Path best_tokens(size_t first_row, size_t num_rows) const {
    Path path;
    const auto k = static_cast<size_t>(pass_.per_row);
    for (size_t row = first_row; row < first_row + num_rows; ++row) {
      path.tokens.push_back(pass_.tokens[row * k]);
      path.scores.push_back(pass_.logits[row * k] - pass_.log_sum[row]);
    }
    return path;
  }

  Path best_crf_path(size_t first_row, size_t num_rows) const {
    const auto k = static_cast<size_t>(pass_.per_row);
    std::vector<CrfPosition> positions;
    for (size_t row = first_row; row < first_row + num_rows; ++row)
      positions.push_back({pass_.tokens.subspan(row * k, k), pass_.logits.subspan(row * k, k)});
    CrfPath best =
        crf_viterbi(positions, [this](int32_t previous, int32_t next) { return engine_->transition(previous, next); });
    Path path;
    path.tokens = std::move(best.ids);
    for (size_t i = 0; i < num_rows; ++i) path.scores.push_back(best.position_scores[i] - pass_.log_sum[first_row + i]);
    return path;
  }

  const SequenceEngine* engine_;
  const RowCandidates& pass_;
};

/// Whether row i of a CTC path begins a token.
bool begins_token(Span<const int32_t> path, size_t i) {
  if (path[i] == kUnknownToken || is_special(path[i])) return false;
  return i == 0 || path[i] != path[i - 1];
}

Hypothesis to_hypothesis(const Path& path, bool ctc) {
  Hypothesis hypothesis;
  double sum = 0;
  for (size_t i = 0; i < path.tokens.size(); ++i) {
    sum += path.scores[i];
    if (ctc ? !begins_token(path.tokens, i) : is_special(path.tokens[i])) continue;
    hypothesis.tokens.push_back(path.tokens[i]);
    hypothesis.scores.push_back(path.scores[i]);
  }
  hypothesis.score = static_cast<float>(sum / static_cast<double>(path.tokens.size()));
  return hypothesis;
}

bool is_better(const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; }

/// Adds `hypothesis`, or keeps the better one of two with the same tokens.
void add_distinct(Hypothesis hypothesis, std::vector<Hypothesis>* list) {
  for (Hypothesis& other : *list) {
    if (other.tokens != hypothesis.tokens) continue;
    if (is_better(hypothesis, other)) other = std::move(hypothesis);
    return;
  }
  list->push_back(std::move(hypothesis));
}

/// The decoder inputs of a pass.
struct Inputs {
  std::vector<int32_t> ids;
  std::vector<int32_t> lengths;
  std::vector<int32_t> sentences;

  void add(int32_t sentence, int32_t length) {
    ids.push_back(kBeginToken);
    ids.insert(ids.end(), static_cast<size_t>(length) - 2, kUnknownToken);
    ids.push_back(kEndToken);
    lengths.push_back(length);
    sentences.push_back(sentence);
  }
};

Result<Inputs> make_inputs(SequenceEngine* engine, const SourceBatch& batch, int length_beam) {
  const SequenceTraits& traits = engine->traits();
  Span<const float> logits;
  if (traits.predicts_length) {
    LITENAT_ASSIGN_OR_RETURN(logits, engine->length_logits());
  }
  const auto classes = static_cast<size_t>(traits.predicts_length ? traits.length_classes : 0);
  Inputs inputs;
  for (size_t i = 0; i < batch.lengths.size(); ++i)
    for (const int32_t length :
         candidate_lengths(traits, batch.lengths[i], logits.subspan(i * classes, classes), length_beam))
      inputs.add(static_cast<int32_t>(i), length);
  return inputs;
}

/// Scores by the rescorer.
Status rescore(SequenceEngine* rescorer, const SourceBatch& batch, std::vector<std::vector<Hypothesis>>* outputs) {
  std::vector<std::vector<int32_t>> targets;
  std::vector<int32_t> sentences;
  for (size_t i = 0; i < outputs->size(); ++i) {
    for (const Hypothesis& hypothesis : (*outputs)[i]) {
      targets.push_back(hypothesis.tokens);
      sentences.push_back(static_cast<int32_t>(i));
    }
  }
  LITENAT_ASSIGN_OR_RETURN(const std::vector<float> scores, score_targets(rescorer, batch, targets, sentences));
  size_t next = 0;
  for (std::vector<Hypothesis>& list : *outputs)
    for (Hypothesis& hypothesis : list) hypothesis.score = scores[next++];
  return {};
}

Status check(const SequenceEngine& engine, const SourceBatch& batch, const ParallelOptions& options,
             const SequenceEngine* rescorer, const SourceBatch* rescorer_batch) {
  const SequenceTraits& traits = engine.traits();
  if (traits.autoregressive) return invalid_argument("parallel decoding needs a non-autoregressive model");
  if (options.length_beam < 1 || options.num_best < 1)
    return invalid_argument("length_beam is " + std::to_string(options.length_beam) + " and num_best " +
                            std::to_string(options.num_best) + ", expected at least 1");
  LITENAT_RETURN_IF_ERROR(check_batch(batch, traits));
  if (rescorer == nullptr) return {};
  if (rescorer_batch == nullptr || rescorer_batch->lengths.size() != batch.lengths.size())
    return invalid_argument("a rescorer needs its sources, as many as the batch has sentences");
  if (rescorer->traits().target_vocabulary == traits.target_vocabulary) return {};
  return invalid_argument("the rescorer has " + std::to_string(rescorer->traits().target_vocabulary) +
                          " target tokens, expected the model's " + std::to_string(traits.target_vocabulary));
}

}  // namespace

int32_t rows_by_ratio(double ratio, int32_t source_length) {
  return std::max(kShortestOutput, static_cast<int32_t>(std::floor(ratio * source_length)));
}

std::vector<int32_t> candidate_lengths(const SequenceTraits& traits, int32_t source_length,
                                       Span<const float> length_logits, int length_beam) {
  if (!traits.predicts_length) return {clamp_length(rows_by_ratio(traits.length_ratio, source_length), traits)};
  int64_t predicted = std::max_element(length_logits.begin(), length_logits.end()) - length_logits.begin();
  if (traits.length_offset) predicted += source_length - traits.length_classes / 2;
  const int32_t center = clamp_length(predicted, traits);
  std::vector<int32_t> lengths = {center};
  for (int j = 0; j < length_beam; ++j) {
    const int32_t length = clamp_length(int64_t{center} + j - length_beam / 2, traits);
    if (std::find(lengths.begin(), lengths.end(), length) == lengths.end()) lengths.push_back(length);
  }
  return lengths;
}

std::vector<int32_t> collapse_ctc(Span<const int32_t> path) {
  std::vector<int32_t> tokens;
  for (size_t i = 0; i < path.size(); ++i)
    if (begins_token(path, i)) tokens.push_back(path[i]);
  return tokens;
}

Result<std::vector<std::vector<Hypothesis>>> decode_parallel(SequenceEngine* engine, const SourceBatch& batch,
                                                             const ParallelOptions& options, SequenceEngine* rescorer,
                                                             const SourceBatch* rescorer_batch) {
  LITENAT_RETURN_IF_ERROR(check(*engine, batch, options, rescorer, rescorer_batch));
  std::vector<std::vector<Hypothesis>> outputs(batch.lengths.size());
  if (outputs.empty()) return outputs;
  const SequenceTraits& traits = engine->traits();
  LITENAT_RETURN_IF_ERROR(engine->encode(batch.ids, batch.lengths));
  LITENAT_ASSIGN_OR_RETURN(const Inputs inputs, make_inputs(engine, batch, options.length_beam));
  const int32_t per_row = traits.has_transitions ? std::min(std::max(traits.crf_beam, 1), traits.target_vocabulary) : 1;
  auto pass = engine->decode(inputs.ids, inputs.lengths, inputs.sentences, per_row, {});
  if (!pass.ok()) return pass.status();
  const PathFinder finder(engine, pass.value());
  size_t row = 0;
  for (size_t i = 0; i < inputs.lengths.size(); ++i) {
    const auto length = static_cast<size_t>(inputs.lengths[i]);
    LITENAT_ASSIGN_OR_RETURN(const Path path, finder.find(row, length));
    add_distinct(to_hypothesis(path, !traits.predicts_length), &outputs[static_cast<size_t>(inputs.sentences[i])]);
    row += length;
  }
  if (rescorer != nullptr) LITENAT_RETURN_IF_ERROR(rescore(rescorer, *rescorer_batch, &outputs));
  for (std::vector<Hypothesis>& list : outputs) {
    std::stable_sort(list.begin(), list.end(), is_better);
    if (list.size() > static_cast<size_t>(options.num_best)) list.resize(static_cast<size_t>(options.num_best));
  }
  return outputs;
}

}  // namespace litenat::decode
