#include "text/units.h"

#include <algorithm>
#include <map>

#include "text/token_table.h"

namespace litenat::text {
namespace {

using SyllablesByKeys = std::map<std::string, std::vector<SyllableId>>;

SyllablesByKeys full_keys() {
  SyllablesByKeys keys;
  for (int i = 0; i < num_syllables(); ++i) {
    const auto id = static_cast<SyllableId>(i);
    keys[std::string(syllable_name(id))].push_back(id);
  }
  return keys;
}

// An initial of two letters may be typed as its first letter too.
SyllablesByKeys initial_keys() {
  SyllablesByKeys keys;
  for (int i = 0; i < num_syllables(); ++i) {
    const auto id = static_cast<SyllableId>(i);
    const std::string initial(syllable_initial(id));
    keys[initial].push_back(id);
    if (initial.size() > 1) keys[initial.substr(0, 1)].push_back(id);
  }
  return keys;
}

SyllablesByKeys digit_keys(const SyllablesByKeys& letters) {
  SyllablesByKeys keys;
  for (const auto& [spelling, syllables] : letters) {
    std::string digits;
    for (const char letter : spelling) digits.push_back(nine_key_digit(letter));
    std::vector<SyllableId>& all = keys[digits];
    all.insert(all.end(), syllables.begin(), syllables.end());
  }
  for (auto& [digits, syllables] : keys) {
    std::sort(syllables.begin(), syllables.end());
    syllables.erase(std::unique(syllables.begin(), syllables.end()), syllables.end());
  }
  return keys;
}

struct Unit {
  std::string name;
  std::string token;
  UnitKind kind;
  std::vector<SyllableId> syllables;
};

// The units typed with the same keys: a syllable, an initial, or both.
struct SameKeys {
  UnitId full = kNoUnit;
  UnitId initial = kNoUnit;
};

class UnitList {
 public:
  UnitList() {
    const SyllablesByKeys full = full_keys(), initials = initial_keys();
    append(full, UnitKind::kFull);
    append(initials, UnitKind::kInitial);
    append(digit_keys(full), UnitKind::kDigitsFull);
    append(digit_keys(initials), UnitKind::kDigitsInitial);
  }

  int size() const { return static_cast<int>(units_.size()); }
  const Unit& operator[](UnitId id) const { return units_[static_cast<size_t>(id - kFirstUnit)]; }

  SameKeys find(std::string_view keys) const {
    const int32_t entry = find_entry(keys);
    if (entry != TokenTable::kNone) return entries_[static_cast<size_t>(entry)];
    SameKeys found;  // syllables have aliases; their units are the first of the list, in the same order
    const SyllableId syllable = find_syllable(keys);
    if (syllable != kNoSyllable) found.full = kFirstUnit + syllable;
    return found;
  }

 private:
  int32_t find_entry(std::string_view keys) const {
    return table_.find(hash_token(keys), [&](int32_t entry) { return name_of(entry) == keys; });
  }
  const std::string& name_of(int32_t entry) const {
    const SameKeys& same = entries_[static_cast<size_t>(entry)];
    return (*this)[same.full != kNoUnit ? same.full : same.initial].name;
  }

  void append(const SyllablesByKeys& keys, UnitKind kind) {
    const bool full = kind == UnitKind::kFull || kind == UnitKind::kDigitsFull;
    for (const auto& [name, syllables] : keys) {
      const UnitId id = kFirstUnit + size();
      int32_t entry = find_entry(name);
      const bool shared = entry != TokenTable::kNone;
      units_.push_back({name, shared ? name + "-" : name, kind, syllables});
      if (!shared) {
        entry = static_cast<int32_t>(entries_.size());
        entries_.emplace_back();
      }
      (full ? entries_.back().full : entries_[static_cast<size_t>(entry)].initial) = id;
      if (!shared) table_.insert(hash_token(name), entry);
    }
  }

  std::vector<Unit> units_;
  std::vector<SameKeys> entries_;
  TokenTable table_;
};

const UnitList& list() {
  static const UnitList units;
  return units;
}

}  // namespace

int num_units() { return list().size(); }

std::string_view unit_name(UnitId id) { return list()[id].name; }

std::string_view unit_token(UnitId id) { return list()[id].token; }

UnitId find_unit_token(std::string_view token) {
  const bool marked = !token.empty() && token.back() == '-';
  const SameKeys found = list().find(token.substr(0, token.size() - (marked ? 1 : 0)));
  if (marked) return found.full != kNoUnit ? found.initial : kNoUnit;
  return found.full != kNoUnit ? found.full : found.initial;
}

UnitKind unit_kind(UnitId id) { return list()[id].kind; }

UnitId find_unit(std::string_view keys) {
  const SameKeys found = list().find(keys);
  return found.full != kNoUnit ? found.full : found.initial;
}

std::vector<UnitId> find_units(std::string_view keys) {
  const SameKeys found = list().find(keys);
  std::vector<UnitId> units;
  if (found.full != kNoUnit) units.push_back(found.full);
  if (found.initial != kNoUnit) units.push_back(found.initial);
  return units;
}

UnitId find_unit(std::string_view keys, UnitKind kind) {
  const SameKeys found = list().find(keys);
  for (const UnitId unit : {found.full, found.initial})
    if (unit != kNoUnit && unit_kind(unit) == kind) return unit;
  return kNoUnit;
}

Span<const SyllableId> unit_syllables(UnitId unit) { return list()[unit].syllables; }

int32_t key_token(char key) {
  if (key >= 'a' && key <= 'z') return kFirstUnit + (key - 'a');
  if (key >= '2' && key <= '9') return kFirstUnit + 26 + (key - '2');
  return key == '\'' ? kFirstUnit + 34 : -1;
}

int num_key_tokens() { return kFirstUnit + 35; }

}  // namespace litenat::text
