#include "cli/sequence_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/sequence_batches.h"

namespace litenat::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int32_t kUnk = 3;

TEST(AddSpecials, AreThoseOfTheFamily) {
  EXPECT_THAT(add_specials({7, 8}, /*autoregressive=*/true), ElementsAre(7, 8, 2));
  EXPECT_THAT(add_specials({7, 8}, /*autoregressive=*/false), ElementsAre(0, 7, 8, 2));
  EXPECT_THAT(add_specials({}, /*autoregressive=*/true), ElementsAre(2));
}

TEST(DropSpecials, LeavesUnknownTokens) { EXPECT_THAT(drop_specials({0, 7, 2, 3, 1, 8}), ElementsAre(7, 3, 8)); }

TEST(CopyUnknownWords, InOrderWhereThereAreAsMany) {
  const SourceSentence source = {{"the", "Zurg", "saw", "Yoda"}, {4, kUnk, 5, kUnk}};
  EXPECT_THAT(copy_unknown_words({"<unk>", "<unk>", "x"}, {kUnk, kUnk, 9}, source), ElementsAre("Zurg", "Yoda", "x"));
}

TEST(CopyUnknownWords, TheNearestWhereThereAreNot) {
  const SourceSentence source = {{"Zurg", "saw", "the", "Yoda"}, {kUnk, 5, 4, kUnk}};
  EXPECT_THAT(copy_unknown_words({"a", "b", "<unk>"}, {8, 9, kUnk}, source), ElementsAre("a", "b", "Yoda"));
  EXPECT_THAT(copy_unknown_words({"<unk>", "b", "c"}, {kUnk, 8, 9}, source), ElementsAre("Zurg", "b", "c"));
  EXPECT_THAT(copy_unknown_words({"<unk>", "<unk>", "<unk>"}, {kUnk, kUnk, kUnk}, source),
              ElementsAre("Zurg", "Zurg", "Yoda"));
  const SourceSentence one = {{"the", "Zurg"}, {4, kUnk}};
  EXPECT_THAT(copy_unknown_words({"<unk>", "<unk>"}, {kUnk, kUnk}, one), ElementsAre("Zurg", "Zurg"));
}

TEST(CopyUnknownWords, DropsWhatTheSourceDoesNotExplain) {
  const SourceSentence known = {{"the", "cat"}, {4, 5}};
  EXPECT_THAT(copy_unknown_words({"a", "<unk>", "b"}, {8, kUnk, 9}, known), ElementsAre("a", "b"));
  EXPECT_THAT(copy_unknown_words({"a", "b"}, {8, 9}, known), ElementsAre("a", "b"));
  EXPECT_THAT(copy_unknown_words({"<unk>"}, {kUnk}, {}), IsEmpty());
}

TEST(MakeBatches, GroupsByLengthAndLosesNothing) {
  const std::vector<size_t> lengths = {3, 9, 4, 4, 1, 12, 2};
  const auto batches = make_batches(lengths, 10);
  EXPECT_THAT(batches, ElementsAre(ElementsAre(5), ElementsAre(1), ElementsAre(2, 3), ElementsAre(0, 6, 4)));
  EXPECT_EQ(make_batches(lengths, 1).size(), lengths.size());
  EXPECT_EQ(make_batches(lengths, 1000).size(), 1u);
  EXPECT_THAT(make_batches({}, 10), IsEmpty());
}

TEST(JoinTokens, PutsBlanksBetween) {
  EXPECT_EQ(join_tokens({"a", "b"}), "a b");
  EXPECT_EQ(join_tokens({}), "");
}

}  // namespace
}  // namespace litenat::cli
