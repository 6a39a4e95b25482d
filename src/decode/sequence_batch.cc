#include "decode/sequence_batch.h"

#include <string>

namespace litenat::decode {

Status check_batch(const SourceBatch& batch, const SequenceTraits& traits) {
  size_t total = 0;
  for (size_t i = 0; i < batch.lengths.size(); ++i) {
    const int32_t length = batch.lengths[i];
    if (length < 1)
      return invalid_argument("sentence " + std::to_string(i) + " has " + std::to_string(length) +
                              " tokens, expected at least 1");
    if (traits.max_source > 0 && length > traits.max_source)
      return invalid_argument("sentence " + std::to_string(i) + " has " + std::to_string(length) +
                              " tokens with the specials, expected at most " + std::to_string(traits.max_source));
    total += static_cast<size_t>(length);
  }
  if (total == batch.ids.size()) return {};
  return invalid_argument("a batch has " + std::to_string(batch.ids.size()) + " ids, expected " +
                          std::to_string(total) + ", the sum of its lengths");
}

}  // namespace litenat::decode
