#include "text/units.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace litenat::text {
namespace {

SyllableId id_of(std::string_view name) { return find_syllable(name); }

std::vector<std::string> names_of(UnitId unit) {
  std::vector<std::string> names;
  for (const SyllableId id : unit_syllables(unit)) names.emplace_back(syllable_name(id));
  return names;
}

TEST(Syllables, ListIsFrozen) {
  ASSERT_EQ(num_syllables(), 421);
  EXPECT_EQ(syllable_name(0), "a");
  EXPECT_EQ(syllable_name(420), "zuo");
  uint32_t checksum = 0;  // of the whole list: a changed, added or moved syllable breaks model files
  for (int id = 0; id < num_syllables(); ++id) {
    for (const char c : syllable_name(static_cast<SyllableId>(id))) checksum = checksum * 31 + static_cast<uint8_t>(c);
    checksum = checksum * 31 + 1;
  }
  EXPECT_EQ(checksum, 860040034u);
}

TEST(Syllables, AscendAndAreFound) {
  for (int i = 0; i < num_syllables(); ++i) {
    const auto id = static_cast<SyllableId>(i);
    if (i > 0) {
      EXPECT_LT(syllable_name(static_cast<SyllableId>(i - 1)), syllable_name(id));
    }
    EXPECT_EQ(find_syllable(syllable_name(id)), id);
  }
}

TEST(Syllables, AliasesAndRareOnes) {
  EXPECT_EQ(syllable_name(id_of("lue")), "lve");
  EXPECT_EQ(syllable_name(id_of("nue")), "nve");
  EXPECT_EQ(syllable_name(id_of("n\u00FC")), "nv");
  EXPECT_EQ(syllable_name(id_of("l\u00FCe")), "lve");
  for (const char* name : {"ng", "n", "m", "hm", "ei", "o", "yo", "lo", "den", "dei", "eng", "fiao", "cei"})
    EXPECT_EQ(syllable_name(id_of(name)), name);
}

TEST(Syllables, UnknownSpellings) {
  for (const char* name : {"", "r", "zh", "b", "zhuangg", "zhuangzhuang", "NI", "ni ", "i", "\xC3", "\u00FC", "6"})
    EXPECT_EQ(id_of(name), kNoSyllable) << name;
  EXPECT_EQ(id_of(std::string_view("ni\0", 3)), kNoSyllable);
}

TEST(Syllables, Initials) {
  EXPECT_EQ(syllable_initial(id_of("zhuang")), "zh");
  EXPECT_EQ(syllable_initial(id_of("chi")), "ch");
  EXPECT_EQ(syllable_initial(id_of("sa")), "s");
  EXPECT_EQ(syllable_initial(id_of("ang")), "a");
  EXPECT_EQ(syllable_initial(id_of("hm")), "h");
  EXPECT_EQ(syllable_initial(id_of("yuan")), "y");
}

TEST(Syllables, NineKeys) {
  const std::string groups[] = {"abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz"};
  for (size_t i = 0; i < 8; ++i)
    for (const char letter : groups[i]) EXPECT_EQ(nine_key_digit(letter), static_cast<char>('2' + i));
  EXPECT_EQ(nine_key_digit('A'), '\0');
  EXPECT_EQ(nine_key_digit('2'), '\0');
}

TEST(Units, ListHoldsEveryKind) {
  int counts[4] = {};
  std::set<std::string_view> tokens;
  for (UnitId id = kFirstUnit; id < kFirstUnit + num_units(); ++id) {
    ++counts[static_cast<int>(unit_kind(id))];
    EXPECT_FALSE(unit_syllables(id).empty());
    EXPECT_EQ(find_unit(unit_name(id), unit_kind(id)), id);
    EXPECT_EQ(find_unit_token(unit_token(id)), id);
    EXPECT_TRUE(tokens.insert(unit_token(id)).second) << unit_token(id);
  }
  EXPECT_EQ(counts[0], 421);
  EXPECT_EQ(counts[1], 26);  // 20 consonants of one letter, zh ch sh, a e o
  EXPECT_EQ(counts[3], 11);  // 2 .. 9, 94 24 74
  EXPECT_EQ(num_units(), counts[0] + counts[1] + counts[2] + counts[3]);
}

TEST(Units, SyllablesOfInitials) {
  for (int i = 0; i < num_syllables(); ++i) {
    const auto id = static_cast<SyllableId>(i);
    const std::string_view name = syllable_name(id);
    const auto has = [id](std::string_view keys, UnitKind kind) {
      const auto syllables = unit_syllables(find_unit(keys, kind));
      return std::count(syllables.begin(), syllables.end(), id) == 1;
    };
    EXPECT_TRUE(has(name.substr(0, 1), UnitKind::kInitial)) << name;
    EXPECT_EQ(has("zh", UnitKind::kInitial), name.substr(0, 2) == "zh") << name;
    EXPECT_EQ(has("z", UnitKind::kInitial), name[0] == 'z') << name;
    EXPECT_EQ(has("94", UnitKind::kDigitsInitial), name.substr(0, 2) == "zh") << name;
    EXPECT_EQ(has("9", UnitKind::kDigitsInitial), std::string_view("wxyz").find(name[0]) != std::string_view::npos);
  }
}

TEST(Units, SyllablesOfDigits) {
  EXPECT_EQ(names_of(find_unit("64")), (std::vector<std::string>{"mi", "ng", "ni"}));
  EXPECT_EQ(names_of(find_unit("94264")), (std::vector<std::string>{"xiang", "zhang"}));
  EXPECT_EQ(names_of(find_unit("6", UnitKind::kDigitsFull)), (std::vector<std::string>{"m", "n", "o"}));
}

TEST(Units, SameSpelling) {
  const std::vector<UnitId> units = find_units("a");
  ASSERT_EQ(units.size(), 2u);
  EXPECT_EQ(unit_kind(units[0]), UnitKind::kFull);
  EXPECT_EQ(unit_kind(units[1]), UnitKind::kInitial);
  EXPECT_EQ(find_unit("a"), units[0]);
  EXPECT_EQ(unit_token(units[1]), "a-");
  EXPECT_EQ(find_unit_token("a-"), units[1]);
  EXPECT_EQ(find_units("ni").size(), 1u);
  EXPECT_EQ(find_units("b").size(), 1u);
}

TEST(Units, AliasesAndUnknown) {
  EXPECT_EQ(find_unit("lue"), find_unit("lve"));
  EXPECT_EQ(find_unit("lue", UnitKind::kFull), find_unit("lve"));
  for (const char* keys : {"", "i", "iv", "zhg", "1", "0", "a-", "-", "6a"}) {
    EXPECT_EQ(find_unit(keys), kNoUnit) << keys;
    EXPECT_TRUE(find_units(keys).empty()) << keys;
  }
  EXPECT_EQ(find_unit_token("b-"), kNoUnit);
  EXPECT_EQ(find_unit_token("-"), kNoUnit);
  EXPECT_EQ(find_unit_token(""), kNoUnit);
  EXPECT_EQ(find_unit("ni", UnitKind::kInitial), kNoUnit);
}

TEST(Keys, TokensAreDense) {
  const std::string keys = "abcdefghijklmnopqrstuvwxyz23456789'";
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(key_token(keys[i]), static_cast<int32_t>(kFirstUnit + i));
  EXPECT_EQ(num_key_tokens(), static_cast<int>(kFirstUnit + keys.size()));
  for (const char key : {'A', '1', '0', ' ', '\0', '\x80'}) EXPECT_EQ(key_token(key), -1);
}

}  // namespace
}  // namespace litenat::text
