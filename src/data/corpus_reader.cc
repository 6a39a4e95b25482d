#include "data/corpus_reader.h"

#include <bzlib.h>
#include <fcntl.h>
#include <lzma.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace litenat::data {
namespace {

constexpr size_t kBufferSize = 1 << 16;
constexpr uint64_t kXzMemory = uint64_t{1} << 30;  // xz -9 needs 65 MiB; what asks for more is no text archive
constexpr size_t kMagicSize = 6;

class PlainDecoder : public Decoder {
 public:
  size_t decode(RawInput* input, uint8_t* out, size_t size, std::string*) override {
    const size_t count = std::min(size, input->fill(1));
    std::memcpy(out, input->data(), count);
    input->consume(count);
    return count;
  }
};

class GzipDecoder : public Decoder {
 public:
  GzipDecoder() {
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) throw Error("zlib: out of memory");
  }
  ~GzipDecoder() override { inflateEnd(&stream_); }

  size_t decode(RawInput* input, uint8_t* out, size_t size, std::string* problem) override {
    stream_.next_out = out;
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out == size && !finished_) step(input, problem);
    return size - stream_.avail_out;
  }

 private:
  void step(RawInput* input, std::string* problem) {
    const size_t available = input->fill(1);
    stream_.next_in = const_cast<Bytef*>(input->data());  // zlib does not write there
    stream_.avail_in = static_cast<uInt>(available);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    input->consume(available - stream_.avail_in);
    if (code == Z_STREAM_END) {
      const bool another = input->fill(2) >= 2 && input->data()[0] == 0x1F && input->data()[1] == 0x8B;
      finished_ = !another || inflateReset(&stream_) != Z_OK;
    } else if (code != Z_OK) {
      finished_ = true;
      *problem = available == 0 ? "gzip data is cut" : "gzip data is damaged";
    }
  }

  z_stream stream_{};
  bool finished_ = false;
};

class XzDecoder : public Decoder {
 public:
  XzDecoder() {
    if (lzma_stream_decoder(&stream_, kXzMemory, LZMA_CONCATENATED) != LZMA_OK) throw Error("liblzma: out of memory");
  }
  ~XzDecoder() override { lzma_end(&stream_); }

  size_t decode(RawInput* input, uint8_t* out, size_t size, std::string* problem) override {
    stream_.next_out = out;
    stream_.avail_out = size;
    while (stream_.avail_out == size && !finished_) step(input, problem);
    return size - stream_.avail_out;
  }

 private:
  void step(RawInput* input, std::string* problem) {
    const size_t available = input->fill(1);
    stream_.next_in = input->data();
    stream_.avail_in = available;
    const lzma_ret code = lzma_code(&stream_, available == 0 ? LZMA_FINISH : LZMA_RUN);
    input->consume(available - stream_.avail_in);
    if (code == LZMA_OK) return;
    finished_ = true;
    if (code == LZMA_MEMLIMIT_ERROR) {
      *problem = "xz data needs more than 1 GiB of memory";
    } else if (code != LZMA_STREAM_END) {
      *problem = available == 0 ? "xz data is cut" : "xz data is damaged";
    }
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  bool finished_ = false;
};

class Bzip2Decoder : public Decoder {
 public:
  Bzip2Decoder() { start(); }
  ~Bzip2Decoder() override { BZ2_bzDecompressEnd(&stream_); }

  size_t decode(RawInput* input, uint8_t* out, size_t size, std::string* problem) override {
    stream_.next_out = reinterpret_cast<char*>(out);
    stream_.avail_out = static_cast<unsigned>(size);
    while (stream_.avail_out == size && !finished_) step(input, problem);
    return size - stream_.avail_out;
  }

