// Corpus BLEU, equal to sacreBLEU 2.6.0 (orders 1 to 4, exponential smoothing, case kept).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "eval/tokenizer.h"

namespace litenat::eval {

struct BleuScore {
  double score = 0;  // in [0, 100]
  std::array<double, 4> precisions{};
  double brevity_penalty = 0;
  int64_t hypothesis_length = 0;
  int64_t reference_length = 0;

  /// "32.10 65.0/40.0/25.0/15.0 (BP = 1.000 ratio = 1.020 hyp_len = 51 ref_len = 50)".
  std::string format() const;
};

/// Collects the counts of a corpus.
class Bleu {
 public:
  explicit Bleu(Tokenizer tokenizer) : tokenizer_(tokenizer) {}
  /// `references` is not empty.
  void add(std::string_view hypothesis, const std::vector<std::string>& references);
  BleuScore score() const;
  /// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0": what sacreBLEU of that version prints.
  std::string signature() const;

 private:
  Tokenizer tokenizer_;
  size_t num_references_ = 0;  // of the last line added
  bool varying_ = false;
  std::array<int64_t, 4> correct_{};
  std::array<int64_t, 4> total_{};
  int64_t hypothesis_length_ = 0;
  int64_t reference_length_ = 0;
};

/// The version of sacreBLEU that the metrics of this folder agree with.
constexpr const char* kSacrebleuVersion = "2.6.0";
/// "nrefs:N" of a signature.
std::string references_field(size_t num_references, bool varying);

}  // namespace litenat::eval
