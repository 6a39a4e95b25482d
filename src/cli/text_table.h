// Tables for people: columns padded to their widest cell.
#pragma once

#include <string>
#include <vector>

namespace litenat::cli {

class TextTable {
 public:
  /// The first column is left-aligned, the others (numbers) right-aligned.
  explicit TextTable(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// The table with a rule under the header; every line ends with a line feed.
  std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// `value` with so many decimals.
std::string fixed(double value, int decimals);
/// 100 * share with two decimals.
std::string percent(double share);
/// "1.6 MB": bytes in powers of 1000.
std::string file_size(double bytes);

}  // namespace litenat::cli
