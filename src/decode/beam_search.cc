#include "decode/beam_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>

#include "decode/sequence_batch.h"

namespace litenat::decode {
namespace {

constexpr int32_t kNothing = -1;

/// A continuation of a live row.
struct Continuation {
  double total;  // ln p of the row and of the token
  float log_p;   // of the token
  int32_t row;   // among the rows of the sentence
  int32_t token;
};

/// A token of some hypothesis and the one before it: hypotheses share their beginnings.
struct Link {
  int32_t token;
  float log_p;
  int32_t previous;
};

/// What a hypothesis that goes on is known by.
struct Live {
  int32_t link = kNothing;
  double total = 0;
  int32_t parent = 0;  // row of the step before, among the rows of the sentence
};

/// The beam of one sentence.
class SentenceBeam {
 public:
  SentenceBeam(const BeamOptions* options, int32_t max_length, Span<const int32_t> prefix)
      : options_(options), max_length_(max_length), prefix_(prefix), live_(1) {}

  const std::vector<Live>& live() const { return live_; }
  bool is_done() const { return live_.empty(); }
  /// The token whose logit step `step` asks for, and which is its only continuation; kNothing: all tokens are.
  int32_t forced(int32_t step) const {
    if (step < static_cast<int32_t>(prefix_.size())) return prefix_[static_cast<size_t>(step)];
    return step >= max_length_ ? kEndToken : kNothing;
  }
  int32_t newest_token(const Live& live) const {
    return live.link == kNothing ? kEndToken : links_[static_cast<size_t>(live.link)].token;
  }

  /// Takes the rows of this sentence, the first of which is `first_row` of the pass.
  Status advance(int32_t step, const RowCandidates& pass, size_t first_row) {
    continuations_.clear();
    for (size_t row = 0; row < live_.size(); ++row)
      LITENAT_RETURN_IF_ERROR(collect(step, pass, first_row + row, static_cast<int32_t>(row)));
    keep_best();
    std::vector<Live> next;
    for (size_t i = 0; i < continuations_.size(); ++i) {
      const Continuation& found = continuations_[i];
      if (found.token == kEndToken) {
        if (i < beam() && finished_.size() < beam()) finish(found, step);
      } else if (next.size() < beam()) {
        next.push_back({add_link(found), found.total, found.row});
      }
    }
    live_ = std::move(next);
    if (finished_.size() == beam() || step >= max_length_) live_.clear();
    return {};
  }

