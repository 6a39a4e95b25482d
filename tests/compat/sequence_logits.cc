// The logits of a model with a decoder, for scripts that compare them with another program's.
//
//   sequence_logits MODEL < PAIRS
//
// A line of PAIRS is source ids, a tab, decoder input ids (both with their specials); for each, one line of JSON:
// {"length": [...], "logits": [[...], ...]}.
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "export/resolve_model.h"
#include "runtime/sequence_executor.h"

namespace litenat {
namespace {

std::vector<int32_t> parse_ids(const std::string& text) {
  std::istringstream stream(text);
  std::vector<int32_t> ids;
  for (int32_t id = 0; stream >> id;) ids.push_back(id);
  return ids;
}

Json row_of(Span<const float> values) {
  Json row = Json::array();
  for (const float value : values) row.push_back(Json(static_cast<double>(value)));
  return row;
}

/// [rows, V] in the order of the vocabulary.
Json logits_of(const decode::RowCandidates& candidates) {
  Json rows = Json::array();
  const auto width = static_cast<size_t>(candidates.per_row);
  std::vector<float> row(width);
  for (size_t begin = 0; begin < candidates.logits.size(); begin += width) {
    for (size_t i = begin; i < begin + width; ++i)
      row[static_cast<size_t>(candidates.tokens[i])] = candidates.logits[i];
    rows.push_back(row_of(row));
  }
  return rows;
}

Json run(runtime::SequenceExecutor* engine, const std::string& line) {
  const size_t tab = line.find('\t');
  if (tab == std::string::npos) throw Error("expected source ids, a tab, and decoder input ids; found '" + line + "'");
  const std::vector<int32_t> source = parse_ids(line.substr(0, tab));
  const std::vector<int32_t> target = parse_ids(line.substr(tab + 1));
  const std::vector<int32_t> source_length = {static_cast<int32_t>(source.size())};
  const std::vector<int32_t> target_length = {static_cast<int32_t>(target.size())};
  const std::vector<int32_t> sentence = {0};
  throw_if_error(engine->encode(source, source_length));
  Json result = Json::object();
  if (!engine->traits().autoregressive && engine->traits().predicts_length)
    result.set("length", row_of(value_or_throw(engine->length_logits())));
  result.set("logits", logits_of(value_or_throw(
                           engine->decode(target, target_length, sentence, engine->traits().target_vocabulary, {}))));
  return result;
}

int print_all(const std::string& model) {
  const auto engine = value_or_throw(runtime::SequenceExecutor::create(export_model::resolve_model(model).model));
  for (std::string line; std::getline(std::cin, line);) std::cout << run(engine.get(), line).dump() << '\n';
  return 0;
}

}  // namespace
}  // namespace litenat

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: sequence_logits MODEL < PAIRS\n";
    return 2;
  }
  try {
    return litenat::print_all(argv[1]);
  } catch (const litenat::Error& error) {
    std::cerr << "sequence_logits: " << error.what() << '\n';
    return 1;
  }
}
