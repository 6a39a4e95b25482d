#include "data/preprocess.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/log.h"
#include "data/staged_folder.h"

namespace litenat::data {
namespace {

namespace fs = std::filesystem;
using text::Dictionary;
using DictionaryPtr = std::shared_ptr<const Dictionary>;

/// fairseq names a file of no language by the prefix alone.
std::string with_language(const std::string& prefix, const std::string& language) {
  return language.empty() ? prefix : prefix + "." + language;
}

std::string dictionary_name(const std::string& language) { return with_language("dict", language) + ".txt"; }

/// One text to binarize: "train", "valid", "valid1", ... and the prefix of its files.
struct Split {
  std::string name, prefix;
};

void add_splits(const std::string& name, const std::string& prefixes, std::vector<Split>* splits) {
  for (size_t begin = 0, k = 0; !prefixes.empty() && begin <= prefixes.size(); ++k) {
    const size_t end = std::min(prefixes.find(',', begin), prefixes.size());
    splits->push_back({k > 0 ? name + std::to_string(k) : name, prefixes.substr(begin, end - begin)});
    begin = end + 1;
  }
}

class Preprocessor {
 public:
  Preprocessor(const PreprocessOptions& options, const FileObserver& observer)
      : options_(options), observer_(observer) {
    if (!options.trainpref.empty()) splits_.push_back({"train", options.trainpref});
    add_splits("valid", options.validpref, &splits_);
    add_splits("test", options.testpref, &splits_);
  }

  PreprocessReport run() {
    check_options();
    check_inputs();
    StagedFolder folder(options_.destdir);
    staging_ = folder.path();
    DictionaryPtr source, target;
    make_dictionaries(&source, &target);
    save_dictionary(options_.source_lang, *source);
    if (target) save_dictionary(options_.target_lang, *target);
    if (!options_.dict_only) {
      binarize_all(options_.source_lang, *source);
      if (target) binarize_all(options_.target_lang, *target);
      compare_sides();
    }
    folder.commit();
    return std::move(report_);
  }

 private:
  bool has_target() const { return !options_.only_source; }

  void check_options() const {
    const PreprocessOptions& o = options_;
    if (has_target() && (o.source_lang.empty() || o.target_lang.empty()))
      throw UsageError("--source-lang and --target-lang are required, unless --only-source is given");
    if (has_target() && o.source_lang == o.target_lang)
      throw UsageError("both languages are \"" + o.source_lang + "\", so their files would have the same names");
    if (o.joined_dictionary && !o.srcdict.empty() && !o.tgtdict.empty())
      throw UsageError("--joined-dictionary takes --srcdict or --tgtdict, not both");
    const bool builds_source = o.srcdict.empty() && !(o.joined_dictionary && !o.tgtdict.empty());
    const bool builds_target = has_target() && o.tgtdict.empty() && !o.joined_dictionary;
    if (o.trainpref.empty() && (builds_source || builds_target))
      throw UsageError(std::string("--trainpref is required without ") + (builds_source ? "--srcdict" : "--tgtdict"));
    check_size("--nwordssrc", o.nwords_source);
    check_size("--nwordstgt", o.nwords_target);
    if (splits_.empty()) throw UsageError("nothing to do: give --trainpref, --validpref or --testpref");
    check_destination(o.srcdict, o.source_lang);
    if (has_target()) check_destination(o.tgtdict, o.target_lang);
  }

  /// fairseq takes every number: 0 and below for no limit, 1 to 3 for a dictionary of fewer ids than it has.
  static void check_size(const std::string& flag, int64_t size) {
    if (size != -1 && size < text::kNumSpecials)
      throw UsageError(flag + ": expected -1 (no limit) or at least the " + std::to_string(text::kNumSpecials) +
                       " specials, found " + std::to_string(size));
  }

  /// A dictionary that is there must not be replaced by one built from other text.
  void check_destination(const std::string& given, const std::string& language) const {
    const fs::path path = fs::path(options_.destdir) / dictionary_name(language);
    std::error_code error;
    if (given.empty() && fs::exists(path, error))
      throw Error(path.string() + " exists; give another --destdir, or use it with --srcdict/--tgtdict");
  }

  std::vector<std::string> languages() const {
    std::vector<std::string> result{options_.source_lang};
    if (has_target()) result.push_back(options_.target_lang);
    return result;
  }

