#include "train/pair_validation.h"

#include <algorithm>

#include "base/error.h"
#include "base/interrupt.h"
#include "decode/parallel_decoder.h"
#include "eval/bleu.h"
#include "train/torch_sequence_engine.h"

namespace litenat::train {

PairValidator::PairValidator(const PairDataset* dataset, const Dictionaries* dictionaries,
                             const data::TextTokenizer* tokenizer, const graph::ModelSpec& model,
                             const data::BatchSpec& batch, const TrainerSpec& spec)
    : dataset_(dataset),
      dictionaries_(dictionaries),
      tokenizer_(tokenizer),
      bleu_tokenizer_(spec.bleu_tokenizer),
      maker_(dataset, model, batch, /*with_noise=*/false, /*seed=*/0),
      plan_(plan_validation(maker_, "pairs")) {
  for (const data::Batch& sentences : plan_) {
    data::Batch chosen;
    std::copy_if(sentences.begin(), sentences.end(), std::back_inserter(chosen),
                 [&spec](int64_t i) { return i < spec.bleu_sentences; });
    if (!chosen.empty()) bleu_plan_.push_back(std::move(chosen));
  }
}

ValidationReport PairValidator::run(nn::Model& model, const Objective& objective, const torch::Device& device,
                                    Precision precision) const {
  model.eval();
  ValidationReport report;
  report.modes = {score_batches(maker_, plan_, model, objective, device, precision)};
  report.modes[0].mode = "pairs";
  report.nll = report.modes[0].nll;
  report.accuracy = report.modes[0].accuracy;
  if (!bleu_plan_.empty()) report.bleu = bleu(model, device);
  return report;
}

double PairValidator::bleu(nn::Model& model, const torch::Device& device) const {
  TorchSequenceEngine engine(&dynamic_cast<nn::SequenceModel&>(model), device);
  eval::Bleu bleu(bleu_tokenizer_);
  Pair pair;
  for (const data::Batch& sentences : bleu_plan_) {
    throw_if_interrupted();
    const std::vector<decode::Hypothesis> outputs = translate(&engine, sentences);
    for (size_t i = 0; i < sentences.size(); ++i) {
      dataset_->read(sentences[i], &pair);
      bleu.add(text_of(outputs[i].tokens), {text_of(pair.target)});
    }
  }
  return bleu.score().score;
}

std::vector<decode::Hypothesis> PairValidator::translate(decode::SequenceEngine* engine,
                                                         const data::Batch& sentences) const {
  decode::SourceBatch batch;
  int32_t longest = 0;
  Pair pair;
  for (const int64_t i : sentences) {
    dataset_->read(i, &pair);
    batch.ids.insert(batch.ids.end(), pair.source.begin(), pair.source.end());
    batch.lengths.push_back(static_cast<int32_t>(pair.source.size()));
    longest = std::max(longest, static_cast<int32_t>(pair.target.size()));
  }
  std::vector<std::vector<decode::Hypothesis>> outputs;
  if (engine->traits().autoregressive) {
    decode::BeamOptions greedy;
    greedy.beam = 1;
    greedy.max_length_b = 2 * longest + 10;  // a model that has not learnt to stop would cost minutes
    outputs = value_or_throw(decode::beam_search(engine, batch, greedy));
  } else {
    outputs = value_or_throw(decode::decode_parallel(engine, batch, decode::ParallelOptions()));
  }
  std::vector<decode::Hypothesis> best;
  for (std::vector<decode::Hypothesis>& list : outputs) best.push_back(std::move(list.front()));
  return best;
}

std::string PairValidator::text_of(const std::vector<int32_t>& ids) const {
  std::vector<std::string> tokens;
  for (const int32_t id : ids)
    if (id != text::kBos && id != text::kPad && id != text::kEos) tokens.push_back(dictionaries_->target.token(id));
  if (tokenizer_ != nullptr) return tokenizer_->decode(tokens);
  std::string text;
  for (const std::string& token : tokens) text += (text.empty() ? "" : " ") + token;
  return text;
}

}  // namespace litenat::train
