#include "cli/text_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/overrides.h"
#include "cli/progress.h"
#include "cli/text_table.h"

namespace litenat::cli {
namespace {

/// Everything that a LineReader makes of `text`, written to a pipe.
std::vector<std::string> lines_of(const std::string& text, size_t max_bytes) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  close(ends[1]);
  LineReader reader(ends[0], max_bytes);
  std::vector<std::string> lines;
  for (std::string line; reader.next(&line);) lines.push_back(line);
  close(ends[0]);
  return lines;
}

TEST(LineReader, SplitsLinesAndBoundsTheirLength) {
  EXPECT_EQ(lines_of("a\r\n\nb", 10), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(lines_of("", 10), std::vector<std::string>{});
  EXPECT_EQ(lines_of("\n", 10), std::vector<std::string>{""});
  EXPECT_EQ(lines_of("abcdef\nxy\n", 3), (std::vector<std::string>{"abcd", "xy"}));
}

TEST(SplitTabs, KeepsEmptyParts) {
  EXPECT_EQ(split_tabs("a\t\tb"), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split_tabs(""), std::vector<std::string>{""});
}

TEST(TextTable, AlignsWideCharacters) {
  TextTable table({"set", "n"});
  table.add({"中文", "1"});
  table.add({"abc", "234"});
  EXPECT_EQ(table.to_string(), "set     n\n----  ---\n中文    1\nabc   234\n");
}

TEST(Numbers, AreShort) {
  EXPECT_EQ(short_count(12345), "12.3 k");
  EXPECT_EQ(short_count(999), "999");
  EXPECT_EQ(short_count(1.5), "1.5");
  EXPECT_EQ(short_duration(59.4), "59 s");
  EXPECT_EQ(short_duration(184), "3 min 04 s");
  EXPECT_EQ(short_duration(7800), "2 h 10 min");
  EXPECT_EQ(file_size(1234567), "1.23 MB");
  EXPECT_EQ(percent(0.12345), "12.35");
}

TEST(Overrides, ReadTypedValues) {
  decode::ImeOptions options;
  apply_decode_overrides({"decode.beam=16", "decode.word_weight=0.25", "decode.constrained=false"}, &options);
  EXPECT_EQ(options.beam, 16);
  EXPECT_EQ(options.word_weight, 0.25);
  EXPECT_FALSE(options.constrained);
}

}  // namespace
}  // namespace litenat::cli
