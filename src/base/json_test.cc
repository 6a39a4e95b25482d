#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "base/json_fields.h"
#include "base/random.h"

namespace litenat {
namespace {

std::string error_of(std::string_view text) {
  Result<Json> result = Json::parse(text);
  return result.ok() ? "" : result.status().message();
}

TEST(Json, ReadsEveryKindOfValue) {
  Result<Json> parsed = Json::parse(" {\"a\": [1, -2.5e1, true, false, null], \"b\": {\"c\": \"d\"}} ");
  ASSERT_TRUE(parsed.ok()) << parsed.status().message();
  const Json& json = parsed.value();
  const auto& items = json.find("a")->items();
  ASSERT_EQ(items.size(), 5u);
  EXPECT_TRUE(items[0].is_integer());
  EXPECT_EQ(items[0].integer(), 1);
  EXPECT_FALSE(items[1].is_integer());
  EXPECT_EQ(items[1].number(), -25.0);
  EXPECT_TRUE(items[2].boolean());
  EXPECT_FALSE(items[3].boolean());
  EXPECT_EQ(items[4].type(), Json::Type::kNull);
  EXPECT_EQ(json.find("b")->find("c")->string(), "d");
  EXPECT_EQ(json.find("c"), nullptr);
}

TEST(Json, DecodesEscapes) {
  Result<Json> parsed = Json::parse("\"\\u4f60\\ud83d\\ude00\\n\\\"\\\\\\/\\u0000\"");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed.value().string(), std::string("你😀\n\"\\/") + '\0');
  EXPECT_EQ(Json::parse(parsed.value().dump()).value().string(), parsed.value().string());
}

TEST(Json, RejectsMalformedText) {
  for (const char* text : {"",
                           " ",
                           "{",
                           "[",
                           "[1,]",
                           "{\"a\":1,}",
                           "{a:1}",
                           "{\"a\" 1}",
                           "01",
                           "-",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "1e999",
                           "-1e999",
                           "NaN",
                           "Infinity",
                           "tru",
                           "\"",
                           "\"\\",
                           "\"\\q\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           "\"\n\"",
                           "\"\xff\"",
                           "\"\xc0\x80\"",
                           "\"\xed\xa0\x80\"",
                           "1 2",
                           "[1 2]",
                           "{\"a\":1}{",
                           "nullx",
                           "'a'"})
    EXPECT_NE(error_of(text), "") << text;
}

TEST(Json, NamesTheOffset) {
  EXPECT_EQ(error_of("[1, x]"), "JSON: expected a value at byte 4");
  EXPECT_EQ(error_of("{\"a\":1, \"b\":2, \"a\":3}"), "JSON: duplicate key 'a' at byte 15");
}

TEST(Json, LimitsNesting) {
  const std::string deep = std::string(64, '[') + std::string(64, ']');
  EXPECT_EQ(error_of(deep), "");
  EXPECT_NE(error_of("[" + deep + "]"), "");
  EXPECT_NE(error_of(std::string(1 << 20, '[')), "");
}

TEST(Json, DoublesReadBackBitForBit) {
  SplitMix64 random(7);
  std::vector<double> values = {0.0, -0.0, 0.1, 1e300, 5e-324, std::numeric_limits<double>::max(), 1.0, -3.0, 1e22};
  for (int i = 0; i < 2000; ++i) {
    const uint64_t bits = random.next();
    double value;
    std::memcpy(&value, &bits, sizeof(value));
    if (std::isfinite(value)) values.push_back(value);
  }
  for (const double value : values) {
    Result<Json> back = Json::parse(Json(value).dump());
    ASSERT_TRUE(back.ok()) << value;
    EXPECT_EQ(back.value().number(), value);
    EXPECT_EQ(std::signbit(back.value().number()), std::signbit(value));
  }
}

TEST(Json, KeepsLargeIntegersExact) {
  for (const char* text : {"9223372036854775807", "-9223372036854775808", "9007199254740993"}) {
    Result<Json> parsed = Json::parse(text);
    ASSERT_TRUE(parsed.ok());
    EXPECT_TRUE(parsed.value().is_integer());
    EXPECT_EQ(parsed.value().dump(), text);
  }
  EXPECT_FALSE(Json::parse("9223372036854775808").value().is_integer());
}

TEST(Json, SurvivesMutatedText) {
  const std::string valid = "{\"name\":[1,2.5,\"\\u4f60\\n\",{\"x\":null}],\"t\":true}";
  SplitMix64 random(11);
  int accepted = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = valid;
    for (uint64_t changes = 1 + random.below(3); changes > 0; --changes)
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    text.resize(random.below(text.size() + 1));
    Result<Json> result = Json::parse(text);
    if (!result.ok()) continue;
    ++accepted;
    EXPECT_EQ(Json::parse(result.value().dump()).value().dump(), result.value().dump());
  }
  EXPECT_GT(accepted, 0);
}

