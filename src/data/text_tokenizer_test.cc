// Sentences below were written for these tests.
#include "data/text_tokenizer.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "data/sentencepiece_tokenizer.h"
#include "data/temporary_folder_test.h"
#include "data/text_cleaning.h"
#include "data/word_segmentation.h"

namespace litenat::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string error_of(const std::string& blob) {
  try {
    make_text_tokenizer(blob, "file.model");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(TextCleaning, CleansWhiteSpaceAndBrokenBytes) {
  EXPECT_EQ(clean_line("  a\tb \u00A0\u3000 c\r\n"), "a b c");
  EXPECT_EQ(clean_line("a\xFF"
                       "b"),
            "a\uFFFDb");
  EXPECT_EQ(clean_line(" \u2003 "), "");
  EXPECT_EQ(clean_line(std::string("a\0b", 3)), std::string("a\0b", 3));
  EXPECT_TRUE(is_utf8("\u4F60\u597D"));
  EXPECT_FALSE(is_utf8("\xE4\xBD"));
  EXPECT_TRUE(is_utf8(""));
}

TEST(TextCleaning, LowersAllScripts) {
  EXPECT_EQ(to_lower("\u00C4RGER \u0391\u0392 \u0416 \u4F60 1"), "\u00E4rger \u03B1\u03B2 \u0436 \u4F60 1");
}

TEST(TextCleaning, CountsWordsOfEveryScript) {
  EXPECT_EQ(count_words(""), 0);
  EXPECT_EQ(count_words("two words"), 2);
  EXPECT_EQ(count_words("\u4F60\u597D"), 2);
  EXPECT_EQ(count_words("\u306Fx \u4F60y"), 4);
  EXPECT_EQ(count_words("a \u3002"), 2);
}

TEST(TextCleaning, HashesTellBytesLengthAndSeed) {
  EXPECT_NE(hash_bytes("a", 1), hash_bytes("b", 1));
  EXPECT_NE(hash_bytes("a", 1), hash_bytes("a", 2));
  EXPECT_NE(hash_bytes("a", 1), hash_bytes(std::string("a\0", 2), 1));
  EXPECT_NE(hash_bytes("12345678", 1), hash_bytes("12345678\x01", 1));
}

TEST(WhitespaceTokenizer, SplitsAndJoins) {
  const auto tokenizer = make_whitespace_tokenizer();
  EXPECT_THAT(tokenizer->encode(" a  b\u3000c "), ElementsAre("a", "b", "c"));
  EXPECT_THAT(tokenizer->encode(" "), IsEmpty());
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("a  b")), "a b");
  EXPECT_EQ(make_text_tokenizer(tokenizer->blob(), "x")->decode(tokenizer->encode("a b")), "a b");
}

TEST(WordTokenizer, TakesTheLikeliestOrTheLongestPath) {
  // Two readings of one string: AB C and A BC.
  const std::string list = "\u7814\u7A76\u751F 2\n\u7814\u7A76 50\n\u751F\u547D 60\n\u547D 1\n";
  const auto likeliest = make_word_tokenizer(make_word_list(list, WordPath::kLikeliest, false, "list"), "blob");
  EXPECT_THAT(likeliest->encode("\u7814\u7A76\u751F\u547D"), ElementsAre("\u7814\u7A76", "\u751F\u547D"));
  const auto longest = make_word_tokenizer(make_word_list(list, WordPath::kLongest, false, "list"), "blob");
  EXPECT_THAT(longest->encode("\u7814\u7A76\u751F\u547D"), ElementsAre("\u7814\u7A76\u751F", "\u547D"));
}

TEST(WordTokenizer, KeepsRunsOfOtherScriptsWhole) {
  const std::string list = "\u559C\u6B22\t5\nT\u6064 3\n";
  const auto tokenizer = make_word_tokenizer(make_word_list(list, WordPath::kLikeliest, false, "list"), "blob");
  EXPECT_THAT(tokenizer->encode("\u559C\u6B22LiteNAT 3.14!"), ElementsAre("\u559C\u6B22", "LiteNAT", "3.14", "!"));
  EXPECT_THAT(tokenizer->encode("don't e-mail it's."), ElementsAre("don't", "e-mail", "it's", "."));
  EXPECT_THAT(tokenizer->encode("T\u6064XT\u6064"), ElementsAre("T\u6064", "XT", "\u6064"));
  EXPECT_THAT(tokenizer->encode("cafe\u0301 \u6064\uFE0F"), ElementsAre("cafe\u0301", "\u6064\uFE0F"));
}

