#include "text/dictionary.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include "base/utf8.h"
#include "text/whitespace.h"

namespace litenat::text {
namespace {

Dictionary parsed(const std::string& text) {
  auto result = Dictionary::parse(text, "dict.txt");
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result.ok() ? std::move(result).value() : Dictionary();
}

std::string error_of(const std::string& text) {
  const auto result = Dictionary::parse(text, "dict.txt");
  return result.ok() ? "" : result.status().message();
}

TEST(Dictionary, HasTheSpecialsFirst) {
  const Dictionary dictionary;
  EXPECT_EQ(dictionary.size(), 4);
  EXPECT_EQ(dictionary.find("<s>"), kBos);
  EXPECT_EQ(dictionary.find("<pad>"), kPad);
  EXPECT_EQ(dictionary.find("</s>"), kEos);
  EXPECT_EQ(dictionary.find("<unk>"), kUnk);
  EXPECT_TRUE(dictionary.contains("<unk>"));
  EXPECT_FALSE(dictionary.contains("other"));
  EXPECT_EQ(dictionary.to_text(), "");
}

TEST(Dictionary, NumbersTheLinesFromFour) {
  const Dictionary dictionary = parsed("the 10\nnew york 7\n \xE4\xBD\xA0 3\n+x -2\n");
  EXPECT_EQ(dictionary.find("the"), 4);
  EXPECT_EQ(dictionary.find("new york"), 5);  // split at the last space
  EXPECT_EQ(dictionary.find(" \xE4\xBD\xA0"), 6);
  EXPECT_EQ(dictionary.count(7), -2);
  EXPECT_EQ(dictionary.find("york"), kUnk);
  EXPECT_EQ(dictionary.to_text(), "the 10\nnew york 7\n \xE4\xBD\xA0 3\n+x -2\n");
}

TEST(Dictionary, ReadsLineEndsAndTrailingSpaceAsPythonDoes) {
  const Dictionary dictionary = parsed("a 1\r\nb 2\rc 3 \t\xE3\x80\x80\nd +4");
  EXPECT_EQ(dictionary.size(), 8);
  EXPECT_EQ(dictionary.count(dictionary.find("c")), 3);
  EXPECT_EQ(dictionary.count(dictionary.find("d")), 4);
}

TEST(Dictionary, OverwritesWhenTold) {
  const Dictionary dictionary = parsed("a 5\nb 4\na 9 #fairseq:overwrite\n<unk> 1 #fairseq:overwrite\n");
  EXPECT_EQ(dictionary.size(), 8);
  EXPECT_EQ(dictionary.find("a"), 6);
  EXPECT_EQ(dictionary.find("<unk>"), 7);
  EXPECT_EQ(dictionary.token(4), "a");
  EXPECT_EQ(dictionary.to_text(), "a 5\nb 4\na 9\n<unk> 1\n");
}

TEST(Dictionary, RefusesBadLines) {
  EXPECT_EQ(error_of("a 1\nb\n"), "dict.txt:2: expected \"<token> <count>\", found \"b\"");
  EXPECT_NE(error_of("a 1\n\nb 2\n").find("dict.txt:2: expected"), std::string::npos);
  EXPECT_NE(error_of("a one\n").find("dict.txt:1: expected"), std::string::npos);
  EXPECT_NE(error_of("a 1.5\n").find("dict.txt:1: expected"), std::string::npos);
  EXPECT_NE(error_of("a +-5\n").find("dict.txt:1: expected"), std::string::npos);
  EXPECT_NE(error_of("a 99999999999999999999\n").find("dict.txt:1: expected a count of at most 2^63 - 1"),
            std::string::npos);
  EXPECT_NE(error_of("5 #fairseq:overwrite\n").find("dict.txt:1: expected"), std::string::npos);
  EXPECT_NE(error_of("a 1\nb 2\na 3\n").find("dict.txt:3: the token \"a\" has the id 4 already"), std::string::npos);
  EXPECT_NE(error_of("<pad> 3\n").find("has the id 1 already"), std::string::npos);
  EXPECT_NE(error_of("a 1\n\xFF 2\n").find("dict.txt:2: expected UTF-8"), std::string::npos);
  EXPECT_LT(error_of(std::string(100000, 'x')).size(), 200u);
}

TEST(Dictionary, CountsStopWhereInt64Ends) {
  Dictionary dictionary;
  const int32_t id = dictionary.add("a", std::numeric_limits<int64_t>::max() - 1);
  EXPECT_EQ(dictionary.add("a", 5), id);
  EXPECT_EQ(dictionary.count(id), std::numeric_limits<int64_t>::max());
}

TEST(Dictionary, NamesAMissingFile) {
  const auto result = Dictionary::load("/nonexistent/dict.txt");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.status().code(), StatusCode::kNotFound);
}

Dictionary counted() {
  Dictionary dictionary;
  for (const auto& [token, count] :
       {std::pair<const char*, int>{"b", 3}, {"a", 3}, {"c", 9}, {"\xC3\xA9", 3}, {"z", 1}})
    dictionary.add(token, count);
  return dictionary;
}

TEST(Dictionary, FinalizeSortsByCountThenCodePoint) {
  Dictionary dictionary = counted();
  EXPECT_EQ(dictionary.add("c", 1), 6);  // adds to its count
  dictionary.finalize(-1, -1, 1);
  EXPECT_EQ(dictionary.to_text(), "c 10\na 3\nb 3\n\xC3\xA9 3\nz 1\n");
  EXPECT_EQ(dictionary.find("c"), 4);
  EXPECT_EQ(dictionary.find("z"), 8);
}

TEST(Dictionary, FinalizeCutsAndPads) {
  Dictionary rare = counted();
  rare.finalize(3, -1, 8);
  EXPECT_EQ(rare.to_text(), "c 9\na 3\nb 3\n\xC3\xA9 3\n");  // 8 with the specials: no padding
  Dictionary few = counted();
  few.finalize(0, 6, 8);
  EXPECT_EQ(few.to_text(), "c 9\na 3\nmadeupword0000 0\nmadeupword0001 0\n");
  EXPECT_EQ(few.find("b"), kUnk);
  Dictionary none = counted();
  none.finalize(0, 3, 5);
  EXPECT_EQ(none.to_text(), "madeupword0000 0\n");
  Dictionary taken;
  taken.add("madeupword0000", 2);
  taken.finalize(0, 0, 8);
  EXPECT_EQ(taken.to_text(), "madeupword0000 2\nmadeupword0001 0\nmadeupword0002 0\nmadeupword0003 0\n");
}

TEST(Dictionary, FindsEveryOfManyTokens) {
  Dictionary dictionary;
  for (int i = 0; i < 20000; ++i) ASSERT_EQ(dictionary.add("t" + std::to_string(i * 7919), 1), i + 4);
  for (int i = 0; i < 20000; ++i) ASSERT_EQ(dictionary.find("t" + std::to_string(i * 7919)), i + 4);
  EXPECT_EQ(dictionary.find("t1"), kUnk);
  EXPECT_EQ(dictionary.find(""), kUnk);
}

TEST(HashToken, DependsOnEveryByteAndOnTheLength) {
  std::set<uint64_t> seen;
  for (size_t length = 0; length <= 40; ++length) {
    std::string token(length, 'a');
    EXPECT_TRUE(seen.insert(hash_token(token)).second);
    for (size_t i = 0; i < length; ++i) {
      token[i] = 'b';
      EXPECT_TRUE(seen.insert(hash_token(token)).second) << length << " " << i;
      token[i] = 'a';
    }
  }
}

// The list of Python 3.11: [c for c in range(0x110000) if chr(c).isspace()].
TEST(Whitespace, IsPythons) {
  const std::set<char32_t> expected = {0x09,   0x0A,   0x0B,   0x0C,   0x0D,   0x1C,   0x1D,   0x1E,   0x1F,   0x20,
                                       0x85,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006,
                                       0x2007, 0x2008, 0x2009, 0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000};
  for (char32_t c = 0; c < 0x110000; ++c) ASSERT_EQ(is_python_space(c), expected.count(c) == 1) << uint32_t{c};
}

TEST(Whitespace, TrimsBothEnds) {
  EXPECT_EQ(trim(" \t\xC2\xA0x y\xE3\x80\x80\n"), "x y");
  EXPECT_EQ(trim_right(" x\xE2\x80\x8B "), " x\xE2\x80\x8B");  // a zero-width space is none
  EXPECT_EQ(trim(" \xE3\x80\x80 "), "");
  EXPECT_EQ(trim_right(std::string("x\x80\x80\x80\x80", 5)), std::string("x\x80\x80\x80\x80", 5));
}

}  // namespace
}  // namespace litenat::text
