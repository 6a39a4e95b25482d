#include "cli/report_page.h"

#include <algorithm>

#include "cli/text_table.h"

namespace litenat::cli {
namespace {

const char* const kStyle = R"(
body { font: 15px/1.5 system-ui, "Noto Sans", "Noto Sans CJK SC", sans-serif; color: #222; background: #fff;
       max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; margin: .6rem 0; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #e4e4e4; font-variant-numeric: tabular-nums; }
th { border-bottom: 2px solid #bbb; font-weight: 600; } td:first-child, th:first-child { text-align: left; }
td.best { font-weight: 700; } p.note { color: #666; font-size: .9rem; } .scroll { overflow-x: auto; }
svg { max-width: 100%; height: auto; display: block; margin: .8rem 0; }
)";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

/// An HTML table; the first row is the header.
class HtmlTable {
 public:
  void add(const std::vector<std::string>& cells, const std::vector<bool>& best = {}) {
    const char* tag = rows_.empty() ? "th" : "td";
    rows_ += "<tr>";
    for (size_t i = 0; i < cells.size(); ++i)
      rows_ += std::string("<") + tag + (i < best.size() && best[i] ? " class=\"best\">" : ">") + escaped(cells[i]) +
               "</" + tag + ">";
    rows_ += "</tr>\n";
  }
  std::string html() const { return "<div class=\"scroll\"><table>\n" + rows_ + "</table></div>\n"; }

 private:
  std::string rows_;
};

/// Mean over the sets of one number.
double mean_of(const ReportModel& model, double ReportScore::*number) {
  double sum = 0;
  for (const ReportScore& result : model.results) sum += result.*number;
  return model.results.empty() ? 0 : sum / static_cast<double>(model.results.size());
}

std::string model_table(const std::vector<ReportModel>& models, const ReportQuality& quality) {
  HtmlTable table;
  table.add(
      {"model", "precision", "parameters", "weights", "file", "multiply-adds", "exact %", quality.name, "ms a line"});
  for (const ReportModel& model : models)
    table.add({model.name, model.facts.precision, short_count(static_cast<double>(model.facts.total().parameters())),
               file_size(static_cast<double>(model.facts.weight_bytes)),
               file_size(static_cast<double>(model.facts.size_bytes)),
               short_count(static_cast<double>(model.facts.total().multiply_adds)),
               fixed(mean_of(model, &ReportScore::exact), 2), fixed(mean_of(model, &ReportScore::quality), 2),
               fixed(mean_of(model, &ReportScore::milliseconds), 3)});
  return table.html() +
         "<p class=\"note\">Qualities and times are means over the sets below. Multiply-adds are those of " +
         std::to_string(kReportLength) + " rows. The file holds dictionaries, lexicon and n-grams too.</p>\n";
}

/// The value of `column`, or "".
std::string cell_of(const std::vector<std::pair<std::string, std::string>>& cells, const std::string& column) {
  for (const auto& [name, value] : cells)
    if (name == column) return value;
  return "";
}

std::string set_table(const std::vector<ReportModel>& models, size_t set, const ReportQuality& quality) {
  const ReportScore& first = models[0].results[set];
  std::vector<std::string> header = {"model"};
  for (const auto& [column, value] : first.cells) header.push_back(column);
  HtmlTable table;
  table.add(header);
  double best = 0;
  for (const ReportModel& model : models) best = std::max(best, model.results[set].quality);
  const auto add = [&](const std::string& name, const std::vector<std::pair<std::string, std::string>>& cells,
                       bool is_best) {
    std::vector<std::string> row = {name};
    std::vector<bool> marks = {false};
    for (size_t i = 1; i < header.size(); ++i) {
      row.push_back(cell_of(cells, header[i]));
      marks.push_back(is_best && header[i] == quality.name);
    }
    table.add(row, marks);
  };
  for (const ReportModel& model : models) add(model.name, model.results[set].cells, model.results[set].quality >= best);
  if (first.baseline) add(quality.baseline, first.baseline_cells, false);
  return "<h3>" + escaped(first.set) + " (" + std::to_string(first.lines) + " lines)</h3>\n" + table.html();
}

std::string set_tables(const std::vector<ReportModel>& models, const ReportQuality& quality) {
  std::string html;
  for (size_t set = 0; set < models[0].results.size(); ++set) html += set_table(models, set, quality);
  return html;
}

std::string set_picture(const std::vector<ReportModel>& models, const ReportQuality& quality) {
  BarGroups bars;
  for (const ReportScore& result : models[0].results) bars.groups.push_back(result.set);
  for (const ReportModel& model : models) {
    bars.series.push_back(model.name);
    bars.values.emplace_back();
    for (const ReportScore& result : model.results) bars.values.back().push_back(result.quality);
  }
  if (models[0].results[0].baseline) {
    bars.series.push_back(quality.baseline);
    bars.values.emplace_back();
    for (const ReportScore& result : models[0].results) bars.values.back().push_back(result.baseline.value_or(0));
  }
  return plot_bars("Quality by set", quality.name, bars);
}

std::string size_picture(const std::vector<ReportModel>& models, const ReportQuality& quality) {
  std::vector<LabelledPoint> points;
  for (const ReportModel& model : models)
    points.push_back(
        {model.name, static_cast<double>(model.facts.size_bytes) / 1e6, mean_of(model, &ReportScore::quality)});
  return plot_points("Size against quality", "file, MB", quality.name, points);
}

std::string training_picture(const std::vector<ReportModel>& models) {
  std::vector<Series> series;
  for (const ReportModel& model : models)
    for (const Series& one : model.training) {
      series.push_back(one);
      series.back().name = model.name + ": " + one.name;
    }
  return series.empty() ? "" : plot_lines("Training", "update", "negative log-likelihood, nats", series);
}

}  // namespace

ReportScore report_score(const EvaluationResult& result) {
  const auto accuracies = [](const eval::AccuracyCounts& counts) {
    return std::vector<std::pair<std::string, std::string>>{{"exact %", percent(counts.exact_accuracy())},
                                                            {"characters %", percent(counts.character_accuracy())},
                                                            {"CER %", percent(counts.character_error_rate())}};
  };
  ReportScore score;
  score.set = result.name;
  score.lines = result.accuracy.lines;
  score.cells = accuracies(result.accuracy);
  score.cells.emplace_back("BLEU", fixed(result.bleu, 2));
  score.cells.emplace_back("ms mean", fixed(result.mean_milliseconds, 3));
  score.cells.emplace_back("ms p95", fixed(result.p95_milliseconds, 3));
  score.cells.emplace_back("keys/s", short_count(result.keys_per_second));
  score.quality = 100 * result.accuracy.character_accuracy();
  score.exact = 100 * result.accuracy.exact_accuracy();
  score.milliseconds = result.mean_milliseconds;
  score.signature = "BLEU over characters: " + result.bleu_signature;
  if (!result.has_baseline) return score;
  score.baseline = 100 * result.baseline.character_accuracy();
  score.baseline_cells = accuracies(result.baseline);
  return score;
}

ReportScore report_score(const SequenceEvaluation& result) {
  ReportScore score;
  score.set = result.name;
  score.lines = result.lines;
  for (const eval::MetricResult& metric : result.metrics) {
    const std::string text = fixed(metric.score, 2);
    score.cells.emplace_back(metric.name, text);
    if (metric.key == "exact_accuracy") score.exact = metric.score;
    if (metric.key != "bleu") continue;
    score.quality = metric.score;
    score.signature = metric.signature;
  }
  score.cells.emplace_back("sentences/s", short_count(result.sentences_per_second()));
  score.milliseconds = result.lines == 0 ? 0 : 1000 * result.seconds / static_cast<double>(result.lines);
  return score;
}

std::string report_page(const std::vector<ReportModel>& models, const ReportQuality& quality) {
  std::string body = "<h1>LiteNAT report</h1>\n<h2>Models</h2>\n" + model_table(models, quality);
  body += size_picture(models, quality);
  if (!models[0].results.empty())
    body += "<h2>Sets</h2>\n" + set_picture(models, quality) + set_tables(models, quality);
  const std::string training = training_picture(models);
  if (!training.empty()) body += "<h2>Training</h2>\n" + training;
  if (!models[0].results.empty()) body += "<p class=\"note\">" + escaped(models[0].results[0].signature) + "</p>\n";
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n<title>LiteNAT report</title>\n<style>" +
         std::string(kStyle) + "</style>\n</head>\n<body>\n" + body + "</body>\n</html>\n";
}

}  // namespace litenat::cli