TEST(WordTokenizer, DecodesToTextAgain) {
  const std::string list = "\u4E16\u754C 9\n\u4F60\u597D 9\n";
  const auto tokenizer = make_word_tokenizer(make_word_list(list, WordPath::kLikeliest, false, "list"), "blob");
  for (const std::string text :
       {"\u4F60\u597D\uFF0C\u4E16\u754C\u3002", "Hello, big (old) world! 5%", "\u4F60\u597Dnew world\u4E16\u754C", ""})
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text)), text);
  EXPECT_EQ(tokenizer->decode(std::vector<std::string>{"a", "<unk>"}), "a \u2047");
}

TEST(WordTokenizer, LowersTextAndWords) {
  const auto tokenizer = make_word_tokenizer(make_word_list("T\u6064 3", WordPath::kLongest, true, "list"), "blob");
  EXPECT_THAT(tokenizer->encode("T\u6064 ABC"), ElementsAre("t\u6064", "abc"));
  EXPECT_EQ(make_text_tokenizer(tokenizer->blob(), "x")->blob(), tokenizer->blob());
}

TEST(WordList, ReadsForeignFormats) {
  const std::string rime =
      "\xEF\xBB\xBF# comment\n---\nname: x\n...\n\u4F60\u597D\tni hao\t523\n\u4F60\u597D\tx\t7\r\n";
  EXPECT_EQ(make_word_list(rime, WordPath::kLongest, false, "list"), "#litenat-words 1 longest\n\u4F60\u597D 530\n");
  EXPECT_EQ(make_word_list("\u7684 31 uj\n\nb\n", WordPath::kLikeliest, true, "list"),
            "#litenat-words 1 likeliest lower\nb 1\n\u7684 31\n");
}

TEST(WordList, RefusesDamage) {
  const auto error = [](const std::string& text) {
    try {
      make_word_list(text, WordPath::kLongest, false, "list");
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(error(""), HasSubstr("list: expected a word a line"));
  EXPECT_THAT(error("a 1\n\xFF 2\n"), HasSubstr("list:2: expected UTF-8"));
  EXPECT_THAT(error("a 99999999999999999999999\n"), HasSubstr("list:1: expected a count of at most 2^40"));
  EXPECT_THAT(error(std::string(300, 'x')), HasSubstr("at most 256 bytes"));
  EXPECT_THAT(error_of("#litenat-words 1 best\na 1\n"), HasSubstr("file.model:1: expected the head"));
  EXPECT_THAT(error_of("#litenat-words 1 longest\n"), HasSubstr("file.model: expected words"));
  EXPECT_THAT(error_of("#litenat-words 1 longest\na 1\n\xC0 1"), HasSubstr("file.model:3: expected UTF-8"));
}

TEST(PairTokenizer, EncodesOneSideAndDecodesTheOther) {
  const std::string list = make_word_list("\u4F60\u597D 9", WordPath::kLongest, false, "list");
  const std::string blob = make_pair_tokenizer(make_whitespace_tokenizer(), make_text_tokenizer(list, "list"))->blob();
  EXPECT_EQ(blob, "#litenat-pair 1 0 " + std::to_string(list.size()) + "\n" + list);
  const auto pair = make_text_tokenizer(blob, "pair");
  EXPECT_THAT(pair->encode("\u4F60\u597D\u4F60\u597D a"), ElementsAre("\u4F60\u597D\u4F60\u597D", "a"));
  EXPECT_EQ(pair->decode(std::vector<std::string>{"\u4F60\u597D", "\u4F60"}), "\u4F60\u597D\u4F60");
  EXPECT_EQ(pair->blob(), blob);
  EXPECT_THAT(error_of(blob.substr(0, blob.size() - 1)), HasSubstr("file.model: expected a pair of tokenizers"));
  EXPECT_THAT(error_of("#litenat-pair 1 9999999999999999999999 1\n"), HasSubstr("found one that is damaged"));
  EXPECT_THAT(error_of("#litenat-pair 1 "), HasSubstr("found one that is damaged"));
  EXPECT_THAT(error_of("#litenat-pair 1 5 0\nhello"), HasSubstr("file.model: expected a SentencePiece model"));
  EXPECT_THAT(error_of("#litenat-pair 1 " + std::to_string(blob.size()) + " 0\n" + blob), HasSubstr("a pair inside"));
}

using LoadTokenizerTest = TemporaryFolder;

TEST_F(LoadTokenizerTest, ReadsFilesAndNamesBadOnes) {
  const std::string blob = make_word_list("ab 3", WordPath::kLongest, false, "list");
  EXPECT_THAT(load_text_tokenizer(write("words", blob))->encode("ab"), ElementsAre("ab"));
  EXPECT_THROW(load_text_tokenizer(path("nothing")), Error);
  EXPECT_THROW(load_text_tokenizer(write("empty", "")), Error);
  EXPECT_THAT(error_of("hello"), HasSubstr("file.model: expected a SentencePiece model or a word list"));
}

}  // namespace
}  // namespace litenat::data
