#include "train/data_sides.h"

#include <cstdio>

#include "base/error.h"

namespace litenat::train {
namespace {

text::Dictionary load_dictionary(const DataSpec& spec, const std::string& side) {
  return value_or_throw(text::Dictionary::load(spec.dir + "/dict." + side + ".txt"));
}

std::shared_ptr<const data::IndexedDataset> open_side(const DataSpec& spec, const std::string& split,
                                                      const std::string& side, int32_t vocabulary) {
  const std::string prefix = spec.dir + "/" + split + "." + spec.source + "-" + spec.target + "." + side;
  auto dataset = value_or_throw(data::IndexedDataset::open(prefix));
  throw_if_error(dataset->check_ids(vocabulary).with_context(prefix));
  return dataset;
}

void drop_end(std::vector<int32_t>* ids) {
  if (!ids->empty() && ids->back() == text::kEos) ids->pop_back();
}

}  // namespace

Dictionaries Dictionaries::load(const DataSpec& spec) {
  if (spec.dir.empty()) throw Error("data.dir: expected the folder that `litenat preprocess` wrote, found nothing");
  Dictionaries result{load_dictionary(spec, spec.source), load_dictionary(spec, spec.target), {}};
  for (int32_t id = 0; id < result.source.size(); ++id)
    result.syllables.push_back(id < text::kNumSpecials ? text::kNoSyllable
                                                       : text::find_syllable(result.source.token(id)));
  return result;
}

DataSides DataSides::open(const DataSpec& spec, const std::string& split, const Dictionaries& dictionaries) {
  DataSides sides{open_side(spec, split, spec.source, dictionaries.source.size()),
                  open_side(spec, split, spec.target, dictionaries.target.size())};
  if (sides.source->size() != sides.target->size())
    throw Error(spec.dir + "/" + split + ": expected as many sentences on both sides, found " +
                std::to_string(sides.source->size()) + " of " + spec.source + " and " +
                std::to_string(sides.target->size()) + " of " + spec.target);
  return sides;
}

void DataSides::read(int64_t number, std::vector<int32_t>* source_ids, std::vector<int32_t>* target_ids) const {
  source->read(number, source_ids);
  target->read(number, target_ids);
  drop_end(source_ids);
  drop_end(target_ids);
}

void ContentHash::add(Span<const int32_t> ids) {
  constexpr uint64_t kPrime = 0x100000001B3ull;
  for (const int32_t id : ids) value_ = (value_ ^ static_cast<uint32_t>(id)) * kPrime;
  value_ = (value_ ^ 0xFFFFFFFFull) * kPrime;  // the end of the sentence
}

std::string ContentHash::text() const {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value_));
  return digits;
}

}  // namespace litenat::train
