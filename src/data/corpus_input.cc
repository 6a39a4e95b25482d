#include "data/corpus_input.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/error.h"
#include "base/log.h"

namespace litenat::data {
namespace {

namespace fs = std::filesystem;

// Where a block that holds `text` and more to come should end: never inside a hanzi or an HTML entity if there is any
// other place.
size_t cut_position(const std::string& text) {
  const size_t line = text.rfind('\n');
  if (line != std::string::npos) return line + 1;
  const size_t blank = text.find_last_of(" \t>");
  if (blank != std::string::npos) return blank + 1;
  size_t i = text.size() - 1;
  for (int back = 0; back < 3 && i > 1 && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80; ++back) --i;
  return i;
}

}  // namespace

CorpusInput::CorpusInput(const std::vector<std::string>& paths, const std::vector<std::string>& exclude) {
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-") {
      files_.push_back({path, true});
    } else if (fs::is_directory(path, error)) {
      add_folder(path, exclude);
    } else if (fs::exists(path, error)) {
      add_file(path, true);
    } else {
      throw Error(path + ": expected a file or folder, found nothing");
    }
  }
}

void CorpusInput::add_folder(const std::string& path, const std::vector<std::string>& exclude) {
  std::vector<std::string> found;
  std::error_code error;
  fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, error), end;
  for (; !error && it != end; it.increment(error)) {
    const std::string name = it->path().string();
    const bool excluded = std::any_of(exclude.begin(), exclude.end(), [&](const std::string& part) {
      return name.find(part, path.size()) != std::string::npos;
    });
    std::error_code ignored;
    if (excluded) {
      if (it->is_directory(ignored)) it.disable_recursion_pending();
    } else if (it->is_regular_file(ignored)) {
      found.push_back(name);
    }
  }
  if (error) {
    ++counts_.unreadable;
    log_warning(path + ": the folder cannot be read to its end: " + error.message());
  }
  std::sort(found.begin(), found.end());
  for (const std::string& name : found) add_file(name, false);
}

void CorpusInput::add_file(const std::string& path, bool named) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) {
    if (!seen_.emplace(status.st_dev, status.st_ino).second) return;
    raw_total_ += status.st_size;
  }
  files_.push_back({path, named});
}

// Opens the next file that can be opened; false when there is none.
bool CorpusInput::open_next() {
  while (next_file_ < files_.size()) {
    const File& file = files_[next_file_++];
    try {
      reader_ = std::make_unique<ByteReader>(file.path);
    } catch (const Error& error) {
      if (file.named) throw;
      ++counts_.unreadable;
      log_warning(std::string(error.what()) + "; left out");
      continue;
    }
    ++counts_.documents;
    file_bytes_ = 0;
    in_long_line_ = false;
    return true;
  }
  return false;
}

void CorpusInput::close() {
  const std::string& path = files_[next_file_ - 1].path;
  if (!reader_->problem().empty()) {
    ++counts_.cut;
    log_warning(path + ": " + reader_->problem() + "; kept the " + std::to_string(file_bytes_) + " bytes before");
  } else if (file_bytes_ == 0) {
    ++counts_.empty;
  }
  if (path != "-") raw_done_ += static_cast<int64_t>(reader_->raw_bytes());
  reader_.reset();
}

// Reads until `text` is a whole block or the document ends.
void CorpusInput::fill(std::string* text) {
  text->swap(tail_);
  tail_.clear();
  const size_t old_size = text->size();
  text->resize(kBlockSize);
  const size_t count = reader_->read(&(*text)[old_size], kBlockSize - old_size);
  text->resize(old_size + count);
  file_bytes_ += static_cast<int64_t>(count);
  counts_.bytes += static_cast<int64_t>(count);
}

// Moves what is behind the cut of a full block to the tail.
void CorpusInput::cut(std::string* text) {
  const size_t position = cut_position(*text);
  const bool long_line = (*text)[position - 1] != '\n';
  if (long_line && !in_long_line_) ++counts_.long_lines;
  in_long_line_ = long_line;
  tail_.assign(*text, position, std::string::npos);
  text->resize(position);
}

bool CorpusInput::next(CorpusBlock* block) {
  for (;;) {
    if (reader_ == nullptr && !open_next()) return false;
    fill(&block->text);
    const bool ends = block->text.size() < kBlockSize;
    if (!ends) cut(&block->text);
    const auto taken = static_cast<int64_t>(files_[next_file_ - 1].path == "-" ? 0 : reader_->raw_bytes());
    block->raw_bytes = raw_done_ + taken;
    if (ends) close();
    if (block->text.empty()) continue;
    block->number = next_number_++;
    return true;
  }
}

}  // namespace litenat::data
