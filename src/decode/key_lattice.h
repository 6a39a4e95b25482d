// From a run of keys to the ways it can be read: segmentations into units.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "text/ngram_model.h"
#include "text/units.h"

namespace litenat::decode {

/// Keys [begin, end) of the run read as `unit`.
struct UnitSpan {
  int32_t begin;
  int32_t end;
  text::UnitId unit;
};

/// One reading of the whole run, with ln P(units) by the unit n-gram (plus penalties).
struct Parse {
  std::vector<UnitSpan> units;
  float score = 0;
};

struct ParseOptions {
  int num_parses = 4;  // at most this many, best first
  int beam = 16;
};

/// True for a-z, 2-9 and the separator '.
bool is_key(char c);
/// Every unit that may be read at each place: all spans of `keys` that are a unit and do not cross a separator,
/// ascending by begin then end. Separators are skipped: the next unit starts after them. A run mixing letters
/// and digits has no span over the border.
std::vector<UnitSpan> all_unit_spans(std::string_view keys);
/// The best readings of `keys`. Empty when the run cannot be read to its end ("iv", or only separators).
std::vector<Parse> best_parses(std::string_view keys, const text::NgramModel* unit_model, const ParseOptions& options);

}  // namespace litenat::decode
