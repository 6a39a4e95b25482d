#include "data/corpus_mt_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "data/text_cleaning.h"

namespace litenat::data {
namespace {

constexpr size_t kBlockBytes = size_t{1} << 18, kBlockLines = size_t{1} << 14;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

int64_t file_size(const std::string& path) {
  if (path.empty() || path == "-") return 0;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw Error(path + ": expected a file, found nothing");
  return status.st_size;
}

/// Column `number` (from 1) of a row, or false when there are fewer.
bool find_column(std::string_view row, int number, std::string_view* column) {
  for (; number > 1; --number) {
    const size_t tab = row.find('\t');
    if (tab == std::string_view::npos) return false;
    row.remove_prefix(tab + 1);
  }
  *column = row.substr(0, row.find('\t'));
  return true;
}

}  // namespace

bool LineReader::refill() {
  begin_ = 0;
  end_ = reader_.read(buffer_.data(), buffer_.size());
  if (end_ == 0 && !reader_.problem().empty())
    throw Error(path_ + ": " + reader_.problem() + " after line " + std::to_string(lines_));
  return end_ > 0;
}

bool LineReader::next(std::string* text, bool* too_long) {
  const size_t first = text->size();
  *too_long = false;
  bool found = false, complete = false;
  while (!complete && (begin_ < end_ || refill())) {
    found = true;
    const char* data = buffer_.data() + begin_;
    const auto* line_end = static_cast<const char*>(std::memchr(data, '\n', end_ - begin_));
    const size_t size = line_end == nullptr ? end_ - begin_ : static_cast<size_t>(line_end - data);
    const size_t room = kMaxLineBytes - (text->size() - first);
    text->append(data, std::min(size, room));
    *too_long = *too_long || size > room;
    begin_ += size + (line_end == nullptr ? 0 : 1);
    complete = line_end != nullptr;
  }
  if (!found) return false;
  if (text->size() > first && text->back() == '\r') text->pop_back();
  if (lines_++ == 0 && text->compare(first, kByteOrderMark.size(), kByteOrderMark) == 0)
    text->erase(first, kByteOrderMark.size());
  return true;
}

void LineReader::skip_rest() {
  std::string line;
  for (bool too_long = false; next(&line, &too_long);) line.clear();
}

void PairBlock::clear() {
  source.clear();
  target.clear();
  source_ends.clear();
  target_ends.clear();
  states.clear();
}

PairReader::PairReader(std::vector<PairInput> inputs, int source_column, int target_column)
    : inputs_(std::move(inputs)), source_column_(source_column), target_column_(target_column) {
  for (const PairInput& input : inputs_) raw_total_ += file_size(input.source) + file_size(input.target);
}

bool PairReader::open_next() {
  if (next_input_ == inputs_.size()) return false;
  const PairInput& input = inputs_[next_input_++];
  source_ = std::make_unique<LineReader>(input.source);
  if (!input.target.empty()) target_ = std::make_unique<LineReader>(input.target);
  return true;
}

void PairReader::fail_lengths() {
  source_->skip_rest();
  target_->skip_rest();
  throw Error(source_->path() + " has " + std::to_string(source_->lines()) + " lines, " + target_->path() + " has " +
              std::to_string(target_->lines()) + ": expected as many, each the translation of the other");
}

bool PairReader::add_pair(PairBlock* block) {
  bool source_too_long = false, target_too_long = false;
  const bool has_source = source_->next(&block->source, &source_too_long);
  const bool has_target = target_->next(&block->target, &target_too_long);
  if (has_source != has_target) fail_lengths();
  if (!has_source) return false;
  block->states.push_back(source_too_long || target_too_long ? RawPairState::kTooLong : RawPairState::kWhole);
  return true;
}

bool PairReader::add_row(PairBlock* block) {
  row_.clear();
  bool too_long = false;
  if (!source_->next(&row_, &too_long)) return false;
  std::string_view source, target;
  const bool found = find_column(row_, source_column_, &source) && find_column(row_, target_column_, &target);
  if (found) {
    block->source += source;
    block->target += target;
  }
  const bool whole = found || clean_line(row_).empty();  // an empty row is an empty pair
  block->states.push_back(too_long ? RawPairState::kTooLong
                          : whole  ? RawPairState::kWhole
                                   : RawPairState::kColumnMissing);
  return true;
}

bool PairReader::next(PairBlock* block) {
  block->clear();
  while (block->size() == 0) {
    if (source_ == nullptr && !open_next()) return false;
    block->first_line = source_->lines() + 1;
    bool more = true;
    while (more && block->size() < kBlockLines && block->source.size() + block->target.size() < kBlockBytes) {
      more = target_ == nullptr ? add_row(block) : add_pair(block);
      if (!more) break;
      block->source_ends.push_back(block->source.size());
      block->target_ends.push_back(block->target.size());
    }
    block->raw_bytes = raw_done_ + source_->raw_bytes() + (target_ == nullptr ? 0 : target_->raw_bytes());
    if (more) continue;
    raw_done_ = block->raw_bytes;
    source_.reset();
    target_.reset();
  }
  return true;
}

}  // namespace litenat::data
