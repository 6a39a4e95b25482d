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

/// Mean over the sets of the character accuracy in percent.
double mean_characters(const ReportModel& model) {
  double sum = 0;
  for (const EvaluationResult& result : model.results) sum += 100 * result.accuracy.character_accuracy();
  return model.results.empty() ? 0 : sum / static_cast<double>(model.results.size());
}

double mean_exact(const ReportModel& model) {
  double sum = 0;
  for (const EvaluationResult& result : model.results) sum += 100 * result.accuracy.exact_accuracy();
  return model.results.empty() ? 0 : sum / static_cast<double>(model.results.size());
}

double mean_latency(const ReportModel& model) {
  double sum = 0;
  for (const EvaluationResult& result : model.results) sum += result.mean_milliseconds;
  return model.results.empty() ? 0 : sum / static_cast<double>(model.results.size());
}

std::string model_table(const std::vector<ReportModel>& models) {
  HtmlTable table;
  table.add(
      {"model", "precision", "parameters", "weights", "file", "multiply-adds", "exact %", "characters %", "ms a line"});
  for (const ReportModel& model : models)
    table.add({model.name, model.facts.precision, short_count(static_cast<double>(model.facts.total().parameters())),
               file_size(static_cast<double>(model.facts.weight_bytes)),
               file_size(static_cast<double>(model.facts.size_bytes)),
               short_count(static_cast<double>(model.facts.total().multiply_adds)), fixed(mean_exact(model), 2),
               fixed(mean_characters(model), 2), fixed(mean_latency(model), 3)});
  return table.html() +
         "<p class=\"note\">Qualities and times are means over the sets below. Multiply-adds are those of " +
         std::to_string(kReportLength) + " rows. The file holds dictionaries, lexicon and n-grams too.</p>\n";
}

std::string set_tables(const std::vector<ReportModel>& models) {
  std::string html;
  for (size_t set = 0; set < models[0].results.size(); ++set) {
    const EvaluationResult& first = models[0].results[set];
    HtmlTable table;
    table.add({"model", "exact %", "characters %", "CER %", "BLEU", "ms mean", "ms p95", "keys/s"});
    double best = 0;
    for (const ReportModel& model : models) best = std::max(best, model.results[set].accuracy.character_accuracy());
    for (const ReportModel& model : models) {
      const EvaluationResult& result = model.results[set];
      table.add(
          {model.name, percent(result.accuracy.exact_accuracy()), percent(result.accuracy.character_accuracy()),
           percent(result.accuracy.character_error_rate()), fixed(result.bleu, 2), fixed(result.mean_milliseconds, 3),
           fixed(result.p95_milliseconds, 3), short_count(result.keys_per_second)},
          {false, false, result.accuracy.character_accuracy() >= best});
    }
    table.add({"commonest hanzi", percent(first.baseline.exact_accuracy()),
               percent(first.baseline.character_accuracy()), percent(first.baseline.character_error_rate()), "", "", "",
               ""});
    html +=
        "<h3>" + escaped(first.name) + " (" + std::to_string(first.accuracy.lines) + " lines)</h3>\n" + table.html();
  }
  return html;
}

std::string set_picture(const std::vector<ReportModel>& models) {
  BarGroups bars;
  for (const EvaluationResult& result : models[0].results) bars.groups.push_back(result.name);
  for (const ReportModel& model : models) {
    bars.series.push_back(model.name);
    bars.values.emplace_back();
    for (const EvaluationResult& result : model.results)
      bars.values.back().push_back(100 * result.accuracy.character_accuracy());
  }
  bars.series.push_back("commonest hanzi");
  bars.values.emplace_back();
  for (const EvaluationResult& result : models[0].results)
    bars.values.back().push_back(100 * result.baseline.character_accuracy());
  return plot_bars("Characters right, by set", "characters, %", bars);
}

std::string size_picture(const std::vector<ReportModel>& models) {
  std::vector<LabelledPoint> points;
  for (const ReportModel& model : models)
    points.push_back({model.name, static_cast<double>(model.facts.size_bytes) / 1e6, mean_characters(model)});
  return plot_points("Size against quality", "file, MB", "characters, %", points);
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

std::string report_page(const std::vector<ReportModel>& models) {
  std::string body = "<h1>LiteNAT report</h1>\n<h2>Models</h2>\n" + model_table(models);
  body += size_picture(models);
  if (!models[0].results.empty()) body += "<h2>Sets</h2>\n" + set_picture(models) + set_tables(models);
  const std::string training = training_picture(models);
  if (!training.empty()) body += "<h2>Training</h2>\n" + training;
  if (!models[0].results.empty())
    body += "<p class=\"note\">BLEU over characters: " + escaped(models[0].results[0].bleu_signature) + "</p>\n";
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
         "content=\"width=device-width, initial-scale=1\">\n<title>LiteNAT report</title>\n<style>" +
         std::string(kStyle) + "</style>\n</head>\n<body>\n" + body + "</body>\n</html>\n";
}

}  // namespace litenat::cli
