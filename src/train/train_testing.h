// Tiny data sets for the tests of training.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "data/indexed_dataset.h"
#include "format/container.h"
#include "text/dictionary.h"
#include "text/lexicon.h"
#include "text/syllables.h"
#include "train/train_config.h"

namespace litenat::train::testing {

/// A folder that goes away with the object.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name)
      : path_((std::filesystem::temp_directory_path() / (name + "." + std::to_string(getpid()))).string()) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Syllables of the toy language, each with two characters; which of them is meant depends on the syllable before it.
inline const std::vector<std::string>& toy_syllables() {
  static const std::vector<std::string> syllables = {"ni", "hao", "zhong", "guo", "shi", "ren", "a", "xian"};
  return syllables;
}
inline const std::vector<std::string>& toy_characters() {
  static const std::vector<std::string> characters = {"你", "尼", "好", "号", "中", "重", "国", "果",
                                                      "是", "十", "人", "认", "啊", "阿", "先", "线"};
  return characters;
}

inline void write_lines(const std::string& path, const text::Dictionary& dictionary) {
  std::ofstream(path) << dictionary.to_text();
}

/// Writes `sentences` clauses of split `split` into `folder`.
inline void write_toy_split(const std::string& folder, const std::string& split, int sentences, uint64_t seed,
                            const text::Dictionary& pinyin, const text::Dictionary& hanzi) {
  data::IndexedDatasetWriter source(folder + "/" + split + ".pinyin-hanzi.pinyin", pinyin.size());
  data::IndexedDatasetWriter target(folder + "/" + split + ".pinyin-hanzi.hanzi", hanzi.size());
  throw_if_error(source.open());
  throw_if_error(target.open());
  SplitMix64 random(seed);
  for (int i = 0; i < sentences; ++i) {
    std::vector<int32_t> syllables, characters;
    size_t previous = 0;
    for (uint64_t t = 0, length = 2 + random.below(8); t < length; ++t) {
      const size_t syllable = random.below(toy_syllables().size());
      syllables.push_back(pinyin.find(toy_syllables()[syllable]));
      characters.push_back(hanzi.find(toy_characters()[2 * syllable + previous % 2]));
      previous = syllable;
    }
    syllables.push_back(text::kEos);
    characters.push_back(text::kEos);
    throw_if_error(source.add(syllables));
    throw_if_error(target.add(characters));
  }
  throw_if_error(source.commit());
  throw_if_error(target.commit());
}

/// A data folder with train and valid splits, dictionaries and resources.litenat.
inline void write_toy_data(const std::string& folder, int train_sentences, int valid_sentences) {
  text::Dictionary pinyin, hanzi;
  for (const std::string& syllable : toy_syllables()) pinyin.add(syllable, 100);
  for (const std::string& character : toy_characters()) hanzi.add(character, 100);
  pinyin.finalize(0, 0, 1);
  hanzi.finalize(0, 0, 1);
  write_lines(folder + "/dict.pinyin.txt", pinyin);
  write_lines(folder + "/dict.hanzi.txt", hanzi);
  write_toy_split(folder, "train", train_sentences, 1, pinyin, hanzi);
  write_toy_split(folder, "valid", valid_sentences, 2, pinyin, hanzi);
  std::vector<text::LexiconEntry> entries;
  for (size_t i = 0; i < toy_characters().size(); ++i)
    entries.push_back({toy_characters()[i], {text::find_syllable(toy_syllables()[i / 2])}, 1});
  const text::LexiconBuild build = value_or_throw(text::build_lexicon(entries, hanzi));
  const std::string dictionary = hanzi.to_text();
  format::ContainerWriter writer;
  writer.add_copy("text.target_dictionary", format::TensorType::kU8, {static_cast<int64_t>(dictionary.size())},
                  dictionary.data(), dictionary.size());
  writer.add_copy("text.lexicon", format::TensorType::kU8, {static_cast<int64_t>(build.blob.size())}, build.blob.data(),
                  build.blob.size());
  throw_if_error(writer.write(folder + "/resources.litenat"));
}

/// A model of some thousand weights and a short run.
inline TrainConfig toy_config(const std::string& data_folder) {
  TrainConfig config;
  config.data.dir = data_folder;
  config.data.batch.max_tokens = 128;
  config.model.input = graph::InputKind::kUnits;
  config.model.dim = 16;
  config.model.encoder.blocks.resize(1);
  config.model.encoder.blocks[0].conv.heads = 2;
  config.model.encoder.blocks[0].ffn_dim = 16;
  config.optimizer.lr = 0.01;
  config.schedule.kind = ScheduleKind::kConstant;
  config.schedule.warmup_updates = 5;
  config.train.max_updates = 40;
  config.train.validate_every = 20;
  config.train.save_every = 10;
  config.train.log_every = 4;
  config.train.device = "cpu";
  config.train.ema_decay = 0.9;
  return config;
}

}  // namespace litenat::train::testing
