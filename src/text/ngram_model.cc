#include "text/ngram_model.h"

#include <cmath>

#include "text/ngram_model_format.h"

namespace litenat::text {
namespace {

// Far beyond the logarithm of any double, yet so small that no sum of such numbers overflows. False for NaN.
bool is_logarithm(float value) { return std::fabs(value) <= 1e6F; }

}  // namespace

// Takes a blob apart and checks it.
struct NgramModel::Loader {
  NgramModel model;
  NgramHeader header{};
  std::string name;
  const uint8_t* cursor = nullptr;
  uint64_t left = 0;

  Status fail(const std::string& what) const { return corrupt("n-gram model " + name + ": " + what); }

  Status read_header(Span<const uint8_t> blob) {
    if (reinterpret_cast<uintptr_t>(blob.data()) % alignof(float) != 0) return fail("the blob is not aligned");
    if (blob.size() < kNgramAlignment) return fail("only " + std::to_string(blob.size()) + " bytes");
    std::memcpy(&header, blob.data(), sizeof(header));
    if (std::memcmp(header.magic, kNgramMagic, sizeof(header.magic)) != 0) return fail("no n-gram model (wrong magic)");
    if (header.version != kNgramVersion) {
      return unsupported("n-gram model " + name + ": version " + std::to_string(header.version) +
                         ", this build reads " + std::to_string(kNgramVersion));
    }
    if (header.order < 1 || header.order > kMaxOrder) return fail("order " + std::to_string(header.order));
    if (header.vocabulary > kMaxNgramVocabulary || header.counts[0] != header.vocabulary + 2) {
      return fail("vocabulary of " + std::to_string(header.vocabulary) + " with " + std::to_string(header.counts[0]) +
                  " unigrams");
    }
    for (const uint32_t count : header.counts) {
      if (count > kMaxNgramsOfOrder) return fail("n-gram counts out of range");
    }
    if (!(header.log_unknown <= 0) || !is_logarithm(header.log_unknown)) return fail("bad unknown probability");
    cursor = blob.data() + kNgramAlignment;
    left = blob.size() - kNgramAlignment;
    return {};
  }

  Status take(uint64_t size, const char* what, const uint8_t** data) {
    size = padded_ngram_size(size);
    if (size > left) {
      return fail(std::string(what) + " need " + std::to_string(size) + " bytes, " + std::to_string(left) + " left");
    }
    *data = cursor;
    cursor += size;
    left -= size;
    return {};
  }

  Status read_table(const char* what, Span<const float>* table) {
    const uint8_t* data = nullptr;
    LITENAT_RETURN_IF_ERROR(take(256 * sizeof(float), what, &data));
    *table = {reinterpret_cast<const float*>(data), 256};
    for (const float value : *table) {
      if (!is_logarithm(value)) return fail(std::string(what) + " hold a number that no logarithm can be");
    }
    return {};
  }

  Status read_level(uint32_t index) {
    const NgramLevelLayout layout = level_layout(header, index);
    Level& level = model.levels_[index];
    level.count = header.counts[index];
    level.id_bits = layout.id_bits;
    level.child_bits = layout.child_bits;
    level.record_bits = layout.record_bits;
    LITENAT_RETURN_IF_ERROR(read_table("probabilities", &level.probability_table));
    if (layout.child_bits > 0) {
      LITENAT_RETURN_IF_ERROR(read_table("back-off weights", &level.backoff_table));
      if (level.backoff_table[0] != 0.0F) return fail("the first back-off weight is not 0");
    }
    const uint8_t* data = nullptr;
    LITENAT_RETURN_IF_ERROR(take(layout.record_bytes, "records", &data));
    level.bits = {data, layout.record_bytes};
    return {};
  }

  // True when the ids of `count` records from `record` on ascend and are below `limit`.
  static bool ids_ascend(const Level& level, uint64_t record, uint64_t count, uint64_t limit) {
    uint64_t bit = level.start(record);
    uint64_t smallest = 0;
    bool good = true;
    for (uint64_t i = 0; i < count; ++i, bit += static_cast<uint64_t>(level.record_bits)) {
      const uint64_t id = level.read(bit, level.id_bits);
      good &= id >= smallest;
      smallest = id + 1;
    }
    return good && smallest <= limit;
  }

