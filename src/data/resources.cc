#include "data/resources.h"

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/mapped_file.h"
#include "data/segmenter.h"
#include "format/container.h"

namespace litenat::data {
namespace {

using text::WordId;

std::string_view as_text(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

// The steps of build_resources, in order.
class ResourceBuilder {
 public:
  ResourceBuilder(const ResourceSettings& settings, std::function<void(const std::string&)> progress)
      : settings_(settings), progress_(std::move(progress)) {}

  void read(const std::string& target_dictionary, const std::vector<std::string>& words, const std::string& prefix) {
    const auto file = value_or_throw(MappedFile::open(target_dictionary));
    dictionary_text_ = as_text(*file);
    targets_ = value_or_throw(text::Dictionary::parse(dictionary_text_, target_dictionary));
    targets_name_ = target_dictionary;
    for (const std::string& path : words) {
      const auto list = value_or_throw(MappedFile::open(path));
      const WordListReport read = read_word_list(as_text(*list), path, &entries_);
      say(path + ": " + std::to_string(read.rows) + " rows, " + std::to_string(read.skipped) + " left out");
      report_.skipped_entries += read.skipped;
    }
    text_ = read_annotated_text(prefix, targets_);
    report_.num_clauses = static_cast<int64_t>(text_.num_clauses());
    if (text_.num_clauses() == 0)
      throw Error(prefix + ".hanzi: is empty, expected one clause a line (`litenat corpus ime` writes them)");
    say(prefix + ": " + std::to_string(text_.num_clauses()) + " clauses, " + std::to_string(text_.characters.size()) +
        " hanzi");
  }

  void build_lexicon() {
    entries_ = merge_readings(entries_, text_, targets_);
    lexicon_build_ = value_or_throw(text::build_lexicon(entries_, targets_));
    lexicon_ = value_or_throw(text::Lexicon::parse(lexicon_build_.blob, "lexicon"));
    report_.num_words = static_cast<int64_t>(lexicon_build_.words.size());
    if (report_.num_words == 0)
      throw Error("no word is left: none of the rows has hanzi of " + targets_name_ +
                  " alone; is that the dictionary of the hanzi, and are these word lists?");
    report_.skipped_entries += lexicon_build_.skipped_entries;
    report_.unreadable = lexicon_build_.unreadable;
    say("lexicon: " + std::to_string(report_.num_words) + " words, " + std::to_string(report_.unreadable.size()) +
        " targets without a reading");
  }

  // Frequencies come from the lists first, then from counting the words of the segmented text.
  void build_word_model() {
    const std::vector<double> listed = listed_weights();
    Segmenter segmenter(lexicon_, listed);
    for (int round = 0; round < settings_.segmentation_rounds; ++round) {
      std::vector<double> counts(lexicon_.num_words());
      for_each_clause(segmenter, [&](const std::vector<WordId>& words) {
        for (const WordId word : words) {
          if (word != text::kNoWord) ++counts[word];
        }
      });
      segmenter.set_weights(counts);
    }
    NgramCounter counter(lexicon_.num_words(), settings_.words.order);
    for_each_clause(segmenter, [&](const std::vector<WordId>& words) {
      counter.add(words);
      report_.num_tokens += static_cast<int64_t>(words.size());
    });
    say("words: " + std::to_string(report_.num_tokens) + " in the text");
    std::vector<double> base = listed;
    for (double& weight : base) weight += 0.5;
    pack(estimate_kneser_ney(std::move(counter), settings_.words, base), "text.word_ngram", &report_.word_ngrams);
  }

  void import_word_model(const std::string& path) {
    const auto file = value_or_throw(MappedFile::open(path));
    std::unordered_map<std::string_view, uint32_t> ids;
    for (size_t i = 0; i < lexicon_build_.words.size(); ++i) {
      ids.emplace(lexicon_build_.words[i], static_cast<uint32_t>(i));
    }
    BackoffModel model = read_arpa(as_text(*file), path, lexicon_.num_words(), [&](std::string_view word) {
      const auto found = ids.find(word);
      return found == ids.end() ? UINT32_MAX : found->second;
    });
    if (settings_.words.max_bytes > 0) prune_to_size(&model, settings_.words.max_bytes);
    pack(model, "text.word_ngram", &report_.word_ngrams);
  }

  void build_unit_model() {
    NgramCounter counter(static_cast<uint32_t>(text::kFirstUnit + text::num_units()), settings_.units.order);
    const size_t count = text_.num_clauses();
    const size_t stride = std::max<size_t>(1, count / static_cast<size_t>(settings_.unit_clauses));
    std::vector<uint32_t> ids;
    for (size_t clause = 0; clause < count; clause += stride) {
      SplitMix64 random(static_cast<uint64_t>(settings_.seed), clause);
      for (int sample = 0; sample < settings_.unit_samples; ++sample) {
        const auto units = sample_mixture(text_.clause_syllables(clause), settings_.keys, &random);
        ids.assign(units.begin(), units.end());
        counter.add(ids);
      }
      if (clause % 4096 == 0) throw_if_interrupted();
    }
    pack(estimate_kneser_ney(std::move(counter), settings_.units), "text.unit_ngram", &report_.unit_ngrams);
  }

  ResourceReport write(const std::string& output) {
    add("text.target_dictionary", dictionary_text_.data(), dictionary_text_.size());
    add("text.lexicon", lexicon_build_.blob.data(), lexicon_build_.blob.size());
    throw_if_error(writer_.write(output));
    return std::move(report_);
  }

 private:
  void say(const std::string& what) const {
    if (progress_) progress_(what);
  }

  // Total weight by word id: the order of the lexicon tells no numbers.
  std::vector<double> listed_weights() const {
    std::unordered_map<std::string_view, double> totals;
    for (const auto& entry : entries_) totals[entry.word] += entry.weight;
    std::vector<double> weights;
    for (const std::string& word : lexicon_build_.words) weights.push_back(totals[word]);
    return weights;
  }

  template <typename Function>
  void for_each_clause(const Segmenter& segmenter, const Function& visit) const {
    std::vector<WordId> words;
    for (size_t i = 0; i < text_.num_clauses(); ++i) {
      words.clear();
      segmenter.segment(text_.clause_characters(i), text_.clause_syllables(i), &words);
      visit(words);
      if (i % 65536 == 0) throw_if_interrupted();
    }
  }

  void pack(const BackoffModel& model, const std::string& name, std::vector<uint64_t>* counts) {
    const std::vector<uint8_t> blob = pack_ngrams(model);
    std::string sizes;
    for (const auto& level : model.levels) {
      counts->push_back(level.ids.size());
      sizes += " " + std::to_string(level.ids.size());
    }
    say(name + ":" + sizes + " n-grams, " + std::to_string(blob.size()) + " bytes");
    add(name, blob.data(), blob.size());
  }

  void add(const std::string& name, const void* data, size_t size) {
    writer_.add_copy(name, format::TensorType::kU8, {static_cast<int64_t>(size)}, data, size);
    report_.bytes[name] = static_cast<int64_t>(size);
  }

  const ResourceSettings& settings_;
  std::function<void(const std::string&)> progress_;
  std::string dictionary_text_;
  text::Dictionary targets_;
  std::string targets_name_;
  std::vector<text::LexiconEntry> entries_;
  AnnotatedText text_;
  text::LexiconBuild lexicon_build_;
  text::Lexicon lexicon_;
  format::ContainerWriter writer_;
  ResourceReport report_;
};

}  // namespace

ResourceReport build_resources(const std::string& target_dictionary, const std::vector<std::string>& words,
                               const std::string& text_prefix, const std::string& arpa,
                               const ResourceSettings& settings, const std::string& output,
                               const std::function<void(const std::string&)>& progress) {
  ResourceBuilder builder(settings, progress);
  builder.read(target_dictionary, words, text_prefix);
  builder.build_lexicon();
  if (arpa.empty()) {
    builder.build_word_model();
  } else {
    builder.import_word_model(arpa);
  }
  builder.build_unit_model();
  return builder.write(output);
}

}  // namespace litenat::data
