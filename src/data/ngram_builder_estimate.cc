// Interpolated modified Kneser-Ney estimates (Chen and Goodman 1998, section 3).
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "data/ngram_builder.h"

namespace litenat::data {
namespace {

using Key = NgramCounter::Key;

// One n-gram of a level while estimates are made.
struct Entry {
  Key key;
  uint32_t raw;       // times seen
  uint32_t adjusted;  // what its probability is made of: `raw` or the number of words seen before it
  uint32_t suffix;    // the entry of the level below without the first word
};

struct Discounts {
  std::array<double, 4> of{};  // by count, 3 for all above
  double operator()(uint32_t count) const { return of[std::min(count, 3u)]; }
};

Discounts make_discounts(const std::vector<Entry>& entries) {
  std::array<double, 5> n{};
  for (const Entry& entry : entries) {
    if (entry.adjusted <= 4) ++n[entry.adjusted];
  }
  Discounts discounts{{0, 0.5, 1, 1.5}};
  const double y = n[1] / (n[1] + 2 * n[2]);
  for (int k = 1; k <= 3; ++k) {
    const auto at = static_cast<size_t>(k);
    const double d = k - (k + 1) * y * n[at + 1] / n[at];
    if (!(d > 0 && d <= k)) return {{0, 0.5, 1, 1.5}};  // counts of counts are too few (or NaN)
    discounts.of[at] = d;
  }
  return discounts;
}

class Estimator {
 public:
  Estimator(NgramCounter counter, const NgramSettings& settings, const std::vector<double>& base)
      : vocabulary_(counter.vocabulary()), settings_(settings), levels_(static_cast<size_t>(counter.order())) {
    count_levels(&counter);
    estimate_unigrams(base);
    for (size_t k = 1; k < levels_.size(); ++k) estimate_level(k);
  }

  BackoffModel model() {
    BackoffModel model;
    model.vocabulary = vocabulary_;
    model.log_unknown = std::log(unknown_probability_);
    model.levels.resize(levels_.size());
    sum_histories();
    unigram_level(&model.levels[0]);
    std::vector<uint32_t> parents;  // of the kept entries of the level before, by entry
    for (size_t k = 1; k < levels_.size(); ++k) keep_level(k, &parents, &model);
    if (levels_.size() > 1) model.levels.back().history_count.clear();
    return model;
  }

 private:
  uint32_t unknown_id() const { return vocabulary_ + 2; }

  void count_levels(NgramCounter* counter) {
    const size_t top = levels_.size() - 1;
    for (const auto& counted : counter->take_full()) {
      levels_[top].push_back({counted.key, counted.count, counted.count, 0});
    }
    for (size_t k = top; k-- > 0;) count_suffixes(k, counter->take_starts(static_cast<int>(k) + 1));
  }

  // Level k from the suffixes of level k + 1, and the n-grams that begin a sentence.
  void count_suffixes(size_t k, const std::vector<NgramCounter::Counted>& starts) {
    struct Item {
      Key key;
      uint32_t index;
    };
    auto& above = levels_[k + 1];
    auto& level = levels_[k];
    std::vector<Item> items(above.size());
    for (size_t i = 0; i < above.size(); ++i) {
      items[i].index = static_cast<uint32_t>(i);
      items[i].key = {};
      std::copy(above[i].key.begin() + 1, above[i].key.begin() + static_cast<std::ptrdiff_t>(k) + 2,
                items[i].key.begin());
    }
    std::sort(items.begin(), items.end(),
              [](const Item& a, const Item& b) { return a.key != b.key ? a.key < b.key : a.index < b.index; });
    auto start = starts.begin();
    const auto add_starts = [&](const Key* before) {
      for (; start != starts.end() && (before == nullptr || start->key < *before); ++start) {
        level.push_back({start->key, start->count, start->count, 0});
      }
    };
    for (const Item& item : items) {
      if (level.empty() || level.back().key != item.key) {
        add_starts(&item.key);
        level.push_back({item.key, 0, 0, 0});
      }
      level.back().raw += above[item.index].raw;
      level.back().adjusted += 1;
      above[item.index].suffix = static_cast<uint32_t>(level.size() - 1);
    }
    add_starts(nullptr);
  }

  // Probability of id `id` before any text; of words, the end and the unknown word together 1.
  double base_probability(const std::vector<double>& base, double base_sum, uint32_t id) const {
    const double uniform = 1.0 / (vocabulary_ + 2.0);
    if (id >= vocabulary_ || base_sum <= 0) return uniform;
    return base[id] / base_sum * vocabulary_ * uniform;
  }

  void estimate_unigrams(const std::vector<double>& base) {
    const auto& level = levels_[0];  // the start is none of them: it follows nothing
    double total = 0;
    double base_sum = 0;
    for (const Entry& entry : level) total += entry.adjusted;
    for (const double value : base) base_sum += value;
    const Discounts discount = make_discounts(level);
    double left = total > 0 ? 0 : 1;
    for (const Entry& entry : level) left += discount(entry.adjusted) / total;
    unigrams_.resize(size_t{vocabulary_} + 3);
    for (uint32_t id = 0; id < unigrams_.size(); ++id) unigrams_[id] = left * base_probability(base, base_sum, id);
    for (const Entry& entry : level) unigrams_[entry.key[0]] += (entry.adjusted - discount(entry.adjusted)) / total;
    unknown_probability_ = unigrams_[unknown_id()];
    probabilities_.resize(levels_.size());
    for (const Entry& entry : level) probabilities_[0].push_back(unigrams_[entry.key[0]]);
  }

