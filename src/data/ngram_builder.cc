#include "data/ngram_builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "text/ngram_model_format.h"

namespace litenat::data {
namespace {

using text::NgramHeader;

constexpr double kSmallestMass = 1e-9;  // a context's left-over mass never rounds to nothing

}  // namespace

int64_t BackoffModel::find(Context context, uint32_t id) const {
  if (context.length == 0) return id < levels[0].ids.size() ? static_cast<int64_t>(id) : -1;
  if (context.length >= order()) return -1;
  const Level& level = levels[static_cast<size_t>(context.length) - 1];
  const auto& ids = levels[static_cast<size_t>(context.length)].ids;
  const auto begin = ids.begin() + level.children[context.record];
  const auto end = ids.begin() + level.children[context.record + size_t{1}];
  const auto found = std::lower_bound(begin, end, id);
  return found != end && *found == id ? found - ids.begin() : -1;
}

double BackoffModel::log_conditional(Context context, uint32_t id) const {
  double backoff = 0;
  for (;;) {
    const int64_t record = find(context, id);
    if (record >= 0)
      return backoff + levels[static_cast<size_t>(context.length)].log_probability[static_cast<size_t>(record)];
    if (context.length == 0) return backoff + log_unknown;
    const auto level = static_cast<size_t>(context.length) - 1;
    if (level + 1 < levels.size()) backoff += levels[level].log_backoff[context.record];
    context = shorter[level][context.record];
  }
}

double BackoffModel::score(Span<const uint32_t> history, uint32_t id) const {
  Context context;
  for (const uint32_t word : history) {
    int64_t record = -1;
    while ((record = find(context, word)) < 0 && context.length > 0) {
      context = shorter[static_cast<size_t>(context.length) - 1][context.record];
    }
    context = record < 0 ? Context{} : Context{context.length + 1, static_cast<uint32_t>(record)};
    if (context.length == order()) context = shorter[static_cast<size_t>(context.length) - 1][context.record];
  }
  return log_conditional(context, id);
}

void BackoffModel::link() {
  shorter.assign(levels.size(), {});
  shorter[0].assign(levels[0].ids.size(), {});
  for (size_t k = 1; k < levels.size(); ++k) {
    shorter[k].resize(levels[k].ids.size());
    for (uint32_t parent = 0; parent < levels[k - 1].ids.size(); ++parent) {
      for (uint32_t r = levels[k - 1].children[parent]; r < levels[k - 1].children[parent + size_t{1}]; ++r) {
        Context context = shorter[k - 1][parent];
        int64_t record = -1;
        while ((record = find(context, levels[k].ids[r])) < 0 && context.length > 0) {
          context = shorter[static_cast<size_t>(context.length) - 1][context.record];
        }
        shorter[k][r] = {context.length + 1, static_cast<uint32_t>(record)};
      }
    }
  }
}

void BackoffModel::normalise() {
  for (size_t k = 0; k + 1 < levels.size(); ++k) {
    Level& level = levels[k];
    const Level& next = levels[k + 1];
    level.log_backoff.assign(level.ids.size(), 0);
    for (uint32_t r = 0; r < level.ids.size(); ++r) {
      double seen = 0;
      double seen_below = 0;
      for (uint32_t child = level.children[r]; child < level.children[r + size_t{1}]; ++child) {
        seen += std::exp(next.log_probability[child]);
        seen_below += std::exp(log_conditional(shorter[k][r], next.ids[child]));
      }
      if (seen == 0) continue;
      level.log_backoff[r] = std::log(std::max(1 - seen, kSmallestMass) / std::max(1 - seen_below, kSmallestMass));
    }
  }
}

namespace {

NgramHeader make_header(uint32_t vocabulary, double log_unknown, const std::vector<uint64_t>& counts) {
  NgramHeader header{};
  std::memcpy(header.magic, text::kNgramMagic, sizeof(header.magic));
  header.version = text::kNgramVersion;
  header.order = static_cast<uint32_t>(counts.size());
  header.vocabulary = vocabulary;
  header.log_unknown = static_cast<float>(log_unknown);
  for (size_t k = 0; k < counts.size(); ++k) {
    if (vocabulary > text::kMaxNgramVocabulary || counts[k] > text::kMaxNgramsOfOrder) {
      throw Error("n-gram model: " + std::to_string(counts[k]) + " n-grams of order " + std::to_string(k + 1) +
                  " over " + std::to_string(vocabulary) + " words do not fit the format; raise min_counts");
    }
    header.counts[k] = static_cast<uint32_t>(counts[k]);
  }
  return header;
}

// Values spread equally between the extremes; the first `reserved` codes are left to the caller.
class Quantizer {
 public:
  Quantizer(const std::vector<double>& values, bool skip_zeros) : first_(skip_zeros ? 1 : 0) {
    bool is_empty = true;
    for (const double value : values) {
      if (skip_zeros && value == 0) continue;
      low_ = is_empty ? value : std::min(low_, value);
      high_ = is_empty ? value : std::max(high_, value);
      is_empty = false;
    }
    step_ = (high_ - low_) / (255 - first_);
  }

