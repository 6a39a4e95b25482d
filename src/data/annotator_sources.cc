#include "data/annotator_sources.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/utf8.h"
#include "data/corpus_reader.h"

namespace litenat::data {
namespace {

using text::SyllableId;

constexpr size_t kSourceLimit = size_t{1} << 30;

// The toneless letter of a vowel with a tone mark, 0 for anything else. U+1EBF etc. (both circumflex and tone) stand
// for e in readings of interjections.
char32_t without_tone(char32_t c) {
  struct Group {
    char32_t letter;
    const char32_t* marked;
  };
  static const Group kGroups[] = {{U'a', U"\u0101\u00E1\u01CE\u00E0"},
                                  {U'e', U"\u0113\u00E9\u011B\u00E8\u00EA\u1EBF\u1EC1"},
                                  {U'i', U"\u012B\u00ED\u01D0\u00EC"},
                                  {U'o', U"\u014D\u00F3\u01D2\u00F2"},
                                  {U'u', U"\u016B\u00FA\u01D4\u00F9"},
                                  {U'v', U"\u01D6\u01D8\u01DA\u01DC\u00FC"},
                                  {U'n', U"\u0144\u0148\u01F9"},
                                  {U'm', U"\u1E3F"},
                                  {U'g', U"\u0261"}};
  for (const Group& group : kGroups)
    for (const char32_t* marked = group.marked; *marked != 0; ++marked)
      if (*marked == c) return group.letter;
  return 0;
}

bool is_combining_tone(char32_t c) { return c == 0x300 || c == 0x301 || c == 0x304 || c == 0x30C || c == 0x302; }

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find_first_of(separators, i), text.size());
    if (end > i) parts.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  return parts;
}

template <typename Line>
void for_each_line(std::string_view text, Line&& line) {
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find('\n', i), text.size());
    std::string_view one = text.substr(i, end - i);
    if (!one.empty() && one.back() == '\r') one.remove_suffix(1);
    line(one);
    i = end + 1;
  }
}

// Adds `word` with its syllables when they fit each other.
bool add_entry(std::string_view word, const std::vector<std::string_view>& spellings, double weight,
               PronunciationSources* sources) {
  Pronunciation entry{std::string(word), {}, weight};
  const std::vector<char32_t> characters = to_code_points(word);
  bool good = !characters.empty() && characters.size() == spellings.size() && std::isfinite(weight) && weight >= 0;
  for (size_t i = 0; good && i < characters.size(); ++i) {
    entry.syllables.push_back(parse_syllable(spellings[i]));
    good = is_hanzi(characters[i]) && entry.syllables.back() != text::kNoSyllable;
  }
  if (!good) {
    ++sources->skipped;
    return false;
  }
  (characters.size() == 1 ? sources->characters : sources->words).push_back(std::move(entry));
  return true;
}

double to_number(std::string_view text) { return std::strtod(std::string(text).c_str(), nullptr); }

bool add_rime_line(std::string_view line, PronunciationSources* sources) {
  const auto fields = split(line, "\t");
  if (fields.size() < 2 || line[0] == '#') return false;
  const double weight = fields.size() > 2 ? to_number(fields[2]) : 1;
  return add_entry(fields[0], split(fields[1], " "), weight, sources);
}

bool add_colon_line(std::string_view line, size_t colon, PronunciationSources* sources) {
  std::string_view value = line.substr(colon + 1);
  value = value.substr(0, value.find_first_of("#,"));
  return add_entry(line.substr(0, colon), split(value, " \t"), 1, sources);
}

bool add_apostrophe_line(std::string_view line, PronunciationSources* sources) {
  const auto fields = split(line, " \t");
  if (fields.size() < 2) return false;
  const double weight = fields.size() > 2 ? std::pow(10.0, to_number(fields[2])) : 1;
  return add_entry(fields[0], split(fields[1], "'"), weight, sources);
}

bool add_plain_line(std::string_view line, PronunciationSources* sources) {
  if (line.empty() || line[0] == '#') return false;
  const size_t colon = line.find(':');
  return colon != std::string_view::npos ? add_colon_line(line, colon, sources) : add_apostrophe_line(line, sources);
}

