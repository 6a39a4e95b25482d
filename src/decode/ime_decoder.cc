#include "decode/ime_decoder.h"

#include <algorithm>

#include "base/utf8.h"
#include "decode/emission_scorer.h"
#include "decode/ime_segments.h"

namespace litenat::decode {
namespace {

// Rows of one call of the engine: bounds the memory of long lines.
constexpr size_t kMaxBatchRows = 1024;

SearchOptions search_options(const ImeOptions& options) {
  SearchOptions result;
  result.beam = options.beam;
  result.num_best = options.num_best;
  result.word_weight = static_cast<float>(options.word_weight);
  result.word_penalty = static_cast<float>(options.word_penalty);
  result.characters_per_arc = options.characters_per_arc;
  result.words_per_span = options.words_per_span;
  result.constrained = options.constrained;
  result.sentence_end = options.sentence_end;
  return result;
}

// One input of the engine: a parse of a piece, or the keys of a piece.
struct Item {
  size_t piece;
  std::vector<int32_t> ids;
  Parse parse;  // empty for keys
};

Item keys_item(size_t piece, std::string_view keys) {
  Item item{piece, {}, {}};
  for (const char key : keys) item.ids.push_back(text::key_token(key));
  return item;
}

Item units_item(size_t piece, Parse parse) {
  Item item{piece, {}, std::move(parse)};
  for (const UnitSpan& span : item.parse.units) item.ids.push_back(span.unit);
  return item;
}

// The conversion of one line.
class Conversion {
 public:
  Conversion(TaggerEngine* engine, const ImeResources& resources, const ImeOptions& options)
      : engine_(engine), resources_(resources), options_(options) {}

  Result<std::vector<Candidate>> run(std::string_view line) {
    segments_ = split_line(line);
    if (options_.strict) LITENAT_RETURN_IF_ERROR(check_strict());
    for (LineSegment& segment : segments_) {
      if (segment.is_keys) segment.pieces = split_run(segment.text, resources_.unit_model);
    }
    collect_items();
    for (size_t begin = 0, end = 0; begin < items_.size(); begin = end) {
      size_t rows = 0;
      for (end = begin; end < items_.size(); ++end) {
        if (end > begin && rows + items_[end].ids.size() > kMaxBatchRows) break;
        rows += items_[end].ids.size();
      }
      LITENAT_RETURN_IF_ERROR(run_batch(begin, end));
    }
    return join();
  }

 private:
  Status check_strict() const {
    for (const LineSegment& segment : segments_) {
      if (segment.is_keys) continue;
      return invalid_argument("\"" + std::string(segment.text.substr(0, 40)) + "\" at byte " +
                              std::to_string(segment.offset) + " is no key sequence ([a-z'] or [2-9'])");
    }
    return {};
  }

  void collect_items() {
    for (const LineSegment& segment : segments_) {
      for (const std::string_view keys : segment.pieces) {
        add_items(keys);
        found_.emplace_back();
      }
    }
  }

  void add_items(std::string_view keys) {
    const size_t piece = found_.size();
    if (resources_.keys_input) {
      items_.push_back(keys_item(piece, keys));
      piece_keys_.push_back(keys);
      return;
    }
    piece_keys_.push_back(keys);
    ParseOptions parse_options;
    parse_options.num_parses = options_.parses;
    for (Parse& parse : best_parses(keys, resources_.unit_model, parse_options)) {
      items_.push_back(units_item(piece, std::move(parse)));
    }
  }

  Status run_batch(size_t begin, size_t end) {
    std::vector<int32_t> ids;
    std::vector<int32_t> lengths;
    for (size_t i = begin; i < end; ++i) {
      ids.insert(ids.end(), items_[i].ids.begin(), items_[i].ids.end());
      lengths.push_back(static_cast<int32_t>(items_[i].ids.size()));
    }
    LITENAT_ASSIGN_OR_RETURN(const TaggerEngine::Output output, engine_->run(ids, lengths));
    const auto num_targets = static_cast<size_t>(resources_.targets.size());
    if (output.emissions.size() != ids.size() * num_targets ||
        (!output.boundary.empty() && output.boundary.size() != ids.size())) {
      return internal_error("the engine gave " + std::to_string(output.emissions.size()) + " scores for " +
                            std::to_string(ids.size()) + " rows of " + std::to_string(num_targets));
    }
    size_t row = 0;
    for (size_t i = begin; i < end; ++i) {
      const size_t rows = items_[i].ids.size();
      const auto emissions = output.emissions.subspan(row * num_targets, rows * num_targets);
      const auto boundary = output.boundary.empty() ? Span<const float>() : output.boundary.subspan(row, rows);
      search_item(items_[i], EmissionScorer(emissions, num_targets, engine_), boundary);
      row += rows;
    }
    return {};
  }

