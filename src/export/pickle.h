// Reads Python pickles (protocols 2 to 4) without executing anything: what a pickle would import and call becomes an
// inert record. For the checkpoints of other toolkits, which are pickles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/span.h"

namespace litenat::export_model {

/// Index of a value in its Pickle. Values refer to each other by id, so shared and cyclic ones cost no more than
/// others.
using PickleId = uint32_t;

enum class PickleKind {
  kNone,
  kBool,        // integer
  kInteger,     // integer; one of more than 64 bits: text, its bytes in two's complement, little endian
  kFloat,       // real
  kString,      // text, UTF-8
  kBytes,       // text
  kSequence,    // items: a tuple, list, set or frozenset
  kDict,        // entries
  kGlobal,      // module `text`, attribute `name`: a class or function, not looked up
  kObject,      // callee(*arguments) was to be called; then state, items or entries were to be given to the result
  kPersistent,  // arguments: the identity of something outside the pickle
};

struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;
  double real = 0;
  std::string_view text;  // into the bytes of the pickle
  std::string_view name;
  std::vector<PickleId> items;
  std::vector<std::pair<PickleId, PickleId>> entries;  // in the order of the pickle; a later one of a key counts
  PickleId callee = 0;
  PickleId arguments = 0;
  PickleId state = 0;
};

/// One pickle that was read; its bytes must outlive it.
class Pickle {
 public:
  /// Reads the pickle at the start of `bytes`. Throws Error that names `name`, the byte offset and what is wrong: an
  /// opcode outside protocols 2 to 4, an operand or a stack entry that is not there, or more than kMaxValues values.
  static Pickle read(Span<const uint8_t> bytes, const std::string& name);

  static constexpr size_t kMaxValues = 1 << 20;
  static constexpr PickleId kNoneId = 0;  // a None that is always there

  PickleId root() const { return root_; }
  size_t num_values() const { return values_.size(); }
  /// Bytes up to the end of the pickle; others may follow.
  size_t size_bytes() const { return size_bytes_; }
  const PickleValue& operator[](PickleId id) const { return values_[id]; }

  bool is_global(PickleId id, std::string_view module, std::string_view name) const;
  /// The last entry of `id` (a dict, or an object with entries) under the string `key`, or kNoneId.
  PickleId find(PickleId id, std::string_view key) const;

 private:
  friend class PickleReader;
  std::vector<PickleValue> values_;
  PickleId root_ = 0;
  size_t size_bytes_ = 0;
};

}  // namespace litenat::export_model
