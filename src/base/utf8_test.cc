#include "base/utf8.h"

#include <gtest/gtest.h>

namespace litenat {
namespace {

std::string encoded(char32_t c) {
  std::string text;
  append_utf8(c, &text);
  return text;
}

TEST(Utf8, RoundTripsTheBordersOfEveryLength) {
  for (const char32_t c : {0x0u, 0x7Fu, 0x80u, 0x7FFu, 0x800u, 0xD7FFu, 0xE000u, 0xFFFFu, 0x10000u, 0x10FFFFu}) {
    const std::string text = encoded(c);
    size_t offset = 0;
    bool valid = false;
    EXPECT_EQ(decode_utf8(text, &offset, &valid), c);
    EXPECT_TRUE(valid);
    EXPECT_EQ(offset, text.size());
  }
}

TEST(Utf8, KnownBytes) {
  EXPECT_EQ(encoded(0x4F60), "\xE4\xBD\xA0");
  EXPECT_EQ(encoded(0x20000), "\xF0\xA0\x80\x80");
}

// Each row: bytes that are no UTF-8. The first byte is consumed alone and reported as malformed.
TEST(Utf8, MalformedBytesAreReplacedOneByOne) {
  const std::string rows[] = {"\x80",
                              "\xC0\x80",
                              "\xC1\xBF",
                              "\xE0\x80\x80",
                              "\xED\xA0\x80",
                              "\xF0\x80\x80\x80",
                              "\xF4\x90\x80\x80",
                              "\xF8\x88\x80\x80\x80",
                              "\xE4\xBD",
                              "\xE4",
                              "\xFF"};
  for (const std::string& row : rows) {
    size_t offset = 0;
    bool valid = true;
    EXPECT_EQ(decode_utf8(row, &offset, &valid), kReplacementCharacter);
    EXPECT_FALSE(valid);
    EXPECT_EQ(offset, 1u);
  }
}

TEST(Utf8, AppendReplacesWhatIsNoScalarValue) {
  EXPECT_EQ(encoded(0xD800), encoded(kReplacementCharacter));
  EXPECT_EQ(encoded(0x110000), encoded(kReplacementCharacter));
}

TEST(Utf8, SplitsIntoCharacters) {
  const auto parts = split_characters("a你\xFF好");
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[1], "你");
  EXPECT_EQ(parts[2], "\xFF");
  EXPECT_EQ(to_code_points("你a"), (std::vector<char32_t>{0x4F60, 'a'}));
}

TEST(Utf8, HanziBlocks) {
  for (const char32_t c : {0x4E00u, 0x9FFFu, 0x3400u, 0x4DBFu, 0x3007u, 0x20000u, 0xF900u}) EXPECT_TRUE(is_hanzi(c));
  for (const char32_t c : {U'a', U'。', U'あ', U'カ', U'한', U'０'}) EXPECT_FALSE(is_hanzi(c));
}

}  // namespace
}  // namespace litenat
