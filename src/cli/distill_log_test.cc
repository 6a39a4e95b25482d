#include "cli/distill_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/error.h"
#include "cli/testing/run_program.h"

namespace litenat::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using testing::read_file;
using testing::ScopedFolder;
using ::testing::ThrowsMessage;
using testing::write_file;
const std::nullopt_t kNone = std::nullopt;

TEST(DistillLog, KeepsWhatWasAdded) {
  ScopedFolder folder;
  {
    DistillLog log(folder / "log", "{}", 3);
    EXPECT_EQ(log.num_done(), 0u);
    log.add({2, 0}, {"c c", ""});
    EXPECT_THAT(log.outputs(), ElementsAre(Eq(""), Eq(kNone), Eq("c c")));
  }
  DistillLog again(folder / "log", "{}", 3);
  EXPECT_THAT(again.outputs(), ElementsAre(Eq(""), Eq(kNone), Eq("c c")));
  again.add({1}, {"b\tb"});
  again.remove();
  EXPECT_EQ(read_file(folder / "log"), "");
}

/// Whatever part of the file was written when the process died, no record is lost that is whole, none is made up, and
/// the work goes on.
TEST(DistillLog, SurvivesACutAtEveryByte) {
  ScopedFolder folder;
  { DistillLog(folder / "log", "{\"x\":1}", 3).add({1, 2}, {"zwei zwei", "drei"}); }
  const std::string whole = read_file(folder / "log");
  const size_t first = whole.find('\n') + 1;
  const size_t second = whole.find('\n', first) + 1;
  for (size_t size = 0; size <= whole.size(); ++size) {
    write_file(folder / "cut", whole.substr(0, size));
    {
      DistillLog log(folder / "cut", "{\"x\":1}", 3);
      ASSERT_EQ(log.num_done(), size < second ? 0u : size < whole.size() ? 1u : 2u) << size;
      for (size_t line = 0; line < 3; ++line)
        if (!log.outputs()[line]) log.add({line}, {"neu"});
    }
    DistillLog log(folder / "cut", "{\"x\":1}", 3);
    ASSERT_EQ(log.num_done(), 3u) << size;
    ASSERT_EQ(log.outputs()[1], size < second ? "neu" : "zwei zwei");
  }
}

TEST(DistillLog, CutsOffWhatIsNoRecord) {
  ScopedFolder folder;
  const std::string zeros(20, '\0');
  for (const std::string& bad : {std::string("x\ty\n"), std::string("9\ttoo far\n"), std::string("0\ttwice\n"),
                                 std::string("1 no tab\n"), zeros + "\n", std::string("-1\tminus\n")}) {
    write_file(folder / "log", "{}\n0\teins\n" + bad + "1\tzwei\n");
    DistillLog log(folder / "log", "{}", 2);
    EXPECT_THAT(log.outputs(), ElementsAre(Eq("eins"), Eq(kNone))) << bad;
    EXPECT_EQ(read_file(folder / "log"), "{}\n0\teins\n");
  }
}

TEST(DistillLog, BelongsToOneRunAndOneProcess) {
  ScopedFolder folder;
  DistillLog log(folder / "log", "{\"model\":1}", 2);
  log.add({0}, {"eins"});
  EXPECT_THAT([&] { DistillLog(folder / "log", "{\"model\":1}", 2); },
              ThrowsMessage<Error>(HasSubstr("another litenat distill")));
  write_file(folder / "other", read_file(folder / "log"));
  EXPECT_THAT([&] { DistillLog(folder / "other", "{\"model\":2}", 2); },
              ThrowsMessage<Error>(HasSubstr("another model, input or settings")));
  EXPECT_EQ(DistillLog(folder / "other", "{\"model\":2}", 2, /*restart=*/true).num_done(), 0u);
  EXPECT_THAT([&] { DistillLog(folder / "no/such/folder", "{}", 2); },
              ThrowsMessage<Error>(HasSubstr("cannot be opened")));
}

}  // namespace
}  // namespace litenat::cli