enum class Colour { kRed, kGreen };
const EnumNames<Colour> kColourNames{{{Colour::kRed, "red"}, {Colour::kGreen, "green"}}};

struct Inner {
  double rate = 0.5;
  std::vector<int> sizes = {1, 2};
  template <class V>
  void visit(V& v) {
    v("rate", rate, "a rate", between(0, 1));
    v("sizes", sizes, "sizes", between(0, 9));
  }
};

struct Outer {
  bool flag = false;
  int count = 3;
  int64_t big = 1LL << 40;
  std::string text = "hello";
  Colour colour = Colour::kRed;
  Inner inner;
  std::vector<Inner> list;
  std::vector<Colour> colours;
  template <class V>
  void visit(V& v) {
    v("flag", flag, "a flag");
    v("count", count, "a count", between(1, 10));
    v("big", big, "a big number");
    v("text", text, "some text");
    v("colour", colour, "a colour", kColourNames);
    v("inner", inner, "nested");
    v("list", list, "a list");
    v("colours", colours, "colours", kColourNames);
  }
};

Status read(const char* text, Outer* outer) { return fields_from_json(Json::parse(text).value(), outer); }
std::string read_error(const char* text) {
  Outer outer;
  return read(text, &outer).message();
}

TEST(JsonFields, WritesEveryFieldInOrder) {
  Outer outer;
  outer.list.resize(1);
  outer.colours = {Colour::kGreen, Colour::kRed};
  EXPECT_EQ(fields_to_json(outer).dump(),
            "{\"flag\":false,\"count\":3,\"big\":1099511627776,\"text\":\"hello\",\"colour\":\"red\","
            "\"inner\":{\"rate\":0.5,\"sizes\":[1,2]},\"list\":[{\"rate\":0.5,\"sizes\":[1,2]}],"
            "\"colours\":[\"green\",\"red\"]}");
}

TEST(JsonFields, ReadsWhatItWrote) {
  Outer outer;
  outer.flag = true;
  outer.colour = Colour::kGreen;
  outer.inner.rate = 0.1;
  outer.list.resize(2);
  outer.list[1].sizes = {};
  Outer back;
  ASSERT_TRUE(fields_from_json(fields_to_json(outer), &back).ok());
  EXPECT_EQ(fields_to_json(back).dump(), fields_to_json(outer).dump());
}

TEST(JsonFields, AbsentFieldsKeepTheirValues) {
  Outer outer;
  outer.text = "kept";
  ASSERT_TRUE(read("{\"count\": 4, \"inner\": {\"rate\": 1}}", &outer).ok());
  EXPECT_EQ(outer.text, "kept");
  EXPECT_EQ(outer.count, 4);
  EXPECT_EQ(outer.inner.rate, 1.0);
  EXPECT_EQ(outer.inner.sizes.size(), 2u);
}

TEST(JsonFields, ErrorsSayWhereAndWhat) {
  EXPECT_EQ(read_error("{\"count\": 11}"), "count: expected a value from 1 to 10, found 11");
  EXPECT_EQ(read_error("{\"count\": 1.5}"), "count: expected a whole number, found 1.5");
  EXPECT_EQ(read_error("{\"count\": 9999999999}"), "count: expected a number of 32 bits, found 9999999999");
  EXPECT_EQ(read_error("{\"colour\": \"blue\"}"), "colour: expected one of: red, green, found \"blue\"");
  EXPECT_EQ(read_error("{\"colours\": [\"red\", 1]}"), "colours[1]: expected one of: red, green, found 1");
  EXPECT_EQ(read_error("{\"list\": [{}, {\"rate\": 2}]}"), "list[1].rate: expected a value from 0 to 1, found 2");
  EXPECT_EQ(read_error("{\"inner\": {\"sizes\": [1, 99]}}"), "inner.sizes[1]: expected a value from 0 to 9, found 99");
  EXPECT_EQ(read_error("{\"inner\": 5}"), "inner: expected an object, found 5");
  EXPECT_EQ(read_error("{\"flag\": 0}"), "flag: expected true or false, found 0");
  EXPECT_EQ(read_error("{\"inner\": {\"rat\": 1}}"), "inner.rat: unknown key; did you mean 'inner.rate'?");
  EXPECT_EQ(read_error("{\"zzzzzz\": 1}"), "zzzzzz: unknown key");
  const std::string long_text = "{\"count\": \"" + std::string(55, 'x') + "你好\"}";
  EXPECT_EQ(read_error(long_text.c_str()), "count: expected a whole number, found \"" + std::string(55, 'x') + "...");
  EXPECT_EQ(read_error("[]"), "settings: expected an object, found []");
}

TEST(Nearest, CountsEdits) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", "abc"), 0u);
  EXPECT_EQ(nearest_name("kernal", {"heads", "kernel", "dim"}), "kernel");
  EXPECT_EQ(nearest_name("xyz", {"heads", "kernel"}), "");
}

}  // namespace
}  // namespace litenat