// The code point of a line "U+4E2D...", 0 when it is none; *end is where the number ends.
char32_t line_code_point(std::string_view line, size_t* end) {
  if (line.substr(0, 2) != "U+") return 0;
  char32_t code = 0;
  size_t i = 2;
  for (; i < line.size() && i < 8; ++i) {
    const char c = line[i];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) break;
    code = code * 16 + static_cast<char32_t>(digit);
  }
  *end = i;
  return is_hanzi(code) ? code : 0;
}

void append_readings(std::string_view value, std::vector<SyllableId>* readings) {
  for (std::string_view spelling : split(value, " ,")) {
    spelling = spelling.substr(0, spelling.find('('));  // kHanyuPinlu: zhōng(4321)
    const SyllableId syllable = parse_syllable(spelling);
    if (syllable != text::kNoSyllable && std::find(readings->begin(), readings->end(), syllable) == readings->end())
      readings->push_back(syllable);
  }
}

}  // namespace

const char* const kDefaultPhrases = "/usr/share/rime-data/pinyin_simp.dict.yaml";
const char* const kDefaultReadings = "/usr/share/unicode/Unihan_Readings.txt.bz2";

SyllableId parse_syllable(std::string_view marked) {
  std::string letters;
  for (size_t i = 0; i < marked.size();) {
    const char32_t c = decode_utf8(marked, &i);
    if (c == 0x308 && !letters.empty() && letters.back() == 'u') {
      letters.back() = 'v';
    } else if (c >= '0' && c <= '5' && i == marked.size()) {
      break;
    } else if (!is_combining_tone(c)) {
      const char32_t letter = c < 0x80 ? c : without_tone(c);
      if (letter < 'a' || letter > 'z') return text::kNoSyllable;
      letters.push_back(static_cast<char>(letter));
    }
  }
  return text::find_syllable(letters);
}

void add_phrases(const std::string& path, PronunciationSources* sources) {
  const std::string text = read_decompressed(path, kSourceLimit);
  size_t begin = text.rfind("...\n", 0) == 0 ? 0 : text.find("\n...\n");
  const bool rime = begin != std::string::npos;
  begin = rime ? text.find('\n', begin + 1) : 0;
  int64_t entries = 0;
  for_each_line(std::string_view(text).substr(begin), [&](std::string_view line) {
    if (line.empty()) return;
    entries += (rime ? add_rime_line(line, sources) : add_plain_line(line, sources)) ? 1 : 0;
  });
  if (entries == 0) {
    throw Error(path +
                ": expected a phrase dictionary (a rime dictionary, or lines \"word: syllables\"), found no entry");
  }
}

void add_readings(const std::string& path, PronunciationSources* sources) {
  const std::string text = read_decompressed(path, kSourceLimit);
  CharacterReadings mandarin;  // comes after kHanyuPinlu, whose readings are ordered by frequency
  int64_t entries = 0;
  for_each_line(text, [&](std::string_view line) {
    size_t end = 0;
    const char32_t code = line_code_point(line, &end);
    if (code == 0) return;
    const std::string_view rest = line.substr(end);
    if (rest.substr(0, 13) == "\tkHanyuPinlu\t") {
      append_readings(rest.substr(13), &sources->readings[code]);
    } else if (rest.substr(0, 11) == "\tkMandarin\t") {
      append_readings(rest.substr(11), &mandarin[code]);
    } else if (rest.substr(0, 1) == ":") {
      append_readings(rest.substr(1, rest.find('#') - 1), &sources->readings[code]);
    } else {
      return;
    }
    ++entries;
  });
  for (const auto& [code, syllables] : mandarin)
    for (const SyllableId syllable : syllables) {
      std::vector<SyllableId>& all = sources->readings[code];
      if (std::find(all.begin(), all.end(), syllable) == all.end()) all.push_back(syllable);
    }
  if (entries == 0) {
    throw Error(path + ": expected character readings (Unihan_Readings, or lines \"U+4E2D: zh\u014Dng\"), found none");
  }
}

PronunciationSources load_pronunciations(const std::vector<std::string>& phrases,
                                         const std::vector<std::string>& readings) {
  PronunciationSources sources;
  const auto files = [](const std::vector<std::string>& given, const char* standard) {
    return given.empty() ? std::vector<std::string>{standard} : given;
  };
  for (const std::string& path : files(phrases, kDefaultPhrases)) add_phrases(path, &sources);
  for (const std::string& path : files(readings, kDefaultReadings)) add_readings(path, &sources);
  return sources;
}

}  // namespace litenat::data
