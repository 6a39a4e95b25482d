#include "data/staged_folder.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "data/temporary_folder_test.h"

namespace litenat::data {
namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;

class StagedFolderTest : public TemporaryFolder {
 protected:
  void put(const std::string& name, const std::string& text) const {
    fs::create_directories(fs::path(path(name)).parent_path());
    write(name, text);
  }
};

TEST_F(StagedFolderTest, RemovesWhatAnEarlierRunLeftAndNothingElse) {
  for (const char* name : {"test.a", "test.b", "notes"}) put(std::string("out/") + name, "old");
  StagedFolder staged(path("out"));
  staged.own({"test.a", "test.b", "test.c"});
  std::ofstream(staged.path() / "test.a") << "new";
  EXPECT_EQ(names_in(path("out")).size(), 4u);  // nothing has happened yet; the fourth is the folder aside
  staged.commit();
  EXPECT_EQ(names_in(path("out")), (Names{"notes", "test.a"}));
  EXPECT_EQ(read_file(path("out/test.a")), "new");
}

TEST_F(StagedFolderTest, KeepsEverythingWithoutCommit) {
  put("out/test.a", "old");
  {
    StagedFolder staged(path("out"));
    staged.own({"test.a"});
    std::ofstream(staged.path() / "test.b") << "new";
  }
  EXPECT_EQ(names_in(path("out")), Names{"test.a"});
}

TEST_F(StagedFolderTest, InputsAreNeverOverwritten) {
  put("in/train.en", "x");
  put("in/deep/text", "x");
  fs::create_directory_symlink(path("in"), path("link"));
  const std::vector<std::string> names = {"train.en", "train.de"};
  const auto check = [&](const std::string& input, const std::string& output) {
    check_inputs_survive({"-", input}, path(output), names);
  };
  EXPECT_THROW(check(path("in/train.en"), "in"), Error);
  EXPECT_THROW(check(path("in/train.en"), "link"), Error);
  EXPECT_THROW(check(path("in/deep/../train.en"), "in/"), Error);
  EXPECT_THROW(check(path("in"), "in"), Error);
  EXPECT_THROW(check(path("in"), "in/new/out"), Error);
  EXPECT_NO_THROW(check(path("in/train.en"), "out"));
  EXPECT_NO_THROW(check(path("in/deep/text"), "in"));
  EXPECT_NO_THROW(check(path("in"), "in2"));
}

}  // namespace
}  // namespace litenat::data
