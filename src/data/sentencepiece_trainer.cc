// The training half of sentencepiece_tokenizer.h.
#include <sentencepiece_trainer.h>

#include <unordered_map>

#include "base/error.h"
#include "data/sentencepiece_tokenizer.h"

namespace litenat::data {
namespace {

// SentencePiece divides its sums by the number of threads; a fixed number gives the same model everywhere.
constexpr int kTrainingThreads = 4;
constexpr int kErrorsOnly = 2;  // of its log, which it writes to stderr

class SourceIterator : public sentencepiece::SentenceIterator {
 public:
  explicit SourceIterator(const SentenceSource& next) : next_(next) { Next(); }
  bool done() const override { return done_; }
  void Next() override { done_ = !next_(&sentence_); }
  const std::string& value() const override { return sentence_; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const SentenceSource& next_;
  std::string sentence_;
  bool done_ = false;
};

/// "./src/trainer_interface.cc(660) [a == b] What is wrong." without the place in its source.
std::string reason(const std::string& message) {
  if (message.find("[!sentences_.empty()]") != std::string::npos)
    return "no sentence is left (those of more than 4192 bytes are left out)";
  const size_t end = message.find("] ");
  return end == std::string::npos ? message : message.substr(end + 2);
}

std::string rule_name(const PieceTrainingOptions& options) {
  const std::string name = kNormalizationNames.name(options.normalization);
  return options.lower_case ? name + "_cf" : name;
}

std::unordered_map<std::string, std::string> trainer_arguments(const PieceTrainingOptions& options) {
  return {{"model_type", kPieceModelNames.name(options.model)},
          {"vocab_size", std::to_string(options.vocab_size)},
          {"character_coverage", std::to_string(options.coverage)},
          {"normalization_rule_name", rule_name(options)},
          {"byte_fallback", options.byte_fallback ? "true" : "false"},
          {"num_threads", std::to_string(kTrainingThreads)},
          {"minloglevel", std::to_string(kErrorsOnly)}};
}

}  // namespace

std::string train_pieces(const PieceTrainingOptions& options, const SentenceSource& next) {
  if (options.lower_case && options.normalization == Normalization::kIdentity)
    throw Error("lower case needs the normalisation nmt_nfkc or nfkc: SentencePiece folds case as a part of it");
  SourceIterator sentences(next);
  if (sentences.done()) throw Error("SentencePiece cannot train: expected sentences, found none");
  std::string proto;
  const auto status = sentencepiece::SentencePieceTrainer::Train(trainer_arguments(options), &sentences, &proto);
  if (!status.ok())
    throw Error("SentencePiece cannot train a model of " + std::to_string(options.vocab_size) +
                " pieces: " + reason(status.error_message()));
  return proto;
}

}  // namespace litenat::data