  // Child ranges of a level lie in a row and cover the next level; ids ascend inside each.
  Status check_children(uint32_t index) const {
    const Level level = model.levels_[index];
    const Level next = model.levels_[index + 1];
    uint64_t begin = level.first_child(0);
    if (begin != 0) return fail("child ranges do not start at 0");
    for (uint64_t record = 0; record < level.count; ++record) {
      const uint64_t end = level.first_child(record + 1);
      if (end == begin) continue;
      if (end < begin || end > next.count) return fail("child ranges are not ascending");
      if (!ids_ascend(next, begin, end - begin, header.counts[0])) return fail("n-grams are not ascending by id");
      begin = end;
    }
    return begin == next.count ? Status() : fail("n-grams outside every child range");
  }

  Status load() {
    model.order_ = static_cast<int>(header.order);
    model.vocabulary_ = header.vocabulary;
    model.log_unknown_ = header.log_unknown;
    for (uint32_t i = 0; i < header.order; ++i) LITENAT_RETURN_IF_ERROR(read_level(i));
    if (left != 0) return fail(std::to_string(left) + " bytes too many");
    for (uint32_t i = 0; i + 1 < header.order; ++i) LITENAT_RETURN_IF_ERROR(check_children(i));
    if (header.order > 1) {
      model.begin_.records[0] = header.vocabulary;
      model.begin_.length = 1;
      model.shorten(&model.begin_);
    }
    return {};
  }
};

Result<NgramModel> NgramModel::parse(Span<const uint8_t> blob, const std::string& name) {
  Loader loader;
  loader.name = name;
  LITENAT_RETURN_IF_ERROR(loader.read_header(blob));
  LITENAT_RETURN_IF_ERROR(loader.load());
  return loader.model;
}

// The record of n-gram (record, id) one level up, or kUnknown.
uint32_t NgramModel::find_child(int level, uint32_t record, uint32_t id) const {
  const Level& parent = levels_[static_cast<size_t>(level)];
  const Level& next = levels_[static_cast<size_t>(level) + 1];
  uint32_t begin = parent.first_child(record);
  const uint32_t end = parent.first_child(uint64_t{record} + 1);
  uint32_t size = end - begin;
  while (size > 0) {
    const uint32_t half = size / 2;
    if (next.id(uint64_t{begin} + half) < id) {
      begin += half + 1;
      size -= half + 1;
    } else {
      size = half;
    }
  }
  return begin < end && next.id(begin) == id ? begin : kUnknown;
}

// Drops contexts that change nothing: unknown ones, and those with neither continuations nor a back-off weight.
void NgramModel::shorten(State* state) const {
  for (; state->length > 0; --state->length) {
    const uint32_t record = state->records[static_cast<size_t>(state->length) - 1];
    if (record == kUnknown) continue;
    const Level& level = levels_[static_cast<size_t>(state->length) - 1];
    if (level.backoff_code(record) != 0) return;
    if (level.first_child(record) != level.first_child(uint64_t{record} + 1)) return;
  }
}

float NgramModel::score_id(const State& state, uint32_t id, State* next) const {
  State after;
  float log_probability = log_unknown_;
  float backoff = 0;  // of the contexts longer than the longest n-gram found so far
  if (id != kUnknown) {
    after.records[0] = id;
    after.length = 1;
    log_probability = levels_[0].probability(id);
  }
  for (int k = 0; k < state.length; ++k) {
    const uint32_t context = state.records[static_cast<size_t>(k)];
    const uint32_t found = context == kUnknown || id == kUnknown ? kUnknown : find_child(k, context, id);
    if (found != kUnknown) {
      log_probability = levels_[static_cast<size_t>(k) + 1].probability(found);
      backoff = 0;
    } else if (context != kUnknown) {
      backoff += levels_[static_cast<size_t>(k)].backoff(context);
    }
    if (id != kUnknown && k + 2 < order_) {
      after.records[static_cast<size_t>(k) + 1] = found;
      after.length = k + 2;
    }
  }
  if (next != nullptr) {
    if (order_ == 1) after.length = 0;
    shorten(&after);
    *next = after;
  }
  return log_probability + backoff;
}

}  // namespace litenat::text