  /// Finds files that are missing now rather than in an hour.
  void check_inputs() const {
    for (const Split& split : splits_)
      for (const std::string& language : languages()) {
        const std::string path = with_language(split.prefix, language);
        std::error_code error;
        if (!fs::exists(path, error)) throw Error("cannot open " + path + ": no such file (--" + flag_of(split) + ")");
        if (!fs::is_regular_file(path, error)) throw Error(path + ": expected a regular file, found something else");
      }
  }

  static std::string flag_of(const Split& split) {
    return split.name.substr(0, split.name.find_first_of("0123456789")) + "pref";
  }

  BytesDone observe(const std::string& activity, const std::string& path) const {
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    return observer_ ? observer_(activity, path, error ? 0 : static_cast<int64_t>(bytes)) : BytesDone();
  }

  DictionaryPtr load(const std::string& path) const {
    return std::make_shared<const Dictionary>(value_or_throw(Dictionary::load(path)));
  }

  DictionaryPtr build(std::vector<std::string> languages, int64_t threshold, int64_t nwords) const {
    auto dictionary = std::make_shared<Dictionary>();
    languages.erase(std::unique(languages.begin(), languages.end()), languages.end());
    for (const std::string& language : languages) {
      const std::string path = with_language(options_.trainpref, language);
      count_tokens(path, options_.workers, dictionary.get(), observe("dictionary", path));
    }
    dictionary->finalize(threshold, nwords, options_.padding_factor);
    return dictionary;
  }

  void make_dictionaries(DictionaryPtr* source, DictionaryPtr* target) const {
    const PreprocessOptions& o = options_;
    if (o.joined_dictionary) {
      const std::string& given = o.srcdict.empty() ? o.tgtdict : o.srcdict;
      *source =
          given.empty() ? build({o.source_lang, o.target_lang}, o.threshold_source, o.nwords_source) : load(given);
      if (has_target()) *target = *source;
      return;
    }
    *source = o.srcdict.empty() ? build({o.source_lang}, o.threshold_source, o.nwords_source) : load(o.srcdict);
    if (has_target())
      *target = o.tgtdict.empty() ? build({o.target_lang}, o.threshold_target, o.nwords_target) : load(o.tgtdict);
  }

  std::string destination(const std::string& name) const { return (fs::path(options_.destdir) / name).string(); }

  void save_dictionary(const std::string& language, const Dictionary& dictionary) {
    const std::string name = dictionary_name(language), text = dictionary.to_text();
    throw_if_error(write_file_atomically((staging_ / name).string(), text.data(), text.size()));
    report_.dictionaries.push_back({language, destination(name), dictionary.size()});
  }

  /// "train.en-de.en"; an absent target language is "None", as fairseq prints it.
  std::string dataset_name(const Split& split, const std::string& language) const {
    if (language.empty()) return split.name;
    const std::string& target = options_.target_lang;
    return split.name + "." + options_.source_lang + "-" + (target.empty() ? "None" : target) + "." + language;
  }

  void binarize_all(const std::string& language, const Dictionary& dictionary) {
    for (const Split& split : splits_) {
      const std::string input = with_language(split.prefix, language), name = dataset_name(split, language);
      const BinarizeSummary summary =
          binarize_file(input, dictionary, (staging_ / name).string(), options_.workers, observe("dataset", input));
      report_.datasets.push_back({language, input, destination(name), summary});
    }
  }

  /// fairseq takes sides of different lengths without a word, and training fails later.
  void compare_sides() const {
    for (size_t i = 0; has_target() && i < splits_.size(); ++i) {
      const auto &source = report_.datasets[i], &target = report_.datasets[i + splits_.size()];
      if (source.summary.num_sentences != target.summary.num_sentences)
        log_warning(source.input + " has " + std::to_string(source.summary.num_sentences) + " lines, " + target.input +
                    " has " + std::to_string(target.summary.num_sentences) + ": they are no translations line by line");
    }
  }

  const PreprocessOptions& options_;
  const FileObserver& observer_;
  std::vector<Split> splits_;
  fs::path staging_;
  PreprocessReport report_;
};

}  // namespace

PreprocessReport preprocess(const PreprocessOptions& options, const FileObserver& observer) {
  return Preprocessor(options, observer).run();
}

}  // namespace litenat::data
