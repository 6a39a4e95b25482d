// Entropy pruning (Stolcke 1998).
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "data/ngram_builder.h"

namespace litenat::data {
namespace {

using Context = BackoffModel::Context;
using Level = BackoffModel::Level;

class Pruner {
 public:
  explicit Pruner(BackoffModel* model) : model_(*model), losses_(model->levels.size()) {}

  void prune_to(int64_t max_bytes) {
    measure();
    const double threshold = find_threshold(max_bytes);
    for (size_t k = 1; k < losses_.size(); ++k) remove_below(threshold, k);
    model_.link();
    model_.normalise();
  }

 private:
  void measure() {
    for (size_t k = 1; k < losses_.size(); ++k) losses_[k].resize(model_.levels[k].ids.size());
    histories_ = history_probabilities();
    for (size_t k = losses_.size() - 1; k > 0; --k) {
      const Level& level = model_.levels[k - 1];
      for (uint32_t r = 0; r < level.ids.size(); ++r) measure_context(k, r);
      if (k + 1 < losses_.size()) keep_contexts(k);
    }
  }

  // An n-gram can go only after all that continue it.
  void keep_contexts(size_t k) {
    const Level& level = model_.levels[k];
    for (size_t r = 0; r < level.ids.size(); ++r) {
      for (uint32_t child = level.children[r]; child < level.children[r + 1]; ++child) {
        losses_[k][r] = std::max(losses_[k][r], losses_[k + 1][child]);
      }
    }
  }

  // P(context) by level and record: from counts, else by the chain rule.
  std::vector<std::vector<double>> history_probabilities() const {
    std::vector<std::vector<double>> result(losses_.size() - 1);
    double total = 0;
    for (const double count : model_.levels[0].history_count) total += count;
    for (size_t k = 0; k < result.size(); ++k) {
      const Level& level = model_.levels[k];
      result[k].resize(level.ids.size());
      for (size_t r = 0; r < level.ids.size(); ++r) {
        if (total > 0) result[k][r] = level.history_count[r] / total;
        if (total <= 0 && k == 0) result[k][r] = std::exp(level.log_probability[r]);
      }
      if (total <= 0 && k > 0) chain(k, &result);
    }
    return result;
  }

  void chain(size_t k, std::vector<std::vector<double>>* result) const {
    const Level& above = model_.levels[k - 1];
    for (size_t parent = 0; parent < above.ids.size(); ++parent) {
      for (uint32_t r = above.children[parent]; r < above.children[parent + 1]; ++r) {
        (*result)[k][r] = (*result)[k - 1][parent] * std::exp(model_.levels[k].log_probability[r]);
      }
    }
  }

  // The relative entropy between the model with and without each n-gram that continues context r.
  void measure_context(size_t k, uint32_t r) {
    const Level& context = model_.levels[k - 1];
    const uint32_t begin = context.children[r];
    const uint32_t end = context.children[r + size_t{1}];
    std::vector<double> below;
    double seen = 0;
    double seen_below = 0;
    for (uint32_t child = begin; child < end; ++child) {
      below.push_back(model_.log_conditional(model_.shorter[k - 1][r], model_.levels[k].ids[child]));
      seen += std::exp(model_.levels[k].log_probability[child]);
      seen_below += std::exp(below.back());
    }
    const double left = std::max(1 - seen, 1e-9);
    const double left_below = std::max(1 - seen_below, 1e-9);
    for (uint32_t child = begin; child < end; ++child) {
      const double log_p = model_.levels[k].log_probability[child];
      const double log_below = below[child - begin];
      const double log_backoff = std::log((left + std::exp(log_p)) / (left_below + std::exp(log_below)));
      const double change =
          std::exp(log_p) * (log_below + log_backoff - log_p) + left * (log_backoff - std::log(left / left_below));
      losses_[k][child] = std::max(losses_[k][child], -histories_[k - 1][r] * change);
    }
  }

  std::vector<uint64_t> counts_above(const std::vector<std::vector<double>>& sorted, double threshold) const {
    std::vector<uint64_t> counts = {model_.levels[0].ids.size()};
    for (size_t k = 1; k < sorted.size(); ++k) {
      counts.push_back(
          static_cast<uint64_t>(sorted[k].end() - std::upper_bound(sorted[k].begin(), sorted[k].end(), threshold)));
    }
    return counts;
  }

  // The smallest loss (a value that occurs) below which all go and the rest fits.
  double find_threshold(int64_t max_bytes) const {
    auto sorted = losses_;
    std::vector<double> all = {-1};
    for (auto& level : sorted) {
      std::sort(level.begin(), level.end());
      all.insert(all.end(), level.begin(), level.end());
    }
    std::sort(all.begin(), all.end());
    const auto fits = [&](double threshold) {
      return packed_ngram_bytes(model_.vocabulary, counts_above(sorted, threshold)) <= static_cast<uint64_t>(max_bytes);
    };
    if (!fits(all.back())) {
      throw Error("n-gram model: the unigrams alone need more than " + std::to_string(max_bytes) +
                  " bytes (max_bytes)");
    }
    return *std::partition_point(all.begin(), all.end(), [&](double threshold) { return !fits(threshold); });
  }

  template <typename T>
  static void keep(const std::vector<uint32_t>& kept, std::vector<T>* values) {
    if (values->empty()) return;
    for (size_t i = 0; i < kept.size(); ++i) (*values)[i] = (*values)[kept[i]];
    values->resize(kept.size());
  }

  // Removes from level k; the children of what goes have gone or go with it.
  void remove_below(double threshold, size_t k) {
    Level& above = model_.levels[k - 1];
    Level& level = model_.levels[k];
    std::vector<uint32_t> kept;
    std::vector<uint32_t> children = {0};
    for (size_t parent = 0; parent < above.ids.size(); ++parent) {
      for (uint32_t r = above.children[parent]; r < above.children[parent + 1]; ++r) {
        if (losses_[k][r] > threshold) kept.push_back(r);
      }
      children.push_back(static_cast<uint32_t>(kept.size()));
    }
    above.children = std::move(children);
    keep_children(kept, &level);
    keep(kept, &level.ids);
    keep(kept, &level.log_probability);
    keep(kept, &level.log_backoff);
    keep(kept, &level.history_count);
  }

  // What is removed has no kept children, but those not yet removed from the next level still lie in its range:
  // ranges of kept n-grams are joined with the gaps behind them, whose n-grams all go in their turn.
  static void keep_children(const std::vector<uint32_t>& kept, Level* level) {
    if (level->children.empty()) return;
    std::vector<uint32_t> children = {0};
    for (size_t i = 1; i < kept.size(); ++i) children.push_back(level->children[kept[i]]);
    if (!kept.empty()) children.push_back(level->children.back());
    level->children = std::move(children);
  }

  BackoffModel& model_;
  std::vector<std::vector<double>> losses_;
  std::vector<std::vector<double>> histories_;
};

}  // namespace

void prune_to_size(BackoffModel* model, int64_t max_bytes) {
  std::vector<uint64_t> counts;
  for (const Level& level : model->levels) counts.push_back(level.ids.size());
  if (packed_ngram_bytes(model->vocabulary, counts) <= static_cast<uint64_t>(max_bytes)) return;
  Pruner(model).prune_to(max_bytes);
}

}  // namespace litenat::data
