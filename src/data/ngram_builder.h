// Estimates back-off n-gram models from sentences of ids, prunes them and packs them into the blob that
// text/ngram_model.h reads.
//
//   NgramCounter counter(vocabulary, order);  counter.add(sentence); ...
//   BackoffModel model = estimate_kneser_ney(std::move(counter), settings);   // or read_arpa(...)
//   prune_to_size(&model, max_bytes);
//   std::vector<uint8_t> blob = pack_ngrams(model);
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/span.h"

namespace litenat::data {

struct NgramSettings {
  int order = 3;
  std::vector<int64_t> min_counts = {1, 1, 2};  // by order; the last one holds for all higher orders
  int64_t max_bytes = 0;                        // 0 = no limit

  template <class V>
  void visit(V& v) {
    v("order", order, "longest n-gram", between(1, 4));
    v("min_counts", min_counts, "by order: n-grams seen less often are left out", between(1, 1e9));
    v("max_bytes", max_bytes, "largest size of the packed model; 0 = no limit", between(0, 1e10));
  }
};

/// A back-off model as a trie: the n-grams of order k + 1 are levels[k], the children of each in a row, ascending
/// by id. Ids 0 .. vocabulary - 1 are words, `vocabulary` is the sentence's start, `vocabulary` + 1 its end.
struct BackoffModel {
  struct Level {
    std::vector<uint32_t> ids;            // at levels[0]: 0 .. vocabulary + 1
    std::vector<double> log_probability;  // natural
    std::vector<double> log_backoff;      // of the n-gram as a context; empty at the highest order
    std::vector<uint32_t> children;       // ids.size() + 1 offsets into the next level; empty at the highest order
    std::vector<double> history_count;    // how often it was seen as a context; empty: unknown
  };
  /// An n-gram: that of record `record` of levels[length - 1]; length 0 is the empty one.
  struct Context {
    int length = 0;
    uint32_t record = 0;
  };
  int order() const { return static_cast<int>(levels.size()); }
  uint32_t start_id() const { return vocabulary; }
  uint32_t end_id() const { return vocabulary + 1; }
  /// The record of n-gram (context, id), or -1.
  int64_t find(Context context, uint32_t id) const;
  /// ln P(id | context), with back-off.
  double log_conditional(Context context, uint32_t id) const;
  /// ln P(id | history): `history` oldest first, of any length; an id outside the vocabulary is unknown.
  double score(Span<const uint32_t> history, uint32_t id) const;
  /// Rebuilds `shorter` after the n-grams changed.
  void link();
  /// Sets the back-off weights so that every context's probabilities sum to 1. Needs link().
  void normalise();

  uint32_t vocabulary = 0;
  double log_unknown = 0;
  std::vector<Level> levels;
  std::vector<std::vector<Context>> shorter;  // by level and record: the longest proper suffix that is in the model
};

/// Counts n-grams. Memory: about 24 bytes for each distinct n-gram of the highest order.
class NgramCounter {
 public:
  static constexpr int kMaxOrder = 4;
  using Key = std::array<uint32_t, kMaxOrder>;  // oldest first; unused places are 0
  struct Counted {
    Key key;
    uint32_t count;
  };

  NgramCounter(uint32_t vocabulary, int order);
  /// Adds a sentence (its start and end are implied) `count` times. Ids outside the vocabulary count as unknown.
  void add(Span<const uint32_t> sentence, uint32_t count = 1);

  uint32_t vocabulary() const { return vocabulary_; }
  int order() const { return order_; }
  /// The n-grams of the highest order, sorted; and those of `length` < order that begin a sentence.
  std::vector<Counted> take_full();
  std::vector<Counted> take_starts(int length);

 private:
  void add_window(Span<const uint32_t> padded, size_t end, uint32_t count);
  uint32_t vocabulary_;
  int order_;
  std::vector<Counted> pending_;  // sorted into full_ when it is large
  std::vector<Counted> full_;
  std::array<std::vector<Counted>, kMaxOrder> starts_;  // by length - 1
  std::vector<uint32_t> padded_;
};

/// Interpolated modified Kneser-Ney (Chen and Goodman 1998): discounts D1, D2, D3+ of each order from its counts of
/// counts (0.5, 1, 1.5 where these are too few to give discounts in range), lower orders by continuation counts
/// (n-grams that begin a sentence keep their counts), the unigrams interpolated with `base`: the relative
/// probability of each word before any text is seen (empty: uniform). N-grams below settings.min_counts are left out;
/// their mass goes to the back-off. Then pruned to settings.max_bytes.
BackoffModel estimate_kneser_ney(NgramCounter counter, const NgramSettings& settings,
                                 const std::vector<double>& base = {});

/// Removes the n-grams whose loss changes the model least (relative entropy, Stolcke 1998; contexts weighed by their
/// counts where these are known) until the packed model has at most `max_bytes`. Unigrams always stay.
void prune_to_size(BackoffModel* model, int64_t max_bytes);

/// Size of pack_ngrams' result for so many n-grams of each order.
uint64_t packed_ngram_bytes(uint32_t vocabulary, const std::vector<uint64_t>& counts);
/// The blob: probabilities and back-off weights in 8 bits, equally spaced between the extremes of their order.
std::vector<uint8_t> pack_ngrams(const BackoffModel& model);

/// Reads the text of an ARPA model (log10). `find_word` gives a word's id below `vocabulary`, or UINT32_MAX: then
/// n-grams with it are left out. <s>, </s> and <unk> are known. Words without a unigram get the unknown probability.
/// Throws Error (name and line) on text that is no ARPA model.
BackoffModel read_arpa(std::string_view text, const std::string& name, uint32_t vocabulary,
                       const std::function<uint32_t(std::string_view)>& find_word);

}  // namespace litenat::data
