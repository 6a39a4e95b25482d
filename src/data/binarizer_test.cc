#include "data/binarizer.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "base/error.h"
#include "base/random.h"
#include "data/binarizer_tokens.h"
#include "data/indexed_dataset.h"
#include "data/ordered_parallel.h"
#include "data/temporary_folder_test.h"

namespace litenat::data {
namespace {

using Lines = std::vector<std::vector<std::string>>;

struct Collector {
  Lines lines;
  std::vector<std::string> open;
  void add_token(std::string_view token) { open.emplace_back(token); }
  void end_line() {
    lines.push_back(std::move(open));
    open.clear();
  }
};

Lines tokens_of(std::string_view text) {
  Collector collector;
  EXPECT_EQ(for_each_token(text, &collector), text.size());
  EXPECT_TRUE(collector.open.empty());
  return collector.lines;
}

TEST(ForEachToken, SplitsLinesAndSpaceAsPythonDoes) {
  EXPECT_EQ(tokens_of(""), Lines{});
  EXPECT_EQ(tokens_of("a b"), (Lines{{"a", "b"}}));
  EXPECT_EQ(tokens_of("a b\n"), (Lines{{"a", "b"}}));
  EXPECT_EQ(tokens_of("\n\n x \r\ny\rz\r\r\n"), (Lines{{}, {}, {"x"}, {"y"}, {"z"}, {}}));
  EXPECT_EQ(tokens_of("a\tb\x0B"
                      "c\x0C"
                      "d\x1C"
                      "e\x1D"
                      "f\x1E"
                      "g\x1Fh"),
            (Lines{{"a", "b", "c", "d", "e", "f", "g", "h"}}));
  EXPECT_EQ(tokens_of("a\xC2\xA0"
                      "b\xE3\x80\x80"
                      "c\xC2\x85"
                      "d\xE2\x80\xA8"
                      "e"),
            (Lines{{"a", "b", "c", "d", "e"}}));
  EXPECT_EQ(tokens_of("\xE2\x80\x8B\xEF\xBB\xBF \xE4\xBD\xA0\xE5\xA5\xBD"),
            (Lines{{"\xE2\x80\x8B\xEF\xBB\xBF", "\xE4\xBD\xA0\xE5\xA5\xBD"}}));
  EXPECT_EQ(tokens_of(std::string_view("a\0b \0", 5)), (Lines{{std::string("a\0b", 3), std::string(1, '\0')}}));
}

TEST(ForEachToken, StopsAtBadUtf8) {
  for (const std::string bad : {"\xFF", "\x80", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE4\xBD"}) {
    Collector collector;
    EXPECT_EQ(for_each_token("ab\nc" + bad, &collector), 4u) << bad;
    EXPECT_EQ(collector.lines, (Lines{{"ab"}}));
  }
}

TEST(SplitAtLineEnds, CutsNowhereElse) {
  const std::string text = "ab\r\n\r\rcdef\n\nlast";
  for (size_t bytes = 1; bytes < 20; ++bytes) {
    std::string joined;
    Lines lines;
    for (const std::string_view piece : split_at_line_ends(text, bytes)) {
      joined += piece;
      for (auto& line : tokens_of(piece)) lines.push_back(line);
    }
    EXPECT_EQ(joined, text);
    EXPECT_EQ(lines, tokens_of(text)) << bytes;
  }
  EXPECT_EQ(split_at_line_ends("a\nb\nc", 1), (std::vector<std::string_view>{"a\n", "b\n", "c"}));
  EXPECT_TRUE(split_at_line_ends("", 4).empty());
}

TEST(OrderedParallel, FinishesInOrder) {
  for (const int threads : {1, 2, 5}) {
    std::vector<size_t> order;
    ordered_parallel(100, threads, [&](size_t i, size_t thread) {
      EXPECT_LT(thread, static_cast<size_t>(threads));
      return [&order, i] { order.push_back(i); };
    });
    ASSERT_EQ(order.size(), 100u);
    for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i);
  }
}

TEST(OrderedParallel, ThrowsTheFirstErrorInOrder) {
  for (const int threads : {1, 3}) {
    size_t finished = 0;
    const auto work = [&](size_t i, size_t) -> std::function<void()> {
      if (i == 7) throw std::runtime_error("seven");
      return [&finished, i] {
        if (i == 9) throw std::runtime_error("nine");
        ++finished;
      };
    };
    try {
      ordered_parallel(20, threads, work);
      ADD_FAILURE();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "seven");
    }
    EXPECT_EQ(finished, 7u);
  }
}

class BinarizerTest : public TemporaryFolder {
 protected:
  /// About 3 MB, so that it is cut into several pieces.
  std::string write_large() const {
    SplitMix64 random(5);
    std::string text;
    while (text.size() < (3u << 20)) {
      for (uint64_t n = random.below(30); n > 0; --n) text += "w" + std::to_string(random.below(3000)) + " ";
      text += random.below(9) == 0 ? "\r\n" : "\n";
    }
    return write("large.txt", text);
  }
  static std::string error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(BinarizerTest, CountsAndEncodes) {
  const std::string input = write("in.txt", "b a b\n\n<unk> nothing b");
  text::Dictionary dictionary;
  count_tokens(input, 1, &dictionary);
  EXPECT_EQ(dictionary.count(dictionary.find("b")), 3);
  EXPECT_EQ(dictionary.count(text::kEos), 4);  // 1 for being there and 3 lines
  dictionary.finalize(0, 6, 1);
  EXPECT_EQ(dictionary.to_text(), "b 3\na 1\n");
  const BinarizeSummary summary = binarize_file(input, dictionary, path("out"), 1);
  EXPECT_EQ(summary.num_sentences, 3);
  EXPECT_EQ(summary.num_tokens, 9);
  EXPECT_EQ(summary.num_replaced, 1);  // <unk> itself is not replaced
  const auto set = IndexedDataset::open(path("out"));
  ASSERT_TRUE(set.ok()) << set.status().message();
  std::vector<int32_t> ids;
  set.value()->read(0, &ids);
  EXPECT_EQ(ids, (std::vector<int32_t>{4, 5, 4, 2}));
  set.value()->read(1, &ids);
  EXPECT_EQ(ids, std::vector<int32_t>{2});
  set.value()->read(2, &ids);
  EXPECT_EQ(ids, (std::vector<int32_t>{3, 3, 4, 2}));
}

TEST_F(BinarizerTest, DoesNotDependOnThreads) {
  const std::string input = write_large();
  std::string dictionary_text, data, index;
  for (const int threads : {1, 2, 7}) {
    text::Dictionary dictionary;
    int64_t counted = 0;
    count_tokens(input, threads, &dictionary, [&](int64_t done) {
      EXPECT_GT(done, counted);
      counted = done;
    });
    EXPECT_EQ(counted, static_cast<int64_t>(std::filesystem::file_size(input)));
    dictionary.finalize(0, -1, 8);
    binarize_file(input, dictionary, path("out"), threads);
    if (threads == 1) {
      dictionary_text = dictionary.to_text();
      data = read_file(path("out.bin"));
      index = read_file(path("out.idx"));
    }
    EXPECT_EQ(dictionary.to_text(), dictionary_text);
    EXPECT_TRUE(read_file(path("out.bin")) == data);
    EXPECT_TRUE(read_file(path("out.idx")) == index);
  }
}

TEST_F(BinarizerTest, WritesWideIdsForLargeDictionaries) {
  text::Dictionary dictionary;
  for (int i = 0; i < 66000; ++i) dictionary.add("t" + std::to_string(i), 1);
  binarize_file(write("in.txt", "t65999 t0\n"), dictionary, path("out"), 1);
  EXPECT_EQ(std::filesystem::file_size(path("out.bin")), 12u);
  const auto set = IndexedDataset::open(path("out"));
  ASSERT_TRUE(set.ok()) << set.status().message();
  std::vector<int32_t> ids;
  set.value()->read(0, &ids);
  EXPECT_EQ(ids, (std::vector<int32_t>{66003, 4, 2}));
}

TEST_F(BinarizerTest, AcceptsAnEmptyFile) {
  const std::string input = write("in.txt", "");
  text::Dictionary dictionary;
  count_tokens(input, 2, &dictionary);
  EXPECT_EQ(binarize_file(input, dictionary, path("out"), 2).num_sentences, 0);
  EXPECT_EQ(std::filesystem::file_size(path("out.idx")), 26u);
}

TEST_F(BinarizerTest, NamesFileAndLineOfBadUtf8) {
  std::string text;
  for (int i = 0; i < 400000; ++i) text += i % 2 == 0 ? "line\n" : "line\r\n";
  const std::string input = write("in.txt", text + "bad \xFF\n" + text);
  for (const int threads : {1, 3}) {
    text::Dictionary dictionary;
    const std::string expected = input + ":400001: expected UTF-8, found the byte 0xFF (byte 2200004 of the file)";
    EXPECT_EQ(error_of([&] { count_tokens(input, threads, &dictionary); }), expected);
    EXPECT_EQ(error_of([&] { binarize_file(input, dictionary, path("out"), threads); }), expected);
  }
  EXPECT_EQ(names_in(folder_.string()), std::set<std::string>{"in.txt"});
  EXPECT_EQ(error_of([&] { binarize_file(path("absent"), {}, path("out"), 1); }),
            "cannot open " + path("absent") + ": No such file or directory");
}

}  // namespace
}  // namespace litenat::data
