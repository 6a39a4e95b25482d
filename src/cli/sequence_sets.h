// Test sets of models with a decoder: pairs of text, and the folders of `litenat preprocess`.
#pragma once

#include <string>
#include <vector>

#include "cli/evaluation.h"
#include "cli/sequence_converter.h"

namespace litenat::cli {

/// Sentences with one or more references each, as people write them.
struct SequenceSet {
  std::string name;
  std::vector<SourceSentence> sources;
  std::vector<std::vector<std::string>> references;
};

/// A set of pairs; the inputs are read as `system` reads lines.
SequenceSet to_sequence_set(const PairSet& pairs, const SequenceSystem& system);

/// The set <subset>.<source>-<target> of a folder of `litenat preprocess` (or fairseq-preprocess). Ids become tokens by
/// the folder's dictionaries, and those are looked up in the model's; references are detokenised. Throws Error when
/// there is no such set or several, and for files that do not fit together.
SequenceSet read_preprocessed_set(const std::string& folder, const std::string& subset, const SequenceSystem& system);

/// The sets of --pairs and --data: a data folder's files <subset>.*.tsv where it has any, else its preprocessed data.
/// `subsets` are separated by commas.
std::vector<SequenceSet> read_sequence_sets(const std::vector<std::string>& pairs, const std::string& folder,
                                            const std::string& subsets, const SequenceSystem& system);

}  // namespace litenat::cli
