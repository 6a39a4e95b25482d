#include "config/config.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace litenat::config {
namespace {

enum class Color { kRed, kBlue };
const EnumNames<Color> kColorNames{{{Color::kRed, "red"}, {Color::kBlue, "blue"}}};

struct Wheel {
  int spokes = 12;
  double radius = 0.5;
  template <class V>
  void visit(V& v) {
    v("spokes", spokes, "spokes of the wheel", between(3, 64));
    v("radius", radius, "radius in metres", between(0.01, 2));
  }
};

struct Bicycle {
  bool electric = false;
  int64_t serial = 0;
  std::string owner = "none";
  Color color = Color::kRed;
  std::vector<int> gears = {1, 2};
  Wheel front;
  std::vector<Wheel> spares;
  template <class V>
  void visit(V& v) {
    v("electric", electric, "has a motor");
    v("serial", serial, "serial number");
    v("owner", owner, "who rides it");
    v("color", color, "paint", kColorNames);
    v("gears", gears, "teeth of each gear", between(1, 99));
    v("front", front, "the front wheel");
    v("spares", spares, "spare wheels");
  }
};

Bicycle parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  Bicycle bicycle;
  read_settings(parse_source(text, "b.toml", overrides), &bicycle);
  return bicycle;
}

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Config, ReadsEveryType) {
  const Bicycle b = parse(
      "electric = true\nserial = 9007199254740993\nowner = \"Ada\"\ncolor = \"blue\"\ngears = [3, 5]\n"
      "[front]\nspokes = 20\nradius = 1\n[[spares]]\nspokes = 4\n[[spares]]\n");
  EXPECT_TRUE(b.electric);
  EXPECT_EQ(b.serial, 9007199254740993);
  EXPECT_EQ(b.owner, "Ada");
  EXPECT_EQ(b.color, Color::kBlue);
  EXPECT_EQ(b.gears, (std::vector<int>{3, 5}));
  EXPECT_EQ(b.front.spokes, 20);
  EXPECT_EQ(b.front.radius, 1.0);
  ASSERT_EQ(b.spares.size(), 2u);
  EXPECT_EQ(b.spares[0].spokes, 4);
  EXPECT_EQ(b.spares[1].spokes, 12);
}

TEST(Config, ErrorsNamePlaceExpectedAndFound) {
  EXPECT_EQ(error_of("\n\nownr = \"x\"\n"), "b.toml:3: ownr: unknown key; did you mean 'owner'?");
  EXPECT_EQ(error_of("[front]\nspoke = 3\n"), "b.toml:2: front.spoke: unknown key; did you mean 'front.spokes'?");
  EXPECT_EQ(error_of("[front]\nspokes = 2\n"), "b.toml:2: front.spokes: expected a value from 3 to 64, found 2");
  EXPECT_EQ(error_of("[front]\nspokes = 3.5\n"), "b.toml:2: front.spokes: expected a whole number, found 3.5");
  EXPECT_EQ(error_of("electric = 1\n"), "b.toml:1: electric: expected true or false, found 1");
  EXPECT_EQ(error_of("color = \"green\"\n"), "b.toml:1: color: expected one of: red, blue, found \"green\"");
  EXPECT_EQ(error_of("gears = [1,\n  100]\n"), "b.toml:2: gears[1]: expected a value from 1 to 99, found 100");
  EXPECT_EQ(error_of("[[spares]]\n[[spares]]\nradius = 9\n"),
            "b.toml:3: spares[1].radius: expected a value from 0.01 to 2, found 9");
  EXPECT_EQ(error_of("front = 3\n"), "b.toml:1: front: expected an object, found 3");
  EXPECT_EQ(error_of("\"a: b\" = 3\n"), "b.toml:1: a: b: unknown key");
}

TEST(Config, RejectsWhatIsNoSetting) {
  EXPECT_NE(error_of("owner = \n").find("b.toml:1:"), std::string::npos);
  EXPECT_NE(error_of("owner = 'a'\nowner = 'b'\n").find("b.toml:2:"), std::string::npos);
  EXPECT_EQ(error_of("[front]\nradius = nan\n"), "b.toml:2: front.radius: expected a finite number");
  EXPECT_NE(error_of("serial = 1979-05-27\n").find("found a date"), std::string::npos);
  EXPECT_NE(error_of(std::string("owner = \"\xff\"\n")).find("b.toml:1:"), std::string::npos);
  EXPECT_NE(error_of(std::string("owner = \"a\0b\"\n", 14)).find("b.toml:1:"), std::string::npos);
  EXPECT_NE(error_of("gears = " + std::string(100000, '[')).find("b.toml:1:"), std::string::npos);
}

