#include "cli/metric_flags.h"

#include "base/error.h"
#include "base/interrupt.h"
#include "cli/text_table.h"

namespace litenat::cli {
namespace {

/// The names of an enum, for CLI::IsMember.
template <typename E>
std::vector<std::string> names_of(const EnumNames<E>& names) {
  std::vector<std::string> result;
  for (const auto& [value, name] : names.values) result.emplace_back(name);
  return result;
}

std::string cell_text(const eval::MetricResult& result) {
  std::string text = fixed(result.score, 2);
  if (result.confidence) text += " ± " + fixed(result.confidence->half_width, 2);
  if (!result.p_value) return text;
  return text + " (p = " + fixed(*result.p_value, 4) + ")" + (*result.p_value < 0.05 ? "*" : " ");
}

/// A result in the unit of its JSON member.
double in_unit(const eval::MetricResult& result, double percent) { return result.is_share ? percent / 100 : percent; }

}  // namespace

void MetricFlags::add_to(CLI::App* app) {
  app->add_option("--metrics", metrics_, "comma-separated: " + eval::kMetricNames.list())->capture_default_str();
  app->add_option("--tokenize", tokenizer_, "tokeniser of BLEU")
      ->check(CLI::IsMember(names_of(eval::kTokenizerNames)))
      ->capture_default_str();
  app->add_flag("--lowercase", lowercase_, "BLEU and chrF of lower-cased text");
  app->add_option("--smooth-method", smoothing_, "what BLEU counts for an order without a match")
      ->check(CLI::IsMember(names_of(eval::kSmoothingNames)))
      ->capture_default_str();
  app->add_option("--smooth-value", smoothing_value_, "of floor (0.1) and add-k (1)")->check(CLI::NonNegativeNumber);
  app->add_option("--chrf-char-order", chrf_.char_order, "longest character n-gram of chrF")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app->add_option("--chrf-word-order", chrf_.word_order, "longest word n-gram of chrF; 2 = chrF++")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  app->add_option("--chrf-beta", chrf_.beta, "recall counts so many times as much as precision")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app->add_flag("--chrf-whitespace", chrf_.whitespace, "chrF counts white space");
  app->add_flag("--chrf-eps-smoothing", chrf_.eps_smoothing, "chrF averages all orders, as chrF++.py does");
  app->add_flag("--ter-normalized", ter_.normalized, "TER separates punctuation");
  app->add_flag("--ter-no-punct", ter_.no_punct, "TER removes punctuation");
  app->add_flag("--ter-asian-support", ter_.asian_support, "the two above also for Chinese and Japanese");
  app->add_flag("--ter-case-sensitive", ter_.case_sensitive, "TER keeps case");
  app->add_flag("--confidence", confidence_, "95 % confidence by bootstrap resampling");
  app->add_option("--confidence-n", resamples_, "resamples for --confidence")
      ->check(CLI::Range(2, 10000000))
      ->capture_default_str();
  app->add_option("--seed", seed_, "of all resampling")->capture_default_str();
}

eval::MetricOptions MetricFlags::options() const {
  const auto kinds = eval::parse_metrics(metrics_);
  if (!kinds.ok()) throw UsageError("--metrics: " + kinds.status().message());
  if (chrf_.char_order + chrf_.word_order == 0)
    throw UsageError("--chrf-char-order and --chrf-word-order are both 0, expected at least one n-gram order");
  eval::MetricOptions options;
  options.metrics = kinds.value();
  eval::kTokenizerNames.parse(tokenizer_, &options.bleu.tokenizer);
  eval::kSmoothingNames.parse(smoothing_, &options.bleu.smoothing);
  if (smoothing_value_ >= 0) options.bleu.smoothing_value = smoothing_value_;
  options.bleu.lowercase = lowercase_;
  options.chrf = chrf_;
  options.chrf.lowercase = lowercase_;
  options.ter = ter_;
  return options;
}

eval::BootstrapOptions MetricFlags::bootstrap() const {
  eval::BootstrapOptions options;
  options.resamples = resamples_;
  options.seed = seed_;
  options.stop = [] { return interrupted(); };
  return options;
}

std::vector<eval::MetricResult> MetricFlags::results(const eval::MetricSet& metrics) const {
  if (!confidence_) return metrics.results();
  std::vector<eval::MetricResult> results = metrics.results(bootstrap());
  throw_if_interrupted();
  return results;
}

JsonResult metrics_json(const std::vector<eval::MetricResult>& results) {
  JsonResult json = JsonResult::object();
  for (const eval::MetricResult& result : results) {
    json[result.key] = in_unit(result, result.score);
    if (!result.signature.empty()) json[result.key + "_signature"] = result.signature;
    if (!result.details.empty()) json[result.key + "_details"] = result.details;
    if (result.interval)
      json[result.key + "_interval"] = {in_unit(result, result.interval->low), in_unit(result, result.interval->high)};
    if (result.confidence)
      json[result.key + "_confidence"] = {{"mean", in_unit(result, result.confidence->mean)},
                                          {"half_width", in_unit(result, result.confidence->half_width)}};
    if (result.p_value) json[result.key + "_p_value"] = *result.p_value;
  }
  return json;
}

std::string metrics_table(const std::string& first_column, const std::vector<ScoredRow>& rows) {
  if (rows.empty()) return {};
  std::vector<std::string> header = {first_column, "lines"};
  for (const eval::MetricResult& result : rows[0].results)
    header.push_back(result.name + (result.is_share ? " %" : ""));
  TextTable table(header);
  for (const ScoredRow& row : rows) {
    std::vector<std::string> cells = {row.name, std::to_string(row.lines)};
    for (const eval::MetricResult& result : row.results) cells.push_back(cell_text(result));
    table.add(cells);
  }
  std::string text = table.to_string();
  for (size_t m = 0; m < rows[0].results.size(); ++m)
    for (size_t r = 0; r < rows.size(); ++r) {
      const eval::MetricResult& result = rows[r].results[m];
      const bool repeated = r > 0 && result.signature == rows[r - 1].results[m].signature;
      if (!result.signature.empty() && !repeated) text += result.name + "|" + result.signature + "\n";
    }
  return text;
}

}  // namespace litenat::cli
