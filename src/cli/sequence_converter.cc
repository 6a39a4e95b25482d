#include "cli/sequence_converter.h"

#include <chrono>
#include <utility>

#include "base/error.h"
#include "base/json_fields.h"
#include "cli/overrides.h"
#include "cli/torch_library.h"
#include "runtime/sequence_executor.h"

namespace litenat::cli {
namespace {

constexpr int64_t kCpuBatchTokens = 2048;
constexpr int64_t kTorchBatchTokens = 12288;

std::unique_ptr<decode::SequenceEngine> open_engine(const export_model::ResolvedModel& resolved,
                                                    const EngineOptions& options, int threads, const Context& context) {
  if (options.engine == "cpu") return value_or_throw(runtime::SequenceExecutor::create(resolved.model, threads));
  if (resolved.checkpoint_path.empty())
    throw Error(resolved.path +
                ": --engine torch runs checkpoints, and this is a deployable model: name the run folder");
  return torch_api(context).open_sequence_engine(resolved.checkpoint_path, options.device);
}

template <typename Options>
void apply_overrides(const std::vector<std::string>& overrides, Options* options) {
  const Json json = parse_decode_overrides(overrides);
  const Status status = json.is_object() ? fields_from_json(json, options) : Status();
  if (!status.ok()) throw UsageError("--set decode." + status.message());
}

/// Sets *field where the flag was given.
template <typename T>
void take(const std::optional<T>& flag, T* field) {
  if (flag) *field = *flag;
}

/// Whether a flag was given, and its name.
using GivenFlag = std::pair<bool, const char*>;

void refuse(const std::vector<GivenFlag>& flags, const std::string& why) {
  for (const auto& [given, name] : flags)
    if (given) throw UsageError(std::string(name) + " " + why);
}

std::vector<GivenFlag> beam_flags(const SequenceFlags& flags) {
  return {{flags.beam.has_value(), "--beam"},
          {flags.length_penalty.has_value(), "--length-penalty"},
          {flags.max_length_a.has_value(), "--max-length-a"},
          {flags.max_length_b.has_value(), "--max-length-b"},
          {flags.min_length.has_value(), "--min-length"}};
}

std::vector<GivenFlag> parallel_flags(const SequenceFlags& flags) {
  return {{flags.length_beam.has_value(), "--length-beam"}, {!flags.rescorer.empty(), "--rescorer"}};
}

bool is_same(const text::Dictionary& a, const text::Dictionary& b) {
  if (a.size() != b.size()) return false;
  for (int32_t id = 0; id < a.size(); ++id)
    if (a.token(id) != b.token(id)) return false;
  return true;
}

/// The ids of sentences with the specials of a family.
decode::SourceBatch make_batch(const std::vector<std::vector<int32_t>>& sentences, bool autoregressive) {
  decode::SourceBatch batch;
  for (const std::vector<int32_t>& sentence : sentences) {
    const std::vector<int32_t> ids = add_specials(sentence, autoregressive);
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
    batch.lengths.push_back(static_cast<int32_t>(ids.size()));
  }
  return batch;
}

}  // namespace

void SequenceFlags::add_to(CLI::App* app) {
  const std::vector<CLI::Option*> options = {
      app->add_option("--length-beam", length_beam,
                      "non-autoregressive: candidate lengths tried (default: the model's)")
          ->check(CLI::Range(1, 64)),
      app->add_option("--length-penalty", length_penalty, "autoregressive: score = ln p / length ^ PENALTY")
          ->check(CLI::Range(-10.0, 10.0)),
      app->add_option("--max-length-a", max_length_a, "autoregressive: longest output is A * source length + B")
          ->check(CLI::Range(0.0, 100.0)),
      app->add_option("--max-length-b", max_length_b, "see --max-length-a")->check(CLI::Range(0.0, 1e6)),
      app->add_option("--min-length", min_length, "autoregressive: shortest output")->check(CLI::Range(0, 1000000)),
      app->add_option("--rescorer", rescorer, "non-autoregressive: an autoregressive model that ranks the candidates"),
      app->add_flag("--keep-unknown", keep_unknown, "leave <unk> in outputs, do not copy the source's unknown words"),
      app->add_option("--max-source", max_source, "longest input in tokens; longer ones are errors of their lines")
          ->check(CLI::Range(1, 1 << 20))
          ->capture_default_str(),
      app->add_option("--batch-tokens", batch_tokens,
                      "source tokens of a batch; 1 = a sentence at a time (default: 2048, with --engine torch 12288)")
          ->check(CLI::Range(int64_t{1}, int64_t{1} << 30))};
  for (CLI::Option* option : options) option->group("Models with a decoder");
}

void SequenceFlags::refuse_for_tagger() const {
  std::vector<GivenFlag> flags = beam_flags(*this);
  flags.erase(flags.begin());  // taggers have a --beam of their own
  const std::vector<GivenFlag> more = parallel_flags(*this);
  flags.insert(flags.end(), more.begin(), more.end());
  flags.emplace_back(keep_unknown, "--keep-unknown");
  flags.emplace_back(batch_tokens > 0, "--batch-tokens");
  refuse(flags, "is for models with a decoder, and this is a text-entry model");
}

SequenceSystem::SequenceSystem(const export_model::ResolvedModel& resolved, const EngineOptions& engine,
                               const SequenceFlags& flags, int num_best, const TextMode& mode)
    : resolved_(resolved),
      engine_(engine),
      autoregressive_(resolved.model->spec().family == graph::Family::kSequence),
      text_(resolved.model, resolved.path),
      mode_(mode),
      copy_unknown_(!flags.keep_unknown),
      max_source_(flags.max_source),
      batch_tokens_(flags.batch_tokens > 0   ? flags.batch_tokens
                    : engine.engine == "cpu" ? kCpuBatchTokens
                                             : kTorchBatchTokens),
      beam_(resolved.model->beam_options()),
      parallel_(resolved.model->parallel_options()) {
  if (engine.unconstrained) throw UsageError("--unconstrained is for text-entry models, and this one has a decoder");
  apply(flags, num_best);
  if (!flags.rescorer.empty()) open_rescorer(flags.rescorer);
}

void SequenceSystem::apply(const SequenceFlags& flags, int num_best) {
  if (autoregressive_) {
    refuse(parallel_flags(flags), "is for non-autoregressive models, and this one is autoregressive");
    apply_overrides(engine_.overrides, &beam_);
    take(flags.beam, &beam_.beam);
    take(flags.length_penalty, &beam_.length_penalty);
    take(flags.max_length_a, &beam_.max_length_a);
    take(flags.max_length_b, &beam_.max_length_b);
    take(flags.min_length, &beam_.min_length);
    if (num_best > beam_.beam)
      throw UsageError("--nbest " + std::to_string(num_best) + " needs a --beam of at least as many, found " +
                       std::to_string(beam_.beam));
    beam_.num_best = num_best;
    return;
  }
  refuse(beam_flags(flags), "is for autoregressive models, and this one is not: see --length-beam");
  apply_overrides(engine_.overrides, &parallel_);
  take(flags.length_beam, &parallel_.length_beam);
  parallel_.num_best = num_best;
}

void SequenceSystem::open_rescorer(const std::string& path) {
  rescorer_ = export_model::resolve_model(path);
  if (rescorer_->model->spec().family != graph::Family::kSequence)
    throw Error(rescorer_->path + ": is no autoregressive model, expected one for --rescorer");
  const SequenceText text(rescorer_->model, rescorer_->path);
  if (!is_same(text.source_dictionary(), text_.source_dictionary()) ||
      !is_same(text.target_dictionary(), text_.target_dictionary()))
    throw Error(rescorer_->path + ": has other dictionaries than " + resolved_.path +
                ", expected the same: train both on the same preprocessed data");
}

std::string SequenceSystem::settings() const {
  Json json = autoregressive_ ? fields_to_json(beam_) : fields_to_json(parallel_);
  json.set("copy_unknown", Json(copy_unknown_));
  json.set("max_source", Json(static_cast<int64_t>(max_source_)));
  json.set("tokenize", Json(mode_.tokenize));
  json.set("detokenize", Json(mode_.detokenize));
  json.set("rescorer", Json(rescorer_ ? rescorer_->path : ""));
  return json.dump();
}

SequenceConverter::SequenceConverter(const SequenceSystem* system, int threads, const Context& context)
    : system_(system), engine_(open_engine(system->resolved_, system->engine_, threads, context)) {
  if (system->rescorer_) rescorer_ = open_engine(*system->rescorer_, system->engine_, threads, context);
}

Status SequenceConverter::check(const SourceSentence& sentence) const {
  int32_t limit = system_->max_source_;
  for (const decode::SequenceEngine* engine : {engine_.get(), rescorer_.get()}) {
    if (engine == nullptr || engine->traits().max_source <= 0) continue;
    const int32_t specials = engine->traits().autoregressive ? 1 : 2;
    limit = std::min(limit, engine->traits().max_source - specials);
  }
  if (sentence.ids.size() <= static_cast<size_t>(limit)) return {};
  return invalid_argument("has " + std::to_string(sentence.ids.size()) + " tokens, expected at most " +
                          std::to_string(limit) + ": split it into sentences");
}

Result<SequenceConverter::Hypotheses> SequenceConverter::search(const std::vector<const SourceSentence*>& sentences) {
  std::vector<std::vector<int32_t>> ids;
  for (const SourceSentence* sentence : sentences) ids.push_back(sentence->ids);
  const decode::SourceBatch batch = make_batch(ids, system_->autoregressive_);
  if (system_->autoregressive_) return decode::beam_search(engine_.get(), batch, system_->beam_);
  if (rescorer_ == nullptr) return decode::decode_parallel(engine_.get(), batch, system_->parallel_);
  const decode::SourceBatch rescorer_batch = make_batch(ids, /*autoregressive=*/true);
  return decode::decode_parallel(engine_.get(), batch, system_->parallel_, rescorer_.get(), &rescorer_batch);
}

SequenceResult SequenceConverter::describe(const SourceSentence& sentence,
                                           const std::vector<decode::Hypothesis>& hypotheses) const {
  SequenceResult result;
  for (const decode::Hypothesis& hypothesis : hypotheses) {
    const std::vector<int32_t> ids = drop_specials(hypothesis.tokens);
    std::vector<std::string> tokens = system_->text_.target_tokens(ids);
    if (system_->copy_unknown_) tokens = copy_unknown_words(std::move(tokens), ids, sentence);
    result.outputs.push_back({system_->mode_.detokenize ? system_->text_.detokenize(tokens) : join_tokens(tokens),
                              hypothesis.score, static_cast<int32_t>(ids.size())});
  }
  return result;
}

std::vector<SequenceResult> SequenceConverter::run(const std::vector<const SourceSentence*>& sentences) {
  std::vector<SequenceResult> results;
  const Result<Hypotheses> hypotheses = search(sentences);
  if (!hypotheses.ok() && sentences.size() > 1) return search_one_by_one(sentences);
  for (size_t i = 0; i < sentences.size(); ++i) {
    if (hypotheses.ok())
      results.push_back(describe(*sentences[i], hypotheses.value()[i]));
    else
      results.push_back({hypotheses.status(), {}, 0});
  }
  return results;
}

std::vector<SequenceResult> SequenceConverter::search_one_by_one(const std::vector<const SourceSentence*>& sentences) {
  std::vector<SequenceResult> results;
  for (const SourceSentence* sentence : sentences) results.push_back(run({sentence})[0]);
  return results;
}

std::vector<SequenceResult> SequenceConverter::convert(const std::vector<const SourceSentence*>& sentences) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<SequenceResult> results(sentences.size());
  std::vector<const SourceSentence*> to_run;
  std::vector<size_t> places;
  for (size_t i = 0; i < sentences.size(); ++i) {
    results[i].status = check(*sentences[i]);
    if (!results[i].status.ok()) continue;
    if (sentences[i]->ids.empty()) {
      results[i].outputs.emplace_back();
      continue;
    }
    to_run.push_back(sentences[i]);
    places.push_back(i);
  }
  if (!to_run.empty()) {
    std::vector<SequenceResult> ran = run(to_run);
    for (size_t i = 0; i < ran.size(); ++i) results[places[i]] = std::move(ran[i]);
  }
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  for (SequenceResult& result : results) result.milliseconds = spent.count();
  return results;
}

}  // namespace litenat::cli
