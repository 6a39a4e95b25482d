// BLEU (Papineni et al. 2002), orders 1 to 4, equal to sacreBLEU 2.6.0's.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/metric.h"
#include "eval/tokenizer.h"

namespace litenat::eval {

/// What an order without a match counts (Chen and Cherry 2014): kExp halves a fictitious match each time, kFloor is a
/// small count, kAddK adds to matches and totals of the orders above 1, kNone makes the score 0.
enum class Smoothing { kExp, kFloor, kAddK, kNone };
inline const EnumNames<Smoothing> kSmoothingNames{
    {{Smoothing::kExp, "exp"}, {Smoothing::kFloor, "floor"}, {Smoothing::kAddK, "add-k"}, {Smoothing::kNone, "none"}}};

struct BleuOptions {
  Tokenizer tokenizer = Tokenizer::k13a;
  bool lowercase = false;  // as Python's str.lower()
  Smoothing smoothing = Smoothing::kExp;
  std::optional<double> smoothing_value;  // of kFloor (0.1 unless given) and kAddK (1 unless given)
  bool effective_order = false;           // of a corpus score; scores of single lines always use it
};

struct BleuScore {
  double score = 0;  // in [0, 100]
  std::array<double, 4> precisions{};
  double brevity_penalty = 0;
  int64_t hypothesis_length = 0;
  int64_t reference_length = 0;

  /// "65.0/40.0/25.0/15.0 (BP = 1.000 ratio = 1.020 hyp_len = 51 ref_len = 50)".
  std::string details() const;
};

/// Statistics: length of the hypothesis, of the reference nearest in length, n-gram matches [4], n-grams [4].
class BleuMetric final : public Metric {
 public:
  static constexpr size_t kOrder = 4;

  explicit BleuMetric(const BleuOptions& options) : options_(options) {}
  std::string key() const override { return "bleu"; }
  std::string name() const override { return "BLEU"; }
  size_t num_statistics() const override { return 2 + 2 * kOrder; }
  void collect(std::string_view hypothesis, const std::vector<std::string>& references,
               double* statistics) const override;
  double score(Span<const double> totals) const override { return evaluate(totals, options_.effective_order).score; }
  double line_score(Span<const double> statistics) const override { return evaluate(statistics, true).score; }
  std::string details(Span<const double> totals) const override {
    return evaluate(totals, options_.effective_order).details();
  }
  std::string signature_fields() const override;
  /// The score with its parts. With `effective_order`, orders for which the hypothesis is too short do not count.
  BleuScore evaluate(Span<const double> totals, bool effective_order) const;

 private:
  BleuOptions options_;
};

/// The BLEU of one corpus, for whoever wants nothing else.
class Bleu {
 public:
  explicit Bleu(Tokenizer tokenizer) : metric_(options_for(tokenizer)) {}
  /// `references` is not empty.
  void add(std::string_view hypothesis, const std::vector<std::string>& references);
  BleuScore score() const { return metric_.evaluate({totals_.data(), totals_.size()}, false); }
  /// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0": what sacreBLEU of that version prints.
  std::string signature() const;

 private:
  static BleuOptions options_for(Tokenizer tokenizer) {
    BleuOptions options;
    options.tokenizer = tokenizer;
    return options;
  }
  BleuMetric metric_;
  std::array<double, 2 + 2 * BleuMetric::kOrder> totals_{};
  size_t num_references_ = 0;  // of the last line added
  bool varying_ = false;
};

/// "nrefs:N" of a signature, or "nrefs:var".
std::string references_field(size_t num_references, bool varying);

/// The version of sacreBLEU that the metrics of this folder agree with.
constexpr const char* kSacrebleuVersion = "2.6.0";

}  // namespace litenat::eval
