#include "train/padded_rows.h"

#include <algorithm>

#include "text/dictionary.h"

namespace litenat::train {

PaddedRows pad_rows(Span<const int32_t> ids, Span<const int32_t> lengths) {
  int64_t width = 0;
  for (const int32_t length : lengths) width = std::max<int64_t>(width, length);
  const int64_t size = static_cast<int64_t>(lengths.size());
  PaddedRows padded{torch::full({size, width}, int64_t{text::kPad}, torch::kInt64),
                    torch::zeros({size, width}, torch::kBool),
                    torch::empty({static_cast<int64_t>(ids.size())}, torch::kInt64)};
  auto* out = padded.ids.data_ptr<int64_t>();
  bool* mask = padded.mask.data_ptr<bool>();
  auto* rows = padded.rows.data_ptr<int64_t>();
  const int32_t* next = ids.begin();
  for (int64_t b = 0; b < size; ++b) {
    for (int64_t t = 0; t < lengths[static_cast<size_t>(b)]; ++t) {
      out[b * width + t] = *next++;
      mask[b * width + t] = true;
      *rows++ = b * width + t;
    }
  }
  return padded;
}

Status check_rows(Span<const int32_t> ids, Span<const int32_t> lengths, int64_t vocabulary, int64_t max_length) {
  int64_t sum = 0;
  for (const int32_t length : lengths) {
    if (length < 1) return invalid_argument("expected sentences of at least 1 row, found " + std::to_string(length));
    if (max_length > 0 && length > max_length)
      return invalid_argument("expected sentences of at most " + std::to_string(max_length) +
                              " rows (the model's position table), found " + std::to_string(length));
    sum += length;
  }
  if (sum != static_cast<int64_t>(ids.size()))
    return invalid_argument("expected lengths that add up to " + std::to_string(ids.size()) + ", found " +
                            std::to_string(sum));
  for (const int32_t id : ids)
    if (id < 0 || id >= vocabulary)
      return invalid_argument("expected ids below " + std::to_string(vocabulary) + ", found " + std::to_string(id));
  return {};
}

}  // namespace litenat::train
