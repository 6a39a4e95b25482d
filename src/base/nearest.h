// "Did you mean ...?": the known name nearest to a mistyped one.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace litenat {

/// Levenshtein distance in bytes: insertions, deletions and substitutions count 1 each.
inline size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

/// The name of `known` nearest to `name` (the first of equals), or "" when none is near enough to be
/// meant: more than half of `name` would have to change. Names over 256 bytes are near to nothing.
inline std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  if (name.size() > 256) return "";
  size_t best = std::max<size_t>(1, name.size() / 2) + 1;
  std::string nearest;
  for (const std::string& candidate : known) {
    if (candidate.size() > 256) continue;
    const size_t distance = edit_distance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace litenat
