// Reading bytes from a file or standard input, decompressed: plain, gzip, xz and bzip2, told apart by their content.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace litenat::data {

/// The undecoded bytes of a file, buffered. Owns the descriptor.
class RawInput {
 public:
  /// "-" is standard input. Throws Error when `path` cannot be opened or is a folder.
  explicit RawInput(const std::string& path);
  ~RawInput();
  RawInput(const RawInput&) = delete;
  RawInput& operator=(const RawInput&) = delete;

  const uint8_t* data() const { return buffer_.data() + begin_; }
  size_t size() const { return end_ - begin_; }
  void consume(size_t count) { begin_ += count; }
  /// Makes at least `wanted` bytes available (at most 64 KiB) unless the file ends before; returns size().
  size_t fill(size_t wanted);
  uint64_t bytes_read() const { return bytes_read_; }
  /// What the operating system said when reading failed; empty when it did not.
  const std::string& failure() const { return failure_; }

 private:
  int descriptor_;
  bool at_end_ = false;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0, end_ = 0;
  uint64_t bytes_read_ = 0;
  std::string failure_;
};

/// How the bytes of one format become text.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Fills `out` with up to `size` bytes; 0 at the end. A broken or cut file ends there and sets *problem.
  virtual size_t decode(RawInput* input, uint8_t* out, size_t size, std::string* problem) = 0;
};

class ByteReader {
 public:
  explicit ByteReader(const std::string& path);
  /// Reads up to `size` bytes; fewer only at the end.
  size_t read(char* out, size_t size);
  /// Why the text ends before the file's end ("xz data is cut"), or empty.
  const std::string& problem() const { return problem_; }
  /// Bytes taken from the file, before decompression.
  uint64_t raw_bytes() const { return input_.bytes_read(); }

 private:
  RawInput input_;
  std::unique_ptr<Decoder> decoder_;
  std::string problem_;
};

/// All of `path`, decompressed. Throws Error when it cannot be read to its end or has more than `limit` bytes.
std::string read_decompressed(const std::string& path, size_t limit);

}  // namespace litenat::data
