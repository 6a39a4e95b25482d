#include "data/corpus_output.h"

#include <algorithm>

#include "base/error.h"

namespace litenat::data {
namespace {

std::string_view line_of(const std::string& lines, uint32_t begin, uint32_t end) {
  return std::string_view(lines).substr(begin, end - begin);
}

std::string without_blanks(std::string text) {
  text.erase(std::remove_if(text.begin(), text.end(), [](char c) { return c == ' ' || c == '\n'; }), text.end());
  return text;
}

int64_t count_tokens(const std::string& line) { return std::count(line.begin(), line.end(), ' ') + 1; }

}  // namespace

std::vector<std::string> corpus_file_names() {
  std::vector<std::string> names = {"summary.json"};
  for (const std::string subset : {"train", "valid", "test"}) {
    names.push_back(subset + ".hanzi");
    names.push_back(subset + ".pinyin");
    for (const auto& [mode, name] : kKeyModeNames.values) {
      names.push_back(subset + "." + name);
      names.push_back(subset + "." + name + ".tsv");
    }
  }
  return names;
}

CorpusOutput::CorpusOutput(const std::string& folder, const KeySampling& sampling, bool key_files)
    : folder_(folder), sampling_(sampling), key_files_(key_files) {
  folder_.own(corpus_file_names());
  for (const std::string& name : file_names("train")) train_.push_back(open(name));
}

CorpusOutput::~CorpusOutput() = default;

std::vector<std::string> CorpusOutput::file_names(const std::string& subset) const {
  std::vector<std::string> names{subset + ".hanzi", subset + ".pinyin"};
  if (key_files_)
    for (const KeyMode mode : sampling_.modes) names.push_back(subset + "." + kKeyModeNames.name(mode));
  return names;
}

CorpusOutput::File CorpusOutput::open(const std::string& name) const {
  File file;
  file.file = std::make_unique<AtomicFile>((folder_.path() / name).string());
  throw_if_error(file.file->open());
  return file;
}

void CorpusOutput::write_pending(File* file) {
  throw_if_error(file->file->write(file->pending));
  file->pending.clear();
}

void CorpusOutput::close(File* file) {
  write_pending(file);
  throw_if_error(file->file->commit());
}

void CorpusOutput::add_train(const ClauseBatch& batch, size_t i) {
  const ClauseBatch::Clause& clause = batch.clauses[i];
  const ClauseBatch::Clause first{0, 0, 0, 0};
  const ClauseBatch::Clause& before = i == 0 ? first : batch.clauses[i - 1];
  train_[0].pending += line_of(batch.hanzi, before.hanzi_end, clause.hanzi_end);
  train_[1].pending += line_of(batch.pinyin, before.pinyin_end, clause.pinyin_end);
  for (size_t mode = 0; mode < batch.keys.size(); ++mode) {
    const std::vector<uint32_t>& ends = batch.key_ends[mode];
    train_[2 + mode].pending += line_of(batch.keys[mode], i == 0 ? 0 : ends[i - 1], ends[i]);
  }
}

void CorpusOutput::add_train(const HeldOutClause& clause) {
  const KeyLines keys = key_files_ ? key_lines(clause) : KeyLines{};
  for (int copy = 0; copy < clause.copies; ++copy) {
    train_[0].pending += clause.lines.hanzi;
    train_[1].pending += clause.lines.pinyin;
    for (size_t mode = 0; mode < keys.size(); ++mode) train_[2 + mode].pending += keys[mode];
  }
}

KeyLines CorpusOutput::key_lines(const HeldOutClause& clause) const {
  KeyLines lines;
  const std::vector<text::SyllableId> syllables = parse_pinyin_line(clause.lines.pinyin);
  for (size_t mode = 0; mode < sampling_.modes.size(); ++mode) {
    std::string line;
    for (const text::UnitId unit : sampling_.sample(syllables, mode, clause.priority))
      line += (line.empty() ? "" : " ") + std::string(text::unit_token(unit));
    lines.push_back(line + "\n");
  }
  return lines;
}

std::string CorpusOutput::pairs(const std::vector<HeldOutClause>& clauses, size_t mode) const {
  std::string text;
  for (const HeldOutClause& clause : clauses) {
    const std::vector<text::SyllableId> syllables = parse_pinyin_line(clause.lines.pinyin);
    text += join_keys(sampling_.sample(syllables, mode, clause.priority));
    text += "\t" + without_blanks(clause.lines.hanzi) + "\n";
  }
  return text;
}

int64_t CorpusOutput::write_held_out(const std::string& subset, const std::vector<HeldOutClause>& clauses) {
  std::vector<std::string> texts(file_names(subset).size());
  int64_t hanzi = 0;
  for (const HeldOutClause& clause : clauses) {
    texts[0] += clause.lines.hanzi;
    texts[1] += clause.lines.pinyin;
    const KeyLines keys = key_files_ ? key_lines(clause) : KeyLines{};
    for (size_t mode = 0; mode < keys.size(); ++mode) texts[2 + mode] += keys[mode];
    hanzi += count_tokens(clause.lines.hanzi);
  }
  for (size_t i = 0; i < texts.size(); ++i) write_text(file_names(subset)[i], texts[i]);
  for (size_t mode = 0; mode < sampling_.modes.size(); ++mode)
    write_text(subset + "." + kKeyModeNames.name(sampling_.modes[mode]) + ".tsv", pairs(clauses, mode));
  return hanzi;
}

void CorpusOutput::flush() {
  for (File& file : train_) write_pending(&file);
}

void CorpusOutput::write_text(const std::string& name, const std::string& text) {
  throw_if_error(write_file_atomically((folder_.path() / name).string(), text.data(), text.size()));
}

void CorpusOutput::commit() {
  for (File& file : train_) close(&file);
  folder_.commit();
}

}  // namespace litenat::data
