// The two sides of a `preprocess` folder: dictionaries and indexed sentences, checked against each other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/span.h"
#include "data/indexed_dataset.h"
#include "text/dictionary.h"
#include "text/syllables.h"
#include "train/data_spec.h"

namespace litenat::train {

/// The dictionaries of a data folder.
struct Dictionaries {
  text::Dictionary source, target;
  /// Syllable of each source id, kNoSyllable for other tokens.
  std::vector<text::SyllableId> syllables;

  /// Reads dict.<source>.txt and dict.<target>.txt. Throws Error.
  static Dictionaries load(const DataSpec& spec);
};

struct DataSides {
  std::shared_ptr<const data::IndexedDataset> source, target;

  /// Opens `split` ("train"). Throws Error for files that are missing, hold ids outside the dictionaries or have
  /// another number of sentences than the other side.
  static DataSides open(const DataSpec& spec, const std::string& split, const Dictionaries& dictionaries);
  int64_t size() const { return source->size(); }
  /// Sentence `number` of both sides, without </s>.
  void read(int64_t number, std::vector<int32_t>* source_ids, std::vector<int32_t>* target_ids) const;
};

/// FNV-1a over the ids of sentences, in their order.
class ContentHash {
 public:
  void add(Span<const int32_t> ids);
  /// 16 hexadecimal digits.
  std::string text() const;

 private:
  uint64_t value_ = 0xCBF29CE484222325ull;
};

}  // namespace litenat::train