  std::vector<Hypothesis> take_best() {
    // Only where every continuation had probability 0.
    if (finished_.empty()) finished_.push_back({{}, {}, -std::numeric_limits<float>::infinity()});
    std::stable_sort(finished_.begin(), finished_.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
    if (finished_.size() > static_cast<size_t>(options_->num_best))
      finished_.resize(static_cast<size_t>(options_->num_best));
    return std::move(finished_);
  }

 private:
  size_t beam() const { return static_cast<size_t>(options_->beam); }

  Status collect(int32_t step, const RowCandidates& pass, size_t pass_row, int32_t row) {
    const float log_sum = pass.log_sum[pass_row];
    const int32_t only = forced(step);
    if (only != kNothing) return add(row, only, pass.wanted[pass_row] - log_sum);
    const bool unknown_is_wanted = options_->unknown_penalty < 0;
    if (unknown_is_wanted) LITENAT_RETURN_IF_ERROR(add(row, kUnknownToken, pass.wanted[pass_row] - log_sum));
    const size_t first = pass_row * static_cast<size_t>(pass.per_row);
    for (size_t i = first; i < first + static_cast<size_t>(pass.per_row); ++i) {
      const int32_t token = pass.tokens[i];
      if (token == kPadToken || (token == kEndToken && step < options_->min_length)) continue;
      if (token == kUnknownToken && unknown_is_wanted) continue;
      LITENAT_RETURN_IF_ERROR(add(row, token, pass.logits[i] - log_sum));
    }
    return {};
  }

  Status add(int32_t row, int32_t token, float log_p) {
    if (std::isnan(log_p)) return internal_error("the model gave a score that is no number");
    if (token == kUnknownToken) log_p -= static_cast<float>(options_->unknown_penalty);
    if (std::isinf(log_p)) return {};
    continuations_.push_back({live_[static_cast<size_t>(row)].total + log_p, log_p, row, token});
    return {};
  }

  /// Leaves the best 2 * beam continuations, best first; ties: the better row, then the lower id.
  void keep_best() {
    const size_t count = std::min(continuations_.size(), 2 * beam());
    std::partial_sort(continuations_.begin(), continuations_.begin() + static_cast<std::ptrdiff_t>(count),
                      continuations_.end(), [](const Continuation& a, const Continuation& b) {
                        if (a.total != b.total) return a.total > b.total;
                        return a.row != b.row ? a.row < b.row : a.token < b.token;
                      });
    continuations_.resize(count);
  }

  int32_t add_link(const Continuation& found) {
    links_.push_back({found.token, found.log_p, live_[static_cast<size_t>(found.row)].link});
    return static_cast<int32_t>(links_.size()) - 1;
  }

  void finish(const Continuation& end, int32_t step) {
    Hypothesis hypothesis;
    hypothesis.scores.push_back(end.log_p);
    for (int32_t link = live_[static_cast<size_t>(end.row)].link; link != kNothing;) {
      const Link& at = links_[static_cast<size_t>(link)];
      hypothesis.tokens.push_back(at.token);
      hypothesis.scores.push_back(at.log_p);
      link = at.previous;
    }
    std::reverse(hypothesis.tokens.begin(), hypothesis.tokens.end());
    std::reverse(hypothesis.scores.begin(), hypothesis.scores.end());
    hypothesis.score = static_cast<float>(end.total / std::pow(step + 1, options_->length_penalty));
    finished_.push_back(std::move(hypothesis));
  }

  const BeamOptions* options_;
  int32_t max_length_;
  Span<const int32_t> prefix_;
  std::vector<Live> live_;
  std::vector<Link> links_;
  std::vector<Continuation> continuations_;
  std::vector<Hypothesis> finished_;
};

Status check_options(const BeamOptions& options) {
  if (options.beam < 1) return invalid_argument("beam is " + std::to_string(options.beam) + ", expected at least 1");
  if (options.num_best >= 1 && options.num_best <= options.beam) return {};
  return invalid_argument("num_best is " + std::to_string(options.num_best) +
                          ", expected 1 to beam = " + std::to_string(options.beam));
}

Status check_prefix(Span<const int32_t> prefix, const SequenceTraits& traits, size_t sentence) {
  const std::string where = "sentence " + std::to_string(sentence) + ": ";
  for (const int32_t token : prefix)
    if (token < 0 || token >= traits.target_vocabulary || token == kPadToken || token == kEndToken)
      return invalid_argument(where + "a prefix has the token " + std::to_string(token) +
                              ", expected ids of the target dictionary other than <pad> and </s>");
  if (traits.max_target > 0 && prefix.size() >= static_cast<size_t>(traits.max_target))
    return invalid_argument(where + "a prefix of " + std::to_string(prefix.size()) + " tokens, expected fewer than " +
                            std::to_string(traits.max_target));
  return {};
}

/// Most tokens of an output, </s> not counted.
int32_t longest_output(const BeamOptions& options, const SequenceTraits& traits, int32_t source_length, size_t prefix) {
  double limit = std::max(0.0, options.max_length_a * source_length + options.max_length_b);
  if (traits.max_target > 0) limit = std::min(limit, traits.max_target - 1.0);
  return static_cast<int32_t>(std::max(std::min(limit, 1e9), static_cast<double>(prefix)));
}

/// The search of a batch. Sentences that are done have no rows any more.
class BatchBeam {
 public:
  BatchBeam(SequenceEngine* engine, const BeamOptions& options) : engine_(engine), options_(options) {
    // Three tokens may be passed over: <pad>, a </s> that comes too early, an <unk> that falls back.
    per_row_ = std::min(engine->traits().target_vocabulary, 2 * options.beam + 3);
  }

  Status begin(const SourceBatch& batch, const std::vector<std::vector<int32_t>>& prefixes) {
    for (size_t i = 0; i < batch.lengths.size(); ++i) {
      const Span<const int32_t> prefix = prefixes.empty() ? Span<const int32_t>() : Span<const int32_t>(prefixes[i]);
      LITENAT_RETURN_IF_ERROR(check_prefix(prefix, engine_->traits(), i));
      const int32_t longest = longest_output(options_, engine_->traits(), batch.lengths[i], prefix.size());
      beams_.emplace_back(&options_, longest, prefix);
    }
    return engine_->encode(batch.ids, batch.lengths);
  }

  Status run() {
    first_rows_.assign(beams_.size(), 0);
    for (int32_t step = 0; gather(step); ++step) {
      auto pass = engine_->step(tokens_, parents_, per_row_, wanted_);
      if (!pass.ok()) return pass.status();
      for (size_t i = 0; i < beams_.size(); ++i) {
        if (beams_[i].is_done()) continue;
        LITENAT_RETURN_IF_ERROR(beams_[i].advance(step, pass.value(), static_cast<size_t>(first_rows_[i])));
      }
    }
    return {};
  }

