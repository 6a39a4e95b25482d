// What `litenat import` writes, prints and refuses; the models themselves are tested in export.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/testing/run_program.h"

namespace litenat::cli {
namespace {

namespace fs = std::filesystem;
using testing::count_lines;
using ::testing::HasSubstr;
using testing::litenat;
using testing::Outcome;
using testing::read_file;
using testing::ScopedFolder;
using testing::write_file;

const std::string kData = std::string(LITENAT_SOURCE_DIR) + "/tests/compat/data/import";
const std::string kCheckpoint = kData + "/lightconv.pt";

TEST(Import, MakesARunFolderThatInfoAndExportTake) {
  ScopedFolder folder;
  const std::string run = folder / "run";
  const Outcome outcome = litenat({"import", kCheckpoint, "--output", run, "--strict", "--json"});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(json["checkpoint"], run + "/checkpoints/best.safetensors");
  EXPECT_EQ(json["architecture"], "lightconv_iwslt_de_en");
  EXPECT_EQ(json["family"], "sequence");
  EXPECT_EQ(json["parameters"], 2312);
  EXPECT_EQ(json["update"], 103);
  EXPECT_TRUE(json["unused"].empty());
  EXPECT_EQ(json["skipped"].size(), 5u);
  EXPECT_EQ(litenat({"info", run}).status, 0);
  ASSERT_EQ(litenat({"export", run}).status, 0);
  EXPECT_TRUE(fs::exists(run + "/model.litenat"));
}

TEST(Import, WritesOneFileWhereAskedAndReplacesNothing) {
  ScopedFolder folder;
  const std::vector<std::string> arguments = {"import", kCheckpoint, "-o", folder / "a.safetensors"};
  const Outcome first = litenat(arguments);
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("a.safetensors (lightconv_iwslt_de_en, 2312 parameters, update 103)"));
  EXPECT_TRUE(fs::exists(folder / "resources.litenat"));
  const Outcome again = litenat(arguments);
  EXPECT_EQ(again.status, 1);
  EXPECT_THAT(again.err, HasSubstr("a.safetensors: is there already"));
  std::vector<std::string> forced = arguments;
  forced.emplace_back("--force");
  EXPECT_EQ(litenat(forced).status, 0);
}

TEST(Import, ListsWhatDoesNotMatch) {
  ScopedFolder folder;
  std::string bytes = read_file(kData + "/conv_crf.pt");  // of the older format, which has no checksums
  const std::string name = "decoder.copy_attn.weight";
  for (size_t at = bytes.find(name); at != std::string::npos; at = bytes.find(name, at + 1)) bytes[at + 8] = 'k';
  write_file(folder / "x.pt", bytes);
  const std::vector<std::string> arguments = {"import", folder / "x.pt", "--data", kData};
  const Outcome uniform = litenat(arguments);  // without that table the setting means another model
  EXPECT_EQ(uniform.status, 1);
  EXPECT_THAT(uniform.err, HasSubstr("setting src_embedding_copy"));

  EXPECT_EQ(litenat({"import", kCheckpoint, "--arch", "lightconv_lm", "-o", folder / "run"}).status, 1);
  const Outcome other = litenat({"import", kCheckpoint, "--arch", "transformer", "-o", folder / "run"});
  EXPECT_EQ(other.status, 1);
  EXPECT_EQ(other.out, "");
  EXPECT_THAT(other.err, HasSubstr("not used: encoder.layers.0.linear1.weight"));
  EXPECT_THAT(other.err, HasSubstr("not found: encoder.layers.0.self_attn.q_proj.weight"));
  EXPECT_THAT(other.err, HasSubstr("nothing was written"));
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST(Import, MissingFilesAreOneLine) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"import", "/no/such/file.pt"}, {"import", kCheckpoint, "--data", "/no/such/folder", "-o", "/no/run"}}) {
    const Outcome outcome = litenat(arguments);
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(count_lines(outcome.err), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("/no/such/"));
  }
}

}  // namespace
}  // namespace litenat::cli