  void search_item(const Item& item, const EmissionScorer& scorer, Span<const float> boundary) {
    const Lattice lattice =
        resources_.keys_input ? keys_lattice(piece_keys_[item.piece], boundary) : units_lattice(item.parse);
    const float offset = static_cast<float>(options_.parse_weight) * item.parse.score;
    for (const LatticeHypothesis& hypothesis :
         search(lattice, scorer, resources_.lexicon, resources_.word_model, search_options(options_))) {
      std::string text;
      for (const int32_t character : hypothesis.characters) text += resources_.targets.token(character);
      add_candidate(&found_[item.piece], {std::move(text), hypothesis.score + offset});
    }
  }

  // Parses may lead to the same text: the best score counts.
  static void add_candidate(std::vector<Candidate>* list, Candidate candidate) {
    for (Candidate& other : *list) {
      if (other.text != candidate.text) continue;
      other.score = std::max(other.score, candidate.score);
      return;
    }
    list->push_back(std::move(candidate));
  }

  Result<std::vector<Candidate>> join() {
    std::vector<std::vector<Candidate>> lists;
    size_t piece = 0;
    for (const LineSegment& segment : segments_) {
      const size_t begin = piece;
      piece += segment.pieces.size();
      const bool is_read = !segment.pieces.empty() && std::none_of(found_.begin() + static_cast<std::ptrdiff_t>(begin),
                                                                   found_.begin() + static_cast<std::ptrdiff_t>(piece),
                                                                   [](const auto& list) { return list.empty(); });
      if (!is_read) {
        if (options_.strict)
          return invalid_argument("\"" + std::string(segment.text.substr(0, 40)) + "\" cannot be read");
        lists.push_back({{std::string(segment.text), 0}});
        continue;
      }
      for (size_t p = begin; p < piece; ++p) lists.push_back(std::move(found_[p]));
    }
    return join_candidates(std::move(lists), static_cast<size_t>(std::max(options_.num_best, 1)));
  }

  TaggerEngine* engine_;
  const ImeResources& resources_;
  const ImeOptions& options_;
  std::vector<LineSegment> segments_;
  std::vector<std::string_view> piece_keys_;
  std::vector<Item> items_;
  std::vector<std::vector<Candidate>> found_;  // by piece
};

Status check_line(std::string_view line) {
  if (line.size() > ImeDecoder::kMaxLineBytes) {
    return invalid_argument("the line has " + std::to_string(line.size()) + " bytes, at most " +
                            std::to_string(ImeDecoder::kMaxLineBytes) + " can be converted");
  }
  for (size_t i = 0; i < line.size();) {
    const size_t begin = i;
    bool valid = false;
    decode_utf8(line, &i, &valid);
    if (!valid) return invalid_argument("the line is not UTF-8 at byte " + std::to_string(begin));
  }
  return {};
}

}  // namespace

ImeDecoder::ImeDecoder(TaggerEngine* engine, const ImeResources* resources) : engine_(engine), resources_(resources) {}

Result<std::vector<Candidate>> ImeDecoder::convert(std::string_view line, const ImeOptions& options) {
  LITENAT_RETURN_IF_ERROR(check_line(line));
  if (resources_->lexicon.num_targets() != resources_->targets.size()) {
    return invalid_argument("the lexicon is made for " + std::to_string(resources_->lexicon.num_targets()) +
                            " targets, the dictionary has " + std::to_string(resources_->targets.size()));
  }
  return Conversion(engine_, *resources_, options).run(line);
}

}  // namespace litenat::decode
