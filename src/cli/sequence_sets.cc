#include "cli/sequence_sets.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "base/error.h"
#include "data/indexed_dataset.h"
#include "text/dictionary.h"

namespace litenat::cli {
namespace {

namespace fs = std::filesystem;

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

bool ends_with(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

std::vector<std::string> file_names(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder, error)) names.push_back(entry.path().filename().string());
  if (error) throw Error(folder + ": cannot be read: " + error.message());
  std::sort(names.begin(), names.end());
  return names;
}

struct Languages {
  std::string source;
  std::string target;
};

/// The pairs of which the folder has "<subset>.<source>-<target>.<source>.idx".
std::vector<Languages> find_pairs(const std::string& folder, const std::string& subset) {
  std::vector<Languages> pairs;
  for (const std::string& name : file_names(folder)) {
    if (!starts_with(name, subset + ".") || !ends_with(name, ".idx")) continue;
    const std::string middle = name.substr(subset.size() + 1, name.size() - subset.size() - 5);
    const size_t dot = middle.rfind('.');
    if (dot == std::string::npos) continue;
    const std::string language = middle.substr(dot + 1);
    if (starts_with(middle, language + "-") && dot > language.size() + 1)
      pairs.push_back({language, middle.substr(language.size() + 1, dot - language.size() - 1)});
  }
  return pairs;
}

Languages find_pair(const std::string& folder, const std::string& subset) {
  const std::vector<Languages> pairs = find_pairs(folder, subset);
  if (pairs.size() == 1) return pairs[0];
  if (pairs.empty())
    throw Error(folder + ": has neither " + subset + ".*.tsv nor " + subset +
                ".SOURCE-TARGET.SOURCE.idx, expected a folder of `litenat corpus` or `litenat preprocess`");
  throw Error(folder + ": has " + subset + " for " + pairs[0].source + "-" + pairs[0].target + " and for " +
              pairs[1].source + "-" + pairs[1].target + ", expected one pair of languages: give each a folder");
}

/// One language of a set.
class Side {
 public:
  Side(const std::string& folder, const std::string& prefix, const std::string& language)
      : dictionary_(
            value_or_throw(text::Dictionary::load((fs::path(folder) / ("dict." + language + ".txt")).string()))),
        data_(value_or_throw(data::IndexedDataset::open((fs::path(folder) / (prefix + "." + language)).string()))) {
    throw_if_error(data_->check_ids(dictionary_.size()));
  }

  int64_t size() const { return data_->size(); }
  std::vector<std::string> tokens(int64_t i) const {
    std::vector<int32_t> ids;
    data_->read(i, &ids);
    std::vector<std::string> tokens;
    for (const int32_t id : ids)
      if (id != text::kBos && id != text::kPad && id != text::kEos) tokens.push_back(dictionary_.token(id));
    return tokens;
  }

 private:
  text::Dictionary dictionary_;
  std::shared_ptr<const data::IndexedDataset> data_;
};

bool has_pair_files(const std::string& folder, const std::string& subset) {
  for (const std::string& name : file_names(folder))
    if (starts_with(name, subset + ".") && ends_with(name, ".tsv")) return true;
  return false;
}

}  // namespace

SequenceSet to_sequence_set(const PairSet& pairs, const SequenceSystem& system) {
  SequenceSet set;
  set.name = pairs.name;
  set.references = pairs.references;
  for (const std::string& input : pairs.inputs) set.sources.push_back(system.read(input));
  return set;
}

SequenceSet read_preprocessed_set(const std::string& folder, const std::string& subset, const SequenceSystem& system) {
  const Languages languages = find_pair(folder, subset);
  const std::string pair = subset + "." + languages.source + "-" + languages.target;
  const Side source(folder, pair, languages.source);
  const Side target(folder, pair, languages.target);
  if (source.size() != target.size())
    throw Error((fs::path(folder) / pair).string() + ": has " + std::to_string(source.size()) + " " + languages.source +
                " sentences and " + std::to_string(target.size()) + " " + languages.target +
                " ones, expected as many: preprocess them again");
  SequenceSet set;
  set.name = subset;
  for (int64_t i = 0; i < source.size(); ++i) {
    set.sources.push_back(system.text().with_ids(source.tokens(i)));
    set.references.push_back({system.text().detokenize(target.tokens(i))});
  }
  if (set.sources.empty()) throw Error((fs::path(folder) / pair).string() + ": has no sentence");
  return set;
}

std::vector<SequenceSet> read_sequence_sets(const std::vector<std::string>& pairs, const std::string& folder,
                                            const std::string& subsets, const SequenceSystem& system) {
  std::vector<SequenceSet> sets;
  for (const std::string& path : pairs) sets.push_back(to_sequence_set(read_pairs(path), system));
  if (folder.empty()) return sets;
  std::istringstream names(subsets);
  for (std::string subset; std::getline(names, subset, ',');) {
    if (!has_pair_files(folder, subset)) {
      sets.push_back(read_preprocessed_set(folder, subset, system));
      continue;
    }
    for (const std::string& path : corpus_pair_files(folder, subset))
      sets.push_back(to_sequence_set(read_pairs(path), system));
  }
  return sets;
}

}  // namespace litenat::cli