TEST(Config, OverridesWinInOrder) {
  const std::string file = "owner = 'file'\n[[spares]]\nspokes = 4\n[[spares]]\nspokes = 5\n";
  const Bicycle b = parse(file, {"owner=first", "owner=second one", "color=blue", "front.spokes=30", "gears=[7]",
                                 "spares.1.radius=0.25", "spares[0].spokes=8", "electric=true", "spares.2.spokes=9"});
  EXPECT_EQ(b.owner, "second one");
  EXPECT_EQ(b.color, Color::kBlue);
  EXPECT_EQ(b.front.spokes, 30);
  EXPECT_EQ(b.gears, std::vector<int>{7});
  ASSERT_EQ(b.spares.size(), 3u);
  EXPECT_EQ(b.spares[0].spokes, 8);
  EXPECT_EQ(b.spares[1].radius, 0.25);
  EXPECT_EQ(b.spares[1].spokes, 5);
  EXPECT_EQ(b.spares[2].spokes, 9);
  EXPECT_TRUE(b.electric);
  EXPECT_EQ(parse("gears = [1, 2, 3]\n", {"gears.1=9"}).gears, (std::vector<int>{1, 9, 3}));
  EXPECT_EQ(parse("", {"owner=a=b"}).owner, "a=b");
  EXPECT_EQ(parse("", {"owner='7'"}).owner, "7");
  EXPECT_EQ(parse("", {"owner=x\ncolor = 'blue'"}).color, Color::kRed);
}

TEST(Config, OverrideErrorsNameTheOverride) {
  EXPECT_EQ(error_of("", {"front.spokes=1"}),
            "--set front.spokes=1: front.spokes: expected a value from 3 to 64, found 1");
  EXPECT_EQ(error_of("[[spares]]\n", {"spares.0.spokes=1"}),
            "--set spares.0.spokes=1: spares[0].spokes: expected a value from 3 to 64, found 1");
  EXPECT_EQ(error_of("", {"colour=red"}), "--set colour=red: colour: unknown key; did you mean 'color'?");
  EXPECT_EQ(error_of("", {"owner"}), "--set owner: expected key=value");
  EXPECT_EQ(error_of("", {"a..b=1"}), "--set a..b=1: a part of the key is empty");
  EXPECT_NE(error_of("[[spares]]\n", {"spares.3.spokes=4"}).find("index 3 is past its end"), std::string::npos);
  EXPECT_NE(error_of("[[spares]]\n", {"spares.x=4"}).find("expected an index"), std::string::npos);
  EXPECT_NE(error_of("owner = 'a'", {"owner.x=4"}).find("has no parts"), std::string::npos);
}

TEST(Config, DumpReadsBackEqual) {
  Bicycle b;
  b.owner = "quote \" back \\ tab \t DEL \x7f 汉";
  b.color = Color::kBlue;
  b.front.radius = 0.1 + 0.2;
  b.spares.resize(2);
  b.spares[1].spokes = 33;
  const std::string text = dump_toml(b);
  const Bicycle again = parse(text);
  EXPECT_EQ(dump_toml(again), text);
  EXPECT_EQ(fields_to_json(again).dump(), fields_to_json(b).dump());
  EXPECT_NE(text.find("spokes = 33  # spokes of the wheel (3 to 64)"), std::string::npos);
  EXPECT_NE(text.find("[[spares]]"), std::string::npos);
  EXPECT_EQ(parse(dump_toml(Bicycle{})).spares.size(), 0u);
}

TEST(Config, DescribesEveryField) {
  const std::vector<FieldDescription> fields = list_fields(Bicycle{});
  ASSERT_EQ(fields.size(), 9u);
  EXPECT_EQ(fields[3].path, "color");
  EXPECT_EQ(fields[3].default_value, "\"red\"");
  EXPECT_EQ(fields[3].allowed, "red, blue");
  EXPECT_EQ(fields[7].path, "spares[].spokes");
  EXPECT_EQ(fields[7].allowed, "3 to 64");
  EXPECT_NE(describe(Bicycle{}).find("front.radius = 0.5"), std::string::npos);
}

TEST(Config, LoadsFilesAndReportsMissingOnes) {
  const std::string path = testing::TempDir() + "/bicycle.toml";
  std::ofstream(path) << "owner = 'file'\n[front]\nspokes = 1\n";
  Bicycle b;
  try {
    load_config(path, {}, &b);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), path + ":3: front.spokes: expected a value from 3 to 64, found 1");
  }
  load_config(path, {"front.spokes=3"}, &b);
  EXPECT_EQ(b.owner, "file");
  std::filesystem::remove(path);
  EXPECT_THROW(load_config(path, {}, &b), Error);
  EXPECT_THROW(load_config(testing::TempDir(), {}, &b), Error);
}

}  // namespace
}  // namespace litenat::config
