#include "export/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"

namespace litenat::export_model {
namespace {

using ::testing::HasSubstr;
using namespace std::string_literals;  // NOLINT: pickles hold NUL bytes

Pickle read(const std::string& bytes) {
  return Pickle::read({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, "file");
}

std::string error_of(const std::string& bytes) {
  try {
    read(bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

// pickle.dumps({"a": [1, -2, 300, 70000, 1 << 40, -(1 << 40), 2.5], "b": (None, True, "\u00fc"), 3: "x"}, 2), with "x"
// as Python 2 writes it.
const std::string kProtocol2 =
    "\x80\x02}q\x00(X\x01\x00\x00\x00"
    "aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x06\x00\x00\x00\x00"
    "\x00\xff"
    "G@\x04\x00\x00\x00\x00\x00\x00"
    "eX\x01\x00\x00\x00"
    "bq\x03N\x88X\x02\x00\x00\x00\xc3\xbcq\x04\x87q\x05K\x03U\x01xu."s;

TEST(Pickle, ReadsEveryKindOfValue) {
  const std::string bytes = kProtocol2 + "rest";
  const Pickle pickle = read(bytes);
  EXPECT_EQ(pickle.size_bytes(), kProtocol2.size());
  const PickleValue& numbers = pickle[pickle.find(pickle.root(), "a")];
  ASSERT_EQ(numbers.items.size(), 7u);
  const int64_t expected[] = {1, -2, 300, 70000, int64_t{1} << 40, -(int64_t{1} << 40)};
  for (size_t i = 0; i < 6; ++i) EXPECT_EQ(pickle[numbers.items[i]].integer, expected[i]) << i;
  EXPECT_EQ(pickle[numbers.items[6]].real, 2.5);
  const PickleValue& tuple = pickle[pickle.find(pickle.root(), "b")];
  ASSERT_EQ(tuple.items.size(), 3u);
  EXPECT_EQ(pickle[tuple.items[0]].kind, PickleKind::kNone);
  EXPECT_EQ(pickle[tuple.items[1]].kind, PickleKind::kBool);
  EXPECT_EQ(pickle[tuple.items[2]].text, "\u00fc");
  ASSERT_EQ(pickle[pickle.root()].entries.size(), 3u);
  EXPECT_EQ(pickle[pickle[pickle.root()].entries[2].second].text, "x");
  EXPECT_EQ(pickle.find(pickle.root(), "c"), Pickle::kNoneId);
}

// pickle.dumps([fractions.Fraction(1, 2), argparse.Namespace(layers=6), {"s"}, frozenset([7])], 4)
const std::string kProtocol4 =
    "\x80\x04\x95^\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x09"
    "fractions\x94\x8c\x08"
    "Fraction\x94\x93\x94K\x01K\x02\x86\x94R\x94\x8c\x08"
    "argparse\x94\x8c\x09"
    "Namespace\x94\x93\x94)\x81\x94}\x94\x8c\x06layers\x94K\x06sb\x8f\x94(\x8c\x01s\x94\x90(K\x07\x91\x94"
    "e."s;

TEST(Pickle, MakesRecordsOfWhatItWouldImportAndCall) {
  const Pickle pickle = read(kProtocol4);
  const auto& items = pickle[pickle.root()].items;
  ASSERT_EQ(items.size(), 4u);
  const PickleValue& fraction = pickle[items[0]];
  EXPECT_EQ(fraction.kind, PickleKind::kObject);
  EXPECT_TRUE(pickle.is_global(fraction.callee, "fractions", "Fraction"));
  EXPECT_EQ(pickle[pickle[fraction.arguments].items[1]].integer, 2);
  const PickleValue& name_space = pickle[items[1]];
  EXPECT_TRUE(pickle.is_global(name_space.callee, "argparse", "Namespace"));
  EXPECT_EQ(pickle[pickle.find(name_space.state, "layers")].integer, 6);
  EXPECT_EQ(pickle[pickle[items[2]].items[0]].text, "s");
  EXPECT_EQ(pickle[pickle[items[3]].items[0]].integer, 7);
}

TEST(Pickle, NamesWhatIsWrong) {
  EXPECT_THAT(error_of(""), HasSubstr("file: pickle, byte 0: expected 1 more bytes, found 0"));
  EXPECT_THAT(error_of("\x80\x05N."), HasSubstr("protocol 5, expected at most 4"));
  EXPECT_THAT(error_of("\x80\x02I1\n."), HasSubstr("byte 2: opcode 73"));
  EXPECT_THAT(error_of("X\xff\xff\xff\xff."), HasSubstr("expected 4294967295 more bytes, found 1"));
  EXPECT_THAT(error_of("\x8d\xff\xff\xff\xff\xff\xff\xff\xff."), HasSubstr("more bytes"));
  EXPECT_THAT(error_of("."), HasSubstr("expected a value on the stack"));
  EXPECT_THAT(error_of("(."), HasSubstr("expected a value on the stack"));
  EXPECT_THAT(error_of("N(\x85."), HasSubstr("expected a value on the stack"));  // not through the mark
  EXPECT_THAT(error_of("t."), HasSubstr("expected a mark"));
  EXPECT_THAT(error_of("h\x07."), HasSubstr("memo has no entry 7"));
  EXPECT_THAT(error_of("}(Nu."), HasSubstr("in pairs"));
  EXPECT_THAT(error_of("}Na."), HasSubstr("of another kind"));
  EXPECT_THAT(error_of("]N}s."), HasSubstr("of another kind"));
  EXPECT_THAT(error_of("N}b."), HasSubstr("of another kind"));
  EXPECT_THAT(error_of("NN\x93."), HasSubstr("names of a module and an attribute"));
  EXPECT_THAT(error_of("cno line end"), HasSubstr("end of a line"));
  EXPECT_THAT(error_of("\x95\xff\x00\x00\x00\x00\x00\x00\x00N."s), HasSubstr("a frame of 255 bytes"));
}

TEST(Pickle, SharedAndCyclicValuesCostNothing) {
  // a = []; for _ in range(300): a = [a, a]: 2^300 values to whoever copies them. And a list that holds itself.
  std::string nested = "]";
  for (int i = 0; i < 300; ++i) nested += "q\x01"s + "0](h\x01h\x01"s + "e";
  const std::string bytes = nested + ".";
  EXPECT_EQ(read(bytes).num_values(), 302u);
  const std::string cycle = "]q\x01h\x01"s + "a.";
  const Pickle pickle = read(cycle);
  EXPECT_EQ(pickle[pickle.root()].items[0], pickle.root());
}

TEST(Pickle, BoundsMemory) {
  EXPECT_THAT(error_of(std::string(Pickle::kMaxValues + 2, ']')), HasSubstr("more than"));
  EXPECT_THAT(error_of(std::string((1 << 20) + 2, '(')), HasSubstr("more than"));
  EXPECT_THAT(error_of(std::string((1 << 20) + 2, 'N')), HasSubstr("more than"));
  EXPECT_THAT(error_of("N" + std::string((1 << 20) + 2, '\x94')), HasSubstr("more than"));
  std::string appends = "]";
  for (int i = 0; i < (1 << 22) + 2; ++i) appends += "Na";
  EXPECT_THAT(error_of(appends), HasSubstr("items"));
}

TEST(Pickle, SurvivesEveryTruncationAndEveryDamagedByte) {
  for (const std::string& good : {kProtocol2, kProtocol4}) {
    for (size_t size = 0; size < good.size(); ++size) EXPECT_NE(error_of(good.substr(0, size)), "no error") << size;
    int refused = 0;
    for (size_t at = 0; at < good.size(); ++at) {
      for (int bit = 0; bit < 256; ++bit) {
        std::string bad = good;
        bad[at] = static_cast<char>(bit);
        refused += error_of(bad) != "no error" ? 1 : 0;
      }
    }
    EXPECT_GT(refused, static_cast<int>(good.size()) * 50);
  }
}

}  // namespace
}  // namespace litenat::export_model