 private:
  void start() {
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw Error("libbz2: out of memory");
  }
  void step(RawInput* input, std::string* problem) {
    const size_t available = input->fill(1);
    stream_.next_in = reinterpret_cast<char*>(const_cast<uint8_t*>(input->data()));  // libbz2 does not write there
    stream_.avail_in = static_cast<unsigned>(available);
    const unsigned space = stream_.avail_out;
    const int code = BZ2_bzDecompress(&stream_);
    input->consume(available - stream_.avail_in);
    if (code == BZ_STREAM_END) {
      next_stream(input);
    } else if (code != BZ_OK || (available == 0 && stream_.avail_out == space)) {
      finished_ = true;
      *problem = available == 0 ? "bzip2 data is cut" : "bzip2 data is damaged";
    }
  }
  void next_stream(RawInput* input) {
    finished_ = input->fill(3) < 3 || std::memcmp(input->data(), "BZh", 3) != 0;
    if (finished_) return;
    char* const next_out = stream_.next_out;
    const unsigned space = stream_.avail_out;
    BZ2_bzDecompressEnd(&stream_);
    stream_ = bz_stream{};
    start();
    stream_.next_out = next_out;
    stream_.avail_out = space;
  }

  bz_stream stream_{};
  bool finished_ = false;
};

std::unique_ptr<Decoder> make_decoder(RawInput* input) {
  const size_t size = input->fill(kMagicSize);
  const auto starts_with = [&](const char* magic, size_t length) {
    return size >= length && std::memcmp(input->data(), magic, length) == 0;
  };
  if (starts_with("\x1F\x8B\x08", 3)) return std::make_unique<GzipDecoder>();
  if (starts_with("\xFD"
                  "7zXZ\0",
                  6))
    return std::make_unique<XzDecoder>();
  if (starts_with("BZh", 3)) return std::make_unique<Bzip2Decoder>();
  return std::make_unique<PlainDecoder>();
}

}  // namespace

RawInput::RawInput(const std::string& path)
    : descriptor_(path == "-" ? 0 : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) throw Error(path + ": cannot be opened: " + std::strerror(errno));
  struct stat status {};
  if (::fstat(descriptor_, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(descriptor_);
    throw Error(path + ": expected a file, found a folder");
  }
  buffer_.resize(kBufferSize);
}

RawInput::~RawInput() {
  if (descriptor_ > 0) ::close(descriptor_);
}

size_t RawInput::fill(size_t wanted) {
  while (size() < wanted && !at_end_) {
    std::memmove(buffer_.data(), data(), size());
    end_ = size();
    begin_ = 0;
    const ssize_t count = ::read(descriptor_, buffer_.data() + end_, buffer_.size() - end_);
    if (count > 0) {
      end_ += static_cast<size_t>(count);
      bytes_read_ += static_cast<uint64_t>(count);
    } else if (count == 0 || errno != EINTR) {
      at_end_ = true;
      if (count < 0) failure_ = std::strerror(errno);
    }
  }
  return size();
}

ByteReader::ByteReader(const std::string& path) : input_(path), decoder_(make_decoder(&input_)) {}

size_t ByteReader::read(char* out, size_t size) {
  size_t done = 0;
  while (done < size) {
    const size_t chunk = std::min<size_t>(size - done, size_t{1} << 30);  // zlib and libbz2 count in 32 bits
    const size_t count = decoder_->decode(&input_, reinterpret_cast<uint8_t*>(out) + done, chunk, &problem_);
    if (count == 0) break;
    done += count;
  }
  if (!input_.failure().empty()) problem_ = "cannot be read further: " + input_.failure();
  return done;
}

std::string read_decompressed(const std::string& path, size_t limit) {
  ByteReader reader(path);
  std::string text;
  for (;;) {
    const size_t old_size = text.size();
    text.resize(old_size + (size_t{1} << 20));
    const size_t count = reader.read(&text[old_size], size_t{1} << 20);
    text.resize(old_size + count);
    if (text.size() > limit) {
      throw Error(path + ": expected at most " + std::to_string(limit) + " bytes of text, found more");
    }
    if (count == 0) break;
  }
  if (!reader.problem().empty()) throw Error(path + ": " + reader.problem());
  return text;
}

}  // namespace litenat::data