  std::vector<std::vector<Hypothesis>> take_best() {
    std::vector<std::vector<Hypothesis>> best;
    best.reserve(beams_.size());
    for (SentenceBeam& beam : beams_) best.push_back(beam.take_best());
    return best;
  }

 private:
  /// Fills in the rows of a step; false when none is left.
  bool gather(int32_t step) {
    tokens_.clear();
    parents_.clear();
    wanted_.clear();
    for (size_t i = 0; i < beams_.size(); ++i) {
      const int32_t first_parent = step == 0 ? static_cast<int32_t>(i) : first_rows_[i];
      first_rows_[i] = static_cast<int32_t>(tokens_.size());
      for (const Live& live : beams_[i].live()) {
        tokens_.push_back(beams_[i].newest_token(live));
        parents_.push_back(first_parent + live.parent);
        const int32_t forced = beams_[i].forced(step);
        wanted_.push_back(forced == kNothing ? kUnknownToken : forced);
      }
    }
    return !tokens_.empty();
  }

  SequenceEngine* engine_;
  const BeamOptions& options_;
  int32_t per_row_;
  std::vector<SentenceBeam> beams_;
  std::vector<int32_t> first_rows_;  // by sentence: its first row in the newest step
  std::vector<int32_t> tokens_, parents_, wanted_;
};

}  // namespace

Result<std::vector<std::vector<Hypothesis>>> beam_search(SequenceEngine* engine, const SourceBatch& batch,
                                                         const BeamOptions& options,
                                                         const std::vector<std::vector<int32_t>>& prefixes) {
  if (!engine->traits().autoregressive) return invalid_argument("beam search needs an autoregressive model");
  LITENAT_RETURN_IF_ERROR(check_options(options));
  LITENAT_RETURN_IF_ERROR(check_batch(batch, engine->traits()));
  if (!prefixes.empty() && prefixes.size() != batch.lengths.size())
    return invalid_argument(std::to_string(prefixes.size()) + " prefixes, expected none or one for each of the " +
                            std::to_string(batch.lengths.size()) + " sentences");
  if (batch.lengths.empty()) return std::vector<std::vector<Hypothesis>>();
  BatchBeam search(engine, options);
  LITENAT_RETURN_IF_ERROR(search.begin(batch, prefixes));
  LITENAT_RETURN_IF_ERROR(search.run());
  return search.take_best();
}

Result<std::vector<float>> score_targets(SequenceEngine* engine, const SourceBatch& batch,
                                         const std::vector<std::vector<int32_t>>& targets,
                                         const std::vector<int32_t>& sentences) {
  const SequenceTraits& traits = engine->traits();
  if (!traits.autoregressive) return invalid_argument("scoring targets needs an autoregressive model");
  LITENAT_RETURN_IF_ERROR(check_batch(batch, traits));
  if (targets.size() != sentences.size())
    return invalid_argument(std::to_string(targets.size()) + " targets of " + std::to_string(sentences.size()) +
                            " sentences, expected as many");
  std::vector<float> scores(targets.size(), -std::numeric_limits<float>::infinity());
  std::vector<int32_t> inputs, wanted, lengths, owners;
  std::vector<size_t> scored;
  for (size_t i = 0; i < targets.size(); ++i) {
    if (traits.max_target > 0 && targets[i].size() >= static_cast<size_t>(traits.max_target)) continue;
    inputs.push_back(kEndToken);
    inputs.insert(inputs.end(), targets[i].begin(), targets[i].end());
    wanted.insert(wanted.end(), targets[i].begin(), targets[i].end());
    wanted.push_back(kEndToken);
    lengths.push_back(static_cast<int32_t>(targets[i].size()) + 1);
    owners.push_back(sentences[i]);
    scored.push_back(i);
  }
  if (scored.empty()) return scores;
  LITENAT_RETURN_IF_ERROR(engine->encode(batch.ids, batch.lengths));
  auto pass = engine->decode(inputs, lengths, owners, 1, wanted);
  if (!pass.ok()) return pass.status();
  size_t row = 0;
  for (size_t i = 0; i < scored.size(); ++i) {
    double sum = 0;
    for (int32_t t = 0; t < lengths[i]; ++t, ++row) sum += pass->wanted[row] - pass->log_sum[row];
    scores[scored[i]] = static_cast<float>(sum / lengths[i]);
  }
  return scores;
}

}  // namespace litenat::decode