  std::array<float, 256> table() const {
    std::array<float, 256> result{};
    for (int code = first_; code < 256; ++code) {
      result[static_cast<size_t>(code)] = static_cast<float>(low_ + (code - first_) * step_);
    }
    return result;
  }
  uint64_t code(double value) const {
    if (first_ == 1 && value == 0) return 0;
    return static_cast<uint64_t>(first_) +
           (step_ > 0 ? static_cast<uint64_t>(std::llround((value - low_) / step_)) : 0);
  }

 private:
  int first_;
  double low_ = 0;
  double high_ = 0;
  double step_ = 0;
};

// Appends fields of a few bits to zeroed bytes.
class BitWriter {
 public:
  explicit BitWriter(uint8_t* data) : data_(data) {}
  void put(uint64_t value, int width) {
    for (int done = 0; done < width;) {
      const int offset = static_cast<int>(position_ % 8);
      const int take = std::min(8 - offset, width - done);
      data_[position_ / 8] |= static_cast<uint8_t>(((value >> done) & ((1u << take) - 1)) << offset);
      done += take;
      position_ += static_cast<uint64_t>(take);
    }
  }

 private:
  uint8_t* data_;
  uint64_t position_ = 0;
};

// Appends `size` zero bytes, padded, and returns their place.
uint8_t* extend(std::vector<uint8_t>* blob, uint64_t size) {
  const size_t begin = blob->size();
  blob->resize(begin + text::padded_ngram_size(size));
  return blob->data() + begin;
}

void append_table(const Quantizer& quantizer, std::vector<uint8_t>* blob) {
  const auto table = quantizer.table();
  std::memcpy(extend(blob, sizeof(table)), table.data(), sizeof(table));
}

void pack_level(const BackoffModel& model, const NgramHeader& header, uint32_t index, std::vector<uint8_t>* blob) {
  const auto& level = model.levels[index];
  const text::NgramLevelLayout layout = text::level_layout(header, index);
  const bool is_inner = layout.child_bits > 0;
  const Quantizer probabilities(level.log_probability, false);
  const Quantizer backoffs(level.log_backoff, true);
  append_table(probabilities, blob);
  if (is_inner) append_table(backoffs, blob);
  BitWriter bits(extend(blob, layout.record_bytes));
  for (size_t r = 0; r <= level.ids.size(); ++r) {
    const bool is_last = r == level.ids.size();
    if (layout.id_bits > 0) bits.put(is_last ? 0 : level.ids[r], layout.id_bits);
    bits.put(is_last ? 0 : probabilities.code(level.log_probability[r]), 8);
    if (!is_inner) continue;
    bits.put(is_last ? 0 : backoffs.code(level.log_backoff[r]), 8);
    bits.put(level.children[r], layout.child_bits);
  }
}

}  // namespace

uint64_t packed_ngram_bytes(uint32_t vocabulary, const std::vector<uint64_t>& counts) {
  const NgramHeader header = make_header(vocabulary, 0, counts);
  uint64_t size = text::kNgramAlignment;
  for (uint32_t k = 0; k < header.order; ++k) {
    const text::NgramLevelLayout layout = text::level_layout(header, k);
    size += (layout.child_bits > 0 ? 2 : 1) * 256 * sizeof(float) + text::padded_ngram_size(layout.record_bytes);
  }
  return size;
}

std::vector<uint8_t> pack_ngrams(const BackoffModel& model) {
  std::vector<uint64_t> counts;
  for (const auto& level : model.levels) counts.push_back(level.ids.size());
  const NgramHeader header = make_header(model.vocabulary, model.log_unknown, counts);
  std::vector<uint8_t> blob(text::kNgramAlignment);
  std::memcpy(blob.data(), &header, sizeof(header));
  for (uint32_t k = 0; k < header.order; ++k) pack_level(model, header, k, &blob);
  return blob;
}

}  // namespace litenat::data
