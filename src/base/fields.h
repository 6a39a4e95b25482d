// The one description of a settings struct: name, default, help and bounds of each field.
//
// A settings struct has
//     template <class V> void visit(V& v) {
//       v("dim", dim, "width of the model", between(1, 65536));
//       v("kind", kind, "what the block mixes with", kBlockKindNames);
//       v("conv", conv, "the convolution");          // a nested settings struct
//       v("blocks", blocks, "one entry a block");    // std::vector of a settings struct or scalar
//     }
// and its member initialisers are the defaults. Readers (TOML, JSON), writers, --help and the
// documentation all walk this one description. Fields are append-only and never renamed: their
// names stand in files. Field types: bool, int, int64_t, double, std::string, enums with an
// EnumNames table, settings structs, and std::vector of any of these.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace litenat {

/// Inclusive bounds of a number.
struct Bounds {
  double low;
  double high;
};
constexpr Bounds between(double low, double high) { return {low, high}; }

/// The spelling of each value of an enum in files and on the command line.
template <typename E>
struct EnumNames {
  std::vector<std::pair<E, const char*>> values;

  const char* name(E value) const {
    for (const auto& [v, n] : values)
      if (v == value) return n;
    return "?";
  }
  /// Looks `text` up; false when no value has that name.
  bool parse(const std::string& text, E* value) const {
    for (const auto& [v, n] : values)
      if (text == n) {
        *value = v;
        return true;
      }
    return false;
  }
  /// "a, b, c": for messages.
  std::string list() const {
    std::string result;
    for (const auto& [v, n] : values) result += (result.empty() ? "" : ", ") + std::string(n);
    return result;
  }
};

}  // namespace litenat
