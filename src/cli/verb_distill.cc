// litenat distill: a teacher's outputs become a corpus (sequence-level distillation, Kim and Rush 2016).
#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/distill_log.h"
#include "cli/json_output.h"
#include "cli/program.h"
#include "cli/sequence_batches.h"
#include "cli/text_files.h"
#include "cli/verbs.h"

namespace litenat::cli {
namespace {

namespace fs = std::filesystem;

/// Enough to find sentences of equal length; as tokens they take a kilobyte each.
constexpr size_t kLinesAtOnce = 200000;

struct DistillOptions {
  std::string model;
  std::string input;
  std::string output;
  bool raw = false;
  bool detokenize = false;
  bool restart = false;
  EngineOptions engine;
  SequenceFlags sequence;
};

/// A number that tells contents apart, for what was run on what; no protection against forgery.
class Fingerprint {
 public:
  void add(const void* data, size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    for (; size >= 8; size -= 8, bytes += 8) {
      uint64_t word = 0;
      std::memcpy(&word, bytes, 8);
      mix(word);
    }
    for (; size > 0; --size, ++bytes) mix(*bytes);
    mix(0x100);
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  std::string text() const {
    char digits[17];
    std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(hash_));
    return digits;
  }

 private:
  void mix(uint64_t word) {
    hash_ = (hash_ ^ word) * 0x9E3779B97F4A7C15ull;
    hash_ ^= hash_ >> 32;
  }
  uint64_t hash_ = 0xCBF29CE484222325ull;
};

std::string fingerprint(const runtime::Model& model) {
  Fingerprint print;
  print.add(graph::to_json(model.spec()));
  for (const auto& [name, tensor] : model.container().tensors()) {
    print.add(name);
    print.add(tensor.bytes.data(), tensor.bytes.size());
  }
  return print.text();
}

std::string fingerprint(const std::vector<std::string>& lines) {
  Fingerprint print;
  for (const std::string& line : lines) print.add(line);
  return print.text();
}

/// What an output is the output of, as one line of JSON.
std::string identity_of(const SequenceSystem& system, const std::vector<std::string>& lines) {
  Json json = Json::object();
  json.set("distill", Json(int64_t{1}));
  json.set("model", Json(fingerprint(*system.resolved().model)));
  json.set("input", Json(fingerprint(lines)));
  json.set("settings", value_or_throw(Json::parse(system.settings())));
  return json.dump();
}

/// One distillation: what is to do, what is done.
class Distillation {
 public:
  Distillation(const DistillOptions& options, const Context& context)
      : options_(options),
        context_(context),
        resolved_(export_model::resolve_model(options.model)),
        log_path_(options.output + ".part"),
        record_path_(options.output + ".json") {
    if (!is_sequence_model(resolved_))
      throw Error(resolved_.path + ": is a text-entry model, expected a model with a decoder");
    system_ = std::make_unique<SequenceSystem>(resolved_, options.engine, options.sequence, 1,
                                               TextMode{options.raw, options.detokenize});
    std::error_code ignored;  // what is not there is no input
    if (fs::equivalent(options.input, options.output, ignored))
      throw Error(options.output + ": is the input itself, expected another file for the output");
    lines_ = read_lines(options.input);
    if (lines_.empty()) throw Error(options.input + ": is empty, expected a sentence a line");
    identity_ = identity_of(*system_, lines_);
  }

  void run() {
    std::error_code ignored;  // what is not there need not be removed
    if (options_.restart)
      for (const std::string& path : {record_path_, options_.output}) fs::remove(path, ignored);
    if (is_complete()) {
      log_info(options_.output + ": is complete already");
      fs::remove(log_path_, ignored);  // killed just before it did so
    } else {
      DistillLog log(log_path_, identity_, lines_.size(), options_.restart);
      kept_ = log.num_done();
      if (kept_ > 0) log_info(options_.output + ": goes on after " + std::to_string(kept_) + " lines");
      convert(&log);
      write(log);
      log.remove();
    }
    report();
  }

 private:
  /// Whether the output is there, made of the same model, input and settings. Throws when it is of others.
  bool is_complete() {
    std::error_code error;
    if (!fs::exists(options_.output, error)) return false;
    std::ifstream file(record_path_);
    std::string identity;
    std::getline(file, identity);
    if (identity != identity_)
      throw Error(options_.output + ": is there already, and " + record_path_ +
                  " does not say that it is of this model, input and settings: remove it, or begin anew with "
                  "--restart");
    kept_ = lines_.size();
    return true;
  }

