#include "data/binarizer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/mapped_file.h"
#include "data/binarizer_tokens.h"
#include "data/indexed_dataset.h"
#include "data/ordered_parallel.h"
#include "text/token_table.h"

namespace litenat::data {
namespace {

constexpr size_t kPieceBytes = 1 << 20;  // small enough for even loads and a responsive Ctrl-C

/// Sink that counts tokens. The tokens point into the text, which must outlive it.
class TokenCounter {
 public:
  void add_token(std::string_view token) {
    const uint64_t hash = text::hash_token(token);
    const int32_t i = table_.find(hash, [&](int32_t n) { return entries_[static_cast<size_t>(n)].token == token; });
    if (i != text::TokenTable::kNone) {
      ++entries_[static_cast<size_t>(i)].count;
      return;
    }
    table_.insert(hash, static_cast<int32_t>(entries_.size()));
    entries_.push_back({token, 1});
  }
  void end_line() { ++num_lines_; }

  void add_to(text::Dictionary* dictionary) const {
    for (const Entry& entry : entries_) dictionary->add(entry.token, entry.count);
    if (num_lines_ > 0) dictionary->add(dictionary->token(text::kEos), num_lines_);
  }

 private:
  struct Entry {
    std::string_view token;
    int64_t count;
  };
  text::TokenTable table_;
  std::vector<Entry> entries_;
  int64_t num_lines_ = 0;
};

/// Sink that turns tokens into ids of the type `Id`.
template <typename Id>
class Encoder {
 public:
  /// `path`, for messages, must outlive the encoder.
  Encoder(const text::Dictionary& dictionary, const std::string& path) : dictionary_(dictionary), path_(path) {}

  void add_token(std::string_view token) {
    const int32_t id = dictionary_.find(token);
    if (id == text::kUnk && token != dictionary_.token(text::kUnk)) ++num_replaced_;
    ids_.push_back(static_cast<Id>(id));
  }
  void end_line() {
    ids_.push_back(static_cast<Id>(text::kEos));
    const size_t size = ids_.size() - line_start_;
    if (size > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
      throw Error(path_ + ": a line has " + std::to_string(size) + " tokens, more than a dataset can hold; split it");
    sizes_.push_back(static_cast<int32_t>(size));
    line_start_ = ids_.size();
  }
  void write(IndexedDatasetWriter* writer, BinarizeSummary* summary) const {
    throw_if_error(
        writer->add_packed({reinterpret_cast<const uint8_t*>(ids_.data()), ids_.size() * sizeof(Id)}, sizes_));
    summary->num_sentences += static_cast<int64_t>(sizes_.size());
    summary->num_tokens += static_cast<int64_t>(ids_.size());
    summary->num_replaced += num_replaced_;
  }

 private:
  const text::Dictionary& dictionary_;
  const std::string& path_;
  std::vector<Id> ids_;
  std::vector<int32_t> sizes_;
  size_t line_start_ = 0;
  int64_t num_replaced_ = 0;
};

/// A mapped text file in pieces.
struct TextFile {
  std::shared_ptr<const MappedFile> file;
  std::string_view text;
  std::vector<std::string_view> pieces;

  explicit TextFile(const std::string& path) : file(value_or_throw(MappedFile::open(path))) {
    const Span<const uint8_t> bytes = file->bytes();
    if (!bytes.empty()) text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    pieces = split_at_line_ends(text, kPieceBytes);
  }

  int64_t end_of(size_t piece) const { return pieces[piece].data() + pieces[piece].size() - text.data(); }

  /// Throws unless the whole of `piece` was read.
  void check(size_t piece, size_t bytes_read) const {
    if (bytes_read == pieces[piece].size()) return;
    const char* bad = pieces[piece].data() + bytes_read;
    const auto is_line_start = [this](const char* p) {
      return p > text.data() && (p[-1] == '\n' || (p[-1] == '\r' && *p != '\n'));
    };
    int64_t line = 1;
    for (const char* p = text.data(); p <= bad; ++p) line += is_line_start(p) ? 1 : 0;
    constexpr char kDigits[] = "0123456789ABCDEF";
    const unsigned char byte = static_cast<unsigned char>(*bad);
    throw Error(file->path() + ":" + std::to_string(line) + ": expected UTF-8, found the byte 0x" + kDigits[byte >> 4] +
                kDigits[byte & 15] + " (byte " + std::to_string(bad - text.data()) + " of the file)");
  }
};

/// Runs a sink made by `make_sink(thread)` over every piece; `finish(sink)` follows in the order of the text.
template <typename MakeSink, typename Finish>
void for_each_piece(const TextFile& file, int threads, const BytesDone& progress, MakeSink make_sink, Finish finish) {
  ordered_parallel(file.pieces.size(), threads, [&](size_t piece, size_t thread) {
    auto sink = make_sink(thread);
    const size_t bytes_read = for_each_token(file.pieces[piece], &*sink);
    return [&file, &progress, &finish, piece, sink, bytes_read] {
      throw_if_interrupted();
      file.check(piece, bytes_read);
      finish(*sink);
      if (progress) progress(file.end_of(piece));
    };
  });
}

template <typename Id>
BinarizeSummary binarize_as(const TextFile& file, const text::Dictionary& dictionary, IndexedDatasetWriter* writer,
                            int threads, const BytesDone& progress) {
  BinarizeSummary summary;
  for_each_piece(
      file, threads, progress, [&](size_t) { return std::make_shared<Encoder<Id>>(dictionary, file.file->path()); },
      [&](const Encoder<Id>& encoder) { encoder.write(writer, &summary); });
  return summary;
}

}  // namespace

std::vector<std::string_view> split_at_line_ends(std::string_view text, size_t piece_bytes) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    size_t end = std::min(std::max<size_t>(piece_bytes, 1) - 1, text.size());
    end = std::min(text.find_first_of("\r\n", end), text.size() - 1);
    if (text[end] == '\r' && end + 1 < text.size() && text[end + 1] == '\n') ++end;
    pieces.push_back(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return pieces;
}

void count_tokens(const std::string& path, int threads, text::Dictionary* dictionary, const BytesDone& progress) {
  const TextFile file(path);
  std::vector<TokenCounter> counters(static_cast<size_t>(std::max(1, threads)));
  for_each_piece(
      file, threads, progress, [&](size_t thread) { return &counters[thread]; }, [](const TokenCounter&) {});
  for (const TokenCounter& counter : counters) counter.add_to(dictionary);
}

BinarizeSummary binarize_file(const std::string& path, const text::Dictionary& dictionary, const std::string& prefix,
                              int threads, const BytesDone& progress) {
  const TextFile file(path);
  IndexedDatasetWriter writer(prefix, dictionary.size());
  throw_if_error(writer.open());
  const BinarizeSummary summary = writer.token_bytes() == 2
                                      ? binarize_as<uint16_t>(file, dictionary, &writer, threads, progress)
                                      : binarize_as<uint32_t>(file, dictionary, &writer, threads, progress);
  throw_if_error(writer.commit());
  return summary;
}

}  // namespace litenat::data
