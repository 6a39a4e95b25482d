// Validation of models with a decoder: their loss, and BLEU of what they make of the sources.
#pragma once

#include <string>
#include <vector>

#include "data/text_tokenizer.h"
#include "decode/beam_search.h"
#include "train/pair_batches.h"
#include "train/validation.h"

namespace litenat::train {

class PairValidator final : public Validator {
 public:
  /// `dataset` and `dictionaries` must outlive the validator. BLEU is that of the first `spec.bleu_sentences` sentences
  /// (0: none), of the text that `tokenizer` makes, or (null) of the tokens joined by blanks.
  PairValidator(const PairDataset* dataset, const Dictionaries* dictionaries, const data::TextTokenizer* tokenizer,
                const graph::ModelSpec& model, const data::BatchSpec& batch, const TrainerSpec& spec);
  ValidationReport run(nn::Model& model, const Objective& objective, const torch::Device& device,
                       Precision precision) const override;

 private:
  double bleu(nn::Model& model, const torch::Device& device) const;
  std::vector<decode::Hypothesis> translate(decode::SequenceEngine* engine, const data::Batch& sentences) const;
  std::string text_of(const std::vector<int32_t>& ids) const;

  const PairDataset* dataset_;
  const Dictionaries* dictionaries_;
  const data::TextTokenizer* tokenizer_;
  eval::Tokenizer bleu_tokenizer_;
  PairBatches maker_;
  std::vector<data::Batch> plan_, bleu_plan_;
};

}  // namespace litenat::train
