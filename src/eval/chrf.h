// Corpus chrF2 (character n-grams of orders 1 to 6, beta 2), equal to sacreBLEU 2.6.0.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace litenat::eval {

class Chrf {
 public:
  static constexpr size_t kOrder = 6;
  /// Counts of one order.
  struct Counts {
    int64_t hypothesis = 0;
    int64_t reference = 0;
    int64_t matches = 0;
  };
  using Statistics = std::array<Counts, kOrder>;

  /// `references` is not empty; the one with the best score of the line counts.
  void add(std::string_view hypothesis, const std::vector<std::string>& references);
  /// In [0, 100].
  double score() const;
  /// "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0".
  std::string signature() const;

 private:
  Statistics statistics_{};
  size_t num_references_ = 0;
  bool varying_ = false;
};

}  // namespace litenat::eval
