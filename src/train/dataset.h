// What training asks of a data set, whatever its sentences are.
#pragma once

#include <cstdint>
#include <string>

namespace litenat::train {

class Dataset {
 public:
  virtual ~Dataset() = default;
  /// Usable sentences.
  virtual int64_t size() const = 0;
  /// Target tokens of the usable sentences, </s> not counted.
  virtual int64_t num_tokens() const = 0;
  /// Sentences of the files that cannot be used.
  virtual int64_t num_left_out() const = 0;
  /// Number of the usable sentence i in the files: what a user can look up.
  virtual int64_t number(int64_t i) const = 0;
  /// Changes when the data do: counts, and a hash of every id of the usable sentences.
  virtual std::string fingerprint() const = 0;
};

}  // namespace litenat::train
