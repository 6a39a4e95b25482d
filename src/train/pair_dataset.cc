#include "train/pair_dataset.h"

#include "base/interrupt.h"

namespace litenat::train {

PairDataset::PairDataset(const DataSpec& spec, const std::string& split, graph::Family family,
                         const Dictionaries& dictionaries, int64_t limit)
    : begins_(family == graph::Family::kNonAutoregressive), sides_(DataSides::open(spec, split, dictionaries)) {
  types_ = std::to_string(dictionaries.source.size()) + "+" + std::to_string(dictionaries.target.size()) + " types";
  const int32_t specials = begins_ ? 2 : 1;
  Pair pair;
  for (int64_t number = 0; number < sides_.size(); ++number) {
    if ((number & 0xFFF) == 0) throw_if_interrupted();
    if (limit > 0 && size() == limit) break;
    sides_.read(number, &pair.source, &pair.target);
    if (pair.source.empty() || pair.target.empty()) {
      ++num_left_out_;
      continue;
    }
    indices_.push_back(number);
    source_lengths_.push_back(static_cast<int32_t>(pair.source.size()) + specials);
    target_lengths_.push_back(static_cast<int32_t>(pair.target.size()) + specials);
    num_tokens_ += static_cast<int64_t>(pair.target.size());
    hash_.add(pair.source);
    hash_.add(pair.target);
  }
}

void PairDataset::read(int64_t i, Pair* out) const {
  sides_.read(number(i), &out->source, &out->target);
  for (std::vector<int32_t>* ids : {&out->source, &out->target}) {
    if (begins_) ids->insert(ids->begin(), text::kBos);
    ids->push_back(text::kEos);
  }
}

std::string PairDataset::fingerprint() const {
  return std::to_string(sides_.size()) + " pairs, " + std::to_string(num_tokens_) + " tokens, " + types_ +
         ", content " + hash_.text();
}

}  // namespace litenat::train
