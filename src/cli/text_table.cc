#include "cli/text_table.h"

#include <algorithm>
#include <cstdio>

#include "base/utf8.h"

namespace litenat::cli {
namespace {

/// Columns that `text` takes on a terminal: two for an ideograph or another wide character.
size_t display_width(const std::string& text) {
  size_t width = 0;
  for (const char32_t c : to_code_points(text)) {
    const bool wide = (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0xA4CF) || (c >= 0xAC00 && c <= 0xD7A3) ||
                      (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE4F) || (c >= 0xFF00 && c <= 0xFF60) ||
                      (c >= 0x20000 && c <= 0x3FFFD);
    width += wide ? 2 : 1;
  }
  return width;
}

}  // namespace

std::string TextTable::to_string() const {
  std::vector<size_t> widths;
  for (const auto& row : rows_)
    for (size_t column = 0; column < row.size(); ++column) {
      if (column == widths.size()) widths.push_back(0);
      widths[column] = std::max(widths[column], display_width(row[column]));
    }
  std::string text;
  for (size_t i = 0; i < rows_.size(); ++i) {
    for (size_t column = 0; column < rows_[i].size(); ++column) {
      const std::string& cell = rows_[i][column];
      const std::string padding(widths[column] - display_width(cell), ' ');
      const bool last = column + 1 == rows_[i].size();
      text += column == 0 ? cell + (last ? "" : padding) : "  " + padding + cell;
    }
    text += '\n';
    if (i != 0) continue;
    for (size_t column = 0; column < widths.size(); ++column)
      text += (column == 0 ? "" : "  ") + std::string(widths[column], '-');
    text += '\n';
  }
  return text;
}

std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", decimals, value);
  return text;
}

std::string percent(double share) { return fixed(100.0 * share, 2); }

std::string file_size(double bytes) {
  if (bytes >= 1e9) return fixed(bytes / 1e9, 2) + " GB";
  if (bytes >= 1e6) return fixed(bytes / 1e6, 2) + " MB";
  if (bytes >= 1e3) return fixed(bytes / 1e3, 1) + " kB";
  return fixed(bytes, 0) + " B";
}

}  // namespace litenat::cli
