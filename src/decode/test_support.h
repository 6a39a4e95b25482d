// Small dictionaries, lexicons and n-gram models for the tests of this folder.
#pragma once

#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/utf8.h"
#include "decode/ime_decoder.h"
#include "text/lexicon.h"

namespace litenat::decode::testing {

/// A lexicon of lines "word syllable syllable... weight" and the dictionary of its characters.
struct TestLexicon {
  text::Dictionary targets;
  std::vector<uint8_t> blob;
  std::vector<std::string> words;
  text::Lexicon lexicon;
};

inline std::vector<text::LexiconEntry> parse_entries(const std::string& lines) {
  std::vector<text::LexiconEntry> entries;
  std::istringstream stream(lines);
  for (std::string line; std::getline(stream, line);) {
    std::istringstream fields(line);
    text::LexiconEntry entry;
    fields >> entry.word;
    for (size_t i = 0; i < split_characters(entry.word).size(); ++i) {
      std::string syllable;
      fields >> syllable;
      entry.syllables.push_back(text::find_syllable(syllable));
    }
    fields >> entry.weight;
    if (!entry.word.empty()) entries.push_back(entry);
  }
  return entries;
}

inline std::unique_ptr<TestLexicon> make_lexicon(const std::vector<text::LexiconEntry>& entries) {
  auto result = std::make_unique<TestLexicon>();
  for (const auto& entry : entries) {
    for (const auto character : split_characters(entry.word))
      result->targets.add(character, static_cast<int64_t>(entry.weight));
  }
  auto build = text::build_lexicon(entries, result->targets);
  result->blob = std::move(build.value().blob);
  result->words = std::move(build.value().words);
  result->lexicon = text::Lexicon::parse(result->blob, "test").value();
  return result;
}

inline constexpr const char* kSmallLexicon = R"(你 ni 100
好 hao 90
好 hao 80
号 hao 10
泥 ni 3
妈 ma 20
吗 ma 40
马 ma 15
中 zhong 50
国 guo 45
先 xian 30
西 xi 35
安 an 33
现 xian 28
在 zai 60
再 zai 20
略 lve 2
侵 qin 4
的 de 200
的 di 5
地 de 40
地 di 60
战 zhan 7
你好 ni hao 70
中国 zhong guo 66
西安 xi an 12
现在 xian zai 50
侵略 qin lve 3
你好吗 ni hao ma 9
好吗 hao ma 8
)";

/// Emissions from a seed, the same for equal rows of equal ids; optional boundary logits and transitions.
class FakeEngine : public TaggerEngine {
 public:
  explicit FakeEngine(int32_t num_targets) : num_targets_(num_targets) {}
  Result<Output> run(Span<const int32_t> ids, Span<const int32_t> lengths) override {
    ++num_runs;
    num_sentences = lengths.size();
    emissions_.clear();
    boundary_.clear();
    for (const int32_t id : ids) {
      for (int32_t t = 0; t < num_targets_; ++t) emissions_.push_back(emission(id, t));
      if (has_boundary) boundary_.push_back(0.5F);
    }
    return Output{emissions_, boundary_};
  }
  static float emission(int32_t id, int32_t target) {
    return static_cast<float>((static_cast<uint32_t>(id) * 2654435761u ^ static_cast<uint32_t>(target) * 40503u) %
                              1000u) /
           250.0F;
  }
  float transition(int32_t a, int32_t b) const override { return static_cast<float>((a * 7 + b * 13) % 11) / 10.0F; }
  bool has_transitions() const override { return has_crf; }

  bool has_boundary = false;
  bool has_crf = false;
  int num_runs = 0;
  size_t num_sentences = 0;

 private:
  int32_t num_targets_;
  std::vector<float> emissions_;
  std::vector<float> boundary_;
};

}  // namespace litenat::decode::testing
