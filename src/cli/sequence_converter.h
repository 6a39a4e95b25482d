// A model with a decoder, ready to convert sentences: its text, its settings, and the engines of each thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/converter.h"
#include "cli/sequence_text.h"
#include "decode/beam_search.h"
#include "decode/parallel_decoder.h"
#include "decode/sequence_engine.h"

namespace litenat::cli {

/// Flags of the verbs that run models with a decoder. What is not given stays as the model's file says.
struct SequenceFlags {
  std::optional<int> beam;  // --beam: the verb adds it where taggers have it too
  std::optional<int> length_beam;
  std::optional<double> length_penalty;
  std::optional<double> max_length_a;
  std::optional<double> max_length_b;
  std::optional<int> min_length;
  std::string rescorer;  // MODEL
  bool keep_unknown = false;
  int max_source = 1024;     // longest source, in tokens
  int64_t batch_tokens = 0;  // 0 = what suits the engine

  /// All but --beam.
  void add_to(CLI::App* app);
  /// Throws UsageError when a flag was given that says nothing to a text-entry model.
  void refuse_for_tagger() const;
};

/// One output of a sentence.
struct SequenceOutput {
  std::string text;
  float score = 0;
  int32_t num_tokens = 0;
};

/// What became of a sentence: outputs, best first, or why there is none. An empty sentence has one empty output.
struct SequenceResult {
  Status status;
  std::vector<SequenceOutput> outputs;
  double milliseconds = 0;  // of the batch it was in
};

struct TextMode {
  bool tokenize = true;    // raw text in: the model's tokenizer splits it; else tokens between blanks
  bool detokenize = true;  // raw text out; else tokens between blanks
};

/// All that does not change while a model runs; shared by the converters of all threads.
class SequenceSystem {
 public:
  /// Throws Error or UsageError: flags of the other family, a rescorer with other dictionaries, ...
  SequenceSystem(const export_model::ResolvedModel& resolved, const EngineOptions& engine, const SequenceFlags& flags,
                 int num_best, const TextMode& mode);

  bool is_autoregressive() const { return autoregressive_; }
  const SequenceText& text() const { return text_; }
  /// A line of input, as TextMode says what it is.
  SourceSentence read(const std::string& line) const {
    return mode_.tokenize ? text_.read_text(line) : text_.read_tokens(line);
  }
  const export_model::ResolvedModel& resolved() const { return resolved_; }
  bool runs_on_cpu_engine() const { return engine_.engine == "cpu"; }
  /// Source tokens of a batch.
  int64_t batch_tokens() const { return batch_tokens_; }
  /// The settings of the search as JSON.
  std::string settings() const;
  decode::BeamOptions& beam_options() { return beam_; }
  decode::ParallelOptions& parallel_options() { return parallel_; }

 private:
  friend class SequenceConverter;
  void apply(const SequenceFlags& flags, int num_best);
  void open_rescorer(const std::string& path);

  export_model::ResolvedModel resolved_;
  EngineOptions engine_;
  bool autoregressive_;
  SequenceText text_;
  TextMode mode_;
  bool copy_unknown_;
  int max_source_;
  int64_t batch_tokens_;
  decode::BeamOptions beam_;
  decode::ParallelOptions parallel_;
  std::optional<export_model::ResolvedModel> rescorer_;
};

/// Runs batches on engines of its own. One thread at a time; make one for each thread.
class SequenceConverter {
 public:
  /// `threads` are those of one run of the network. `system` outlives the converter.
  SequenceConverter(const SequenceSystem* system, int threads, const Context& context);
  /// The sentences as one batch; results in their order. A sentence that fails does not hurt the others.
  std::vector<SequenceResult> convert(const std::vector<const SourceSentence*>& sentences);

 private:
  using Hypotheses = std::vector<std::vector<decode::Hypothesis>>;
  Status check(const SourceSentence& sentence) const;
  Result<Hypotheses> search(const std::vector<const SourceSentence*>& sentences);
  std::vector<SequenceResult> search_one_by_one(const std::vector<const SourceSentence*>& sentences);
  std::vector<SequenceResult> run(const std::vector<const SourceSentence*>& sentences);
  SequenceResult describe(const SourceSentence& sentence, const std::vector<decode::Hypothesis>& hypotheses) const;

  const SequenceSystem* system_;
  std::unique_ptr<decode::SequenceEngine> engine_;
  std::unique_ptr<decode::SequenceEngine> rescorer_;
};

/// Whether the model has a decoder of its own.
inline bool is_sequence_model(const export_model::ResolvedModel& resolved) {
  return graph::has_decoder(resolved.model->spec());
}

}  // namespace litenat::cli
