#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/atomic_file.h"
#include "base/mapped_file.h"

namespace litenat {
namespace {

class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/litenat_files_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { ASSERT_EQ(std::system(("rm -rf " + folder_).c_str()), 0); }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  static std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  int files_in_folder() const {
    int count = 0;
    FILE* pipe = ::popen(("ls -A " + folder_ + " | wc -l").c_str(), "r");
    EXPECT_EQ(std::fscanf(pipe, "%d", &count), 1);
    ::pclose(pipe);
    return count;
  }
  std::string folder_;
};

TEST_F(FilesTest, CommitReplacesTheTarget) {
  std::ofstream(path("a")) << "old";
  AtomicFile file(path("a"));
  ASSERT_TRUE(file.open().ok());
  ASSERT_TRUE(file.write("new text").ok());
  EXPECT_EQ(read(path("a")), "old");
  EXPECT_EQ(file.position(), 8u);
  ASSERT_TRUE(file.commit().ok());
  EXPECT_EQ(read(path("a")), "new text");
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(FilesTest, WithoutCommitNothingChanges) {
  std::ofstream(path("a")) << "old";
  {
    AtomicFile file(path("a"));
    ASSERT_TRUE(file.open().ok());
    ASSERT_TRUE(file.write("new").ok());
  }
  EXPECT_EQ(read(path("a")), "old");
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(FilesTest, ErrorsNameThePath) {
  AtomicFile file(path("missing/a"));
  const Status status = file.open();
  EXPECT_EQ(status.code(), StatusCode::kIo);
  EXPECT_NE(status.message().find(path("missing/a")), std::string::npos);
  EXPECT_EQ(file.write("x").code(), StatusCode::kInternal);
}

TEST_F(FilesTest, ReplacesNothingButRegularFiles) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(write_file_atomically(path("pipe"), "x", 1).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(write_file_atomically(folder_, "x", 1).code(), StatusCode::kInvalidArgument);
  struct stat info = {};
  ASSERT_EQ(::stat(path("pipe").c_str(), &info), 0);
  EXPECT_TRUE(S_ISFIFO(info.st_mode));
  EXPECT_EQ(files_in_folder(), 1);
}

TEST_F(FilesTest, FullDiskKeepsTheOldFile) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "this machine has no /dev/full";
  // The temporary file's name is predictable but for a small number: make each a link to a device that is always full.
  std::ofstream(path("a")) << "old";
  const std::string stem = path("a.tmp." + std::to_string(::getpid()) + "-");
  for (int i = 0; i < 256; ++i) ASSERT_EQ(::symlink("/dev/full", (stem + std::to_string(i)).c_str()), 0);
  const std::string text(1 << 16, 'x');
  EXPECT_EQ(write_file_atomically(path("a"), text.data(), text.size()).code(), StatusCode::kIo);
  EXPECT_EQ(read(path("a")), "old");
}

TEST_F(FilesTest, MapsAFile) {
  std::ofstream(path("a")) << "content";
  auto file = MappedFile::open(path("a"));
  ASSERT_TRUE(file.ok());
  const Span<const uint8_t> bytes = file.value()->bytes();
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "content");
}

TEST_F(FilesTest, MapsAnEmptyFileAndRefusesOthers) {
  std::ofstream(path("empty")).close();
  auto empty = MappedFile::open(path("empty"));
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty.value()->bytes().size(), 0u);
  EXPECT_EQ(MappedFile::open(path("none")).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(MappedFile::open(folder_).status().code(), StatusCode::kInvalidArgument);
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);  // nobody writes: an open that waits would never return
  EXPECT_EQ(MappedFile::open(path("pipe")).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace litenat