  static bool same_context(const Entry& a, const Entry& b, size_t length) {
    return std::equal(a.key.begin(), a.key.begin() + static_cast<std::ptrdiff_t>(length), b.key.begin());
  }

  void estimate_level(size_t k) {
    const auto& level = levels_[k];
    const Discounts discount = make_discounts(level);
    auto& probabilities = probabilities_[k];
    probabilities.resize(level.size());
    for (size_t begin = 0, end = 0; begin < level.size(); begin = end) {
      double total = 0;
      double held = 0;
      for (end = begin; end < level.size() && same_context(level[begin], level[end], k); ++end) {
        total += level[end].adjusted;
        held += discount(level[end].adjusted);
      }
      for (size_t i = begin; i < end; ++i) {
        const double own = level[i].adjusted - discount(level[i].adjusted);
        probabilities[i] = (own + held * probabilities_[k - 1][level[i].suffix]) / total;
      }
    }
  }

  int64_t min_count(size_t k) const {
    const auto& counts = settings_.min_counts;
    int64_t result = 1;
    for (size_t i = 0; i <= k && i < counts.size(); ++i) result = std::max(result, counts[i]);
    return result;
  }

  // An n-gram's count as a context is the sum over the n-grams that continue it.
  void sum_histories() {
    histories_.resize(levels_.size());
    histories_[0].assign(size_t{vocabulary_} + 3, 0);
    if (levels_.size() > 1) {
      for (const Entry& entry : levels_[1]) histories_[0][entry.key[0]] += entry.raw;
    }
    for (size_t k = 1; k + 1 < levels_.size(); ++k) {
      histories_[k].assign(levels_[k].size(), 0);
      size_t parent = 0;
      for (const Entry& entry : levels_[k + 1]) {
        while (!same_context(levels_[k][parent], entry, k + 1)) ++parent;
        histories_[k][parent] += entry.raw;
      }
    }
  }

  void unigram_level(BackoffModel::Level* out) const {
    double smallest = 1;
    for (uint32_t id = 0; id <= vocabulary_ + 1; ++id) {
      if (id != vocabulary_) smallest = std::min(smallest, unigrams_[id]);
    }
    for (uint32_t id = 0; id <= vocabulary_ + 1; ++id) {
      out->ids.push_back(id);
      out->log_probability.push_back(std::log(id == vocabulary_ ? smallest : unigrams_[id]));
      out->history_count.push_back(histories_[0][id]);
    }
  }

  bool is_kept(const Entry& entry, size_t k) const {
    if (entry.raw < min_count(k)) return false;
    return std::find(entry.key.begin(), entry.key.begin() + static_cast<std::ptrdiff_t>(k) + 1, unknown_id()) ==
           entry.key.begin() + static_cast<std::ptrdiff_t>(k) + 1;
  }

  // Writes level k of the model. A kept n-gram's context is kept too: it is at least as frequent.
  void keep_level(size_t k, std::vector<uint32_t>* parents, BackoffModel* model) const {
    auto& out = model->levels[k];
    auto& above = model->levels[k - 1];
    above.children.assign(above.ids.size() + 1, 0);
    std::vector<uint32_t> places(levels_[k].size(), UINT32_MAX);
    size_t parent = 0;
    for (size_t i = 0; i < levels_[k].size(); ++i) {
      const Entry& entry = levels_[k][i];
      if (!is_kept(entry, k)) continue;
      if (k > 1) {
        while (!same_context(levels_[k - 1][parent], entry, k)) ++parent;
      }
      places[i] = static_cast<uint32_t>(out.ids.size());
      ++above.children[(k > 1 ? (*parents)[parent] : entry.key[0]) + size_t{1}];
      out.ids.push_back(entry.key[k]);
      out.log_probability.push_back(std::log(probabilities_[k][i]));
      if (!histories_[k].empty()) out.history_count.push_back(histories_[k][i]);
    }
    for (size_t i = 1; i < above.children.size(); ++i) above.children[i] += above.children[i - 1];
    *parents = std::move(places);
  }

  uint32_t vocabulary_;
  NgramSettings settings_;
  std::vector<std::vector<Entry>> levels_;
  std::vector<std::vector<double>> probabilities_;
  std::vector<std::vector<double>> histories_;
  std::vector<double> unigrams_;  // by id, up to the unknown word
  double unknown_probability_ = 0;
};

}  // namespace

BackoffModel estimate_kneser_ney(NgramCounter counter, const NgramSettings& settings, const std::vector<double>& base) {
  if (!base.empty() && base.size() != counter.vocabulary()) {
    throw Error("n-gram model: the base distribution has " + std::to_string(base.size()) + " values for " +
                std::to_string(counter.vocabulary()) + " words");
  }
  BackoffModel model = Estimator(std::move(counter), settings, base).model();
  model.link();
  model.normalise();
  if (settings.max_bytes > 0) prune_to_size(&model, settings.max_bytes);
  return model;
}

}  // namespace litenat::data