  void convert(DistillLog* log) {
    std::vector<size_t> to_do;
    for (size_t i = 0; i < lines_.size(); ++i)
      if (!log->outputs()[i]) to_do.push_back(i);
    const auto progress = context_.progress("distill", static_cast<int64_t>(lines_.size()), "lines");
    progress->update(static_cast<int64_t>(log->num_done()));
    SequenceWorkers workers(system_.get(), context_.threads_or_all(), /*split_runs=*/false, context_);
    const auto start = std::chrono::steady_clock::now();
    for (size_t first = 0; first < to_do.size(); first += kLinesAtOnce) {
      const size_t end = std::min(to_do.size(), first + kLinesAtOnce);
      const std::vector<size_t> part(to_do.begin() + static_cast<std::ptrdiff_t>(first),
                                     to_do.begin() + static_cast<std::ptrdiff_t>(end));
      std::vector<SourceSentence> sentences;
      for (const size_t line : part) sentences.push_back(system_->read(lines_[line]));
      workers.run(sentences, [&](const std::vector<size_t>& numbers, const std::vector<SequenceResult>& results) {
        take(part, numbers, results, log);
        progress->update(static_cast<int64_t>(log->num_done()));
      });
    }
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  void take(const std::vector<size_t>& to_do, const std::vector<size_t>& numbers,
            const std::vector<SequenceResult>& results, DistillLog* log) {
    std::vector<size_t> lines;
    std::vector<std::string> outputs;
    for (size_t i = 0; i < numbers.size(); ++i) {
      lines.push_back(to_do[numbers[i]]);
      outputs.push_back(results[i].outputs.empty() ? "" : results[i].outputs[0].text);
      tokens_ += results[i].outputs.empty() ? 0 : results[i].outputs[0].num_tokens;
      const Status& status = results[i].status;
      if (status.ok()) continue;
      // A sentence that is too long stays empty; a device that fails must not leave empty lines behind.
      if (status.code() != StatusCode::kInvalidArgument)
        throw Error(options_.input + ":" + std::to_string(lines.back() + 1) + ": " + status.message() +
                    ": the same command goes on once this is mended");
      ++failed_;
      log_warning(options_.input + ":" + std::to_string(lines.back() + 1) + ": " + status.message() +
                  "; its output line is empty");
    }
    log->add(lines, outputs);
  }

  void write(const DistillLog& log) const {
    AtomicFile file(options_.output);
    throw_if_error(file.open());
    for (const auto& output : log.outputs()) throw_if_error(file.write(output.value() + "\n"));
    const std::string record = identity_ + "\n";
    throw_if_error(write_file_atomically(record_path_, record.data(), record.size()));
    throw_if_error(file.commit());
  }

  void report() const {
    const size_t converted = lines_.size() - kept_;
    const double rate = seconds_ > 0 ? static_cast<double>(converted) / seconds_ : 0;
    if (context_.json) {
      print_json({{"output", options_.output},
                  {"lines", lines_.size()},
                  {"kept_lines", kept_},
                  {"failed_lines", failed_},
                  {"output_tokens", tokens_},
                  {"seconds", seconds_},
                  {"sentences_per_second", rate}});
      return;
    }
    std::cout << options_.output << ": " << lines_.size() << " lines";
    if (kept_ > 0) std::cout << ", " << kept_ << " of them kept";
    if (failed_ > 0) std::cout << ", " << failed_ << " empty (see above)";
    if (converted > 0) std::cout << "; " << short_count(rate) << " sentences/s";
    std::cout << '\n';
  }

  const DistillOptions& options_;
  const Context& context_;
  export_model::ResolvedModel resolved_;
  std::string log_path_;     // outputs so far
  std::string record_path_;  // what the complete output is of
  std::unique_ptr<SequenceSystem> system_;
  std::vector<std::string> lines_;
  std::string identity_;
  size_t kept_ = 0;
  int64_t failed_ = 0;
  int64_t tokens_ = 0;
  double seconds_ = 0;
};

}  // namespace

void add_distill(Program& program) {
  auto options = std::make_shared<DistillOptions>();
  Verb verb = program.add_verb("distill", "Makes a corpus of a teacher's outputs");
  verb.app->add_option("MODEL", options->model, "the teacher: run folder, checkpoint or .litenat file")->required();
  verb.app->add_option("--input", options->input, "source sentences, one a line: tokens between blanks")->required();
  verb.app
      ->add_option("-o,--output", options->output,
                   "the outputs, line for line; OUTPUT.part holds what is done, and the same command goes on from it")
      ->required();
  verb.app->add_flag("--raw", options->raw, "the input is raw text: the model's tokenizer splits it");
  verb.app->add_flag("--detokenize", options->detokenize, "write text instead of tokens");
  verb.app->add_flag("--restart", options->restart, "begin anew, whatever is there");
  verb.app->add_option("--beam", options->sequence.beam, "autoregressive models: hypotheses kept by the search")
      ->check(CLI::Range(1, 256));
  options->engine.add_to(verb.app);
  options->sequence.add_to(verb.app);
  verb.with_json();
  verb.examples(
      {"litenat distill runs/transformer --input corpus/train.en --output distilled/train.de",
       "litenat distill runs/transformer --input corpus/train.en --output distilled/train.de \\\n"
       "      --engine torch --device cuda --beam 5 --batch-tokens 16384",
       "litenat distill model.int8.litenat --input news.txt --raw --detokenize --output news.de --threads 4"});
  verb.run([options](const Context& context) { Distillation(*options, context).run(); });
}

}  // namespace litenat::cli
