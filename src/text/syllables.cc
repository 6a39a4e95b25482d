#include "text/syllables.h"

#include <array>

namespace litenat::text {
namespace {

// Frozen: ids stand in model files. Alphabetical. Every spelling that dictionaries of the standard language
// give for some hanzi, interjections ("hm", "ng") and a few colloquial syllables ("rua", "zhei") included.
constexpr std::string_view kSyllables[] = {
    "a",     "ai",     "an",     "ang",   "ao",    "ba",    "bai",   "ban",   "bang",  "bao",   "bei",    "ben",
    "beng",  "bi",     "bian",   "biang", "biao",  "bie",   "bin",   "bing",  "bo",    "bu",    "ca",     "cai",
    "can",   "cang",   "cao",    "ce",    "cei",   "cen",   "ceng",  "cha",   "chai",  "chan",  "chang",  "chao",
    "che",   "chen",   "cheng",  "chi",   "chong", "chou",  "chu",   "chua",  "chuai", "chuan", "chuang", "chui",
    "chun",  "chuo",   "ci",     "cong",  "cou",   "cu",    "cuan",  "cui",   "cun",   "cuo",   "da",     "dai",
    "dan",   "dang",   "dao",    "de",    "dei",   "den",   "deng",  "di",    "dia",   "dian",  "diao",   "die",
    "ding",  "diu",    "dong",   "dou",   "du",    "duan",  "dui",   "dun",   "duo",   "e",     "ei",     "en",
    "eng",   "er",     "fa",     "fan",   "fang",  "fei",   "fen",   "feng",  "fiao",  "fo",    "fou",    "fu",
    "ga",    "gai",    "gan",    "gang",  "gao",   "ge",    "gei",   "gen",   "geng",  "gong",  "gou",    "gu",
    "gua",   "guai",   "guan",   "guang", "gui",   "gun",   "guo",   "ha",    "hai",   "han",   "hang",   "hao",
    "he",    "hei",    "hen",    "heng",  "hm",    "hng",   "hong",  "hou",   "hu",    "hua",   "huai",   "huan",
    "huang", "hui",    "hun",    "huo",   "ji",    "jia",   "jian",  "jiang", "jiao",  "jie",   "jin",    "jing",
    "jiong", "jiu",    "ju",     "juan",  "jue",   "jun",   "ka",    "kai",   "kan",   "kang",  "kao",    "ke",
    "kei",   "ken",    "keng",   "kong",  "kou",   "ku",    "kua",   "kuai",  "kuan",  "kuang", "kui",    "kun",
    "kuo",   "la",     "lai",    "lan",   "lang",  "lao",   "le",    "lei",   "leng",  "li",    "lia",    "lian",
    "liang", "liao",   "lie",    "lin",   "ling",  "liu",   "lo",    "long",  "lou",   "lu",    "luan",   "lun",
    "luo",   "lv",     "lve",    "m",     "ma",    "mai",   "man",   "mang",  "mao",   "me",    "mei",    "men",
    "meng",  "mi",     "mian",   "miao",  "mie",   "min",   "ming",  "miu",   "mo",    "mou",   "mu",     "n",
    "na",    "nai",    "nan",    "nang",  "nao",   "ne",    "nei",   "nen",   "neng",  "ng",    "ni",     "nia",
    "nian",  "niang",  "niao",   "nie",   "nin",   "ning",  "niu",   "nong",  "nou",   "nu",    "nuan",   "nun",
    "nuo",   "nv",     "nve",    "o",     "ou",    "pa",    "pai",   "pan",   "pang",  "pao",   "pei",    "pen",
    "peng",  "pi",     "pian",   "piao",  "pie",   "pin",   "ping",  "po",    "pou",   "pu",    "qi",     "qia",
    "qian",  "qiang",  "qiao",   "qie",   "qin",   "qing",  "qiong", "qiu",   "qu",    "quan",  "que",    "qun",
    "ran",   "rang",   "rao",    "re",    "ren",   "reng",  "ri",    "rong",  "rou",   "ru",    "rua",    "ruan",
    "rui",   "run",    "ruo",    "sa",    "sai",   "san",   "sang",  "sao",   "se",    "sen",   "seng",   "sha",
    "shai",  "shan",   "shang",  "shao",  "she",   "shei",  "shen",  "sheng", "shi",   "shou",  "shu",    "shua",
    "shuai", "shuan",  "shuang", "shui",  "shun",  "shuo",  "si",    "song",  "sou",   "su",    "suan",   "sui",
    "sun",   "suo",    "ta",     "tai",   "tan",   "tang",  "tao",   "te",    "tei",   "teng",  "ti",     "tian",
    "tiao",  "tie",    "ting",   "tong",  "tou",   "tu",    "tuan",  "tui",   "tun",   "tuo",   "wa",     "wai",
    "wan",   "wang",   "wei",    "wen",   "weng",  "wo",    "wu",    "xi",    "xia",   "xian",  "xiang",  "xiao",
    "xie",   "xin",    "xing",   "xiong", "xiu",   "xu",    "xuan",  "xue",   "xun",   "ya",    "yan",    "yang",
    "yao",   "ye",     "yi",     "yin",   "ying",  "yo",    "yong",  "you",   "yu",    "yuan",  "yue",    "yun",
    "za",    "zai",    "zan",    "zang",  "zao",   "ze",    "zei",   "zen",   "zeng",  "zha",   "zhai",   "zhan",
    "zhang", "zhao",   "zhe",    "zhei",  "zhen",  "zheng", "zhi",   "zhong", "zhou",  "zhu",   "zhua",   "zhuai",
    "zhuan", "zhuang", "zhui",   "zhun",  "zhuo",  "zi",    "zong",  "zou",   "zu",    "zuan",  "zui",    "zun",
    "zuo",
};
constexpr int kNumSyllables = static_cast<int>(sizeof(kSyllables) / sizeof(kSyllables[0]));
constexpr size_t kMaxLength = 6;  // "zhuang": five bits a letter fit 32 bits

// The letters of a spelling as one number, 0 when it cannot be a syllable.
constexpr uint32_t pack(std::string_view spelling) {
  if (spelling.empty() || spelling.size() > kMaxLength) return 0;
  uint32_t code = 0;
  for (const char c : spelling) {
    if (c < 'a' || c > 'z') return 0;
    code = code << 5 | static_cast<uint32_t>(c - 'a' + 1);
  }
  return code;
}

// Open addressing over the packed spellings; built by the compiler.
class SyllableTable {
 public:
  constexpr SyllableTable() : codes_{}, ids_{} {
    for (int id = 0; id < kNumSyllables; ++id) insert(kSyllables[id], static_cast<SyllableId>(id));
    insert("lue", find(pack("lve")));
    insert("nue", find(pack("nve")));
  }
  constexpr SyllableId find(uint32_t code) const {
    if (code == 0) return kNoSyllable;
    for (uint32_t slot = home(code);; slot = (slot + 1) % kSlots) {
      if (codes_[slot] == code) return ids_[slot];
      if (codes_[slot] == 0) return kNoSyllable;
    }
  }

 private:
  static constexpr uint32_t kSlots = 2048;
  static constexpr uint32_t home(uint32_t code) { return (code * 0x9E3779B1u) >> 21; }
  constexpr void insert(std::string_view spelling, SyllableId id) {
    const uint32_t code = pack(spelling);
    uint32_t slot = home(code);
    while (codes_[slot] != 0) slot = (slot + 1) % kSlots;
    codes_[slot] = code;
    ids_[slot] = id;
  }

  uint32_t codes_[kSlots];
  SyllableId ids_[kSlots];
};
constexpr SyllableTable kTable;

// `spelling` with every U+00FC (two bytes in UTF-8) written as v.
std::string with_v(std::string_view spelling) {
  std::string result;
  for (size_t i = 0; i < spelling.size(); ++i) {
    const bool umlaut = spelling[i] == '\xC3' && i + 1 < spelling.size() && spelling[i + 1] == '\xBC';
    result.push_back(umlaut ? 'v' : spelling[i]);
    i += umlaut ? 1 : 0;
  }
  return result;
}

}  // namespace

int num_syllables() { return kNumSyllables; }

std::string_view syllable_name(SyllableId id) { return kSyllables[id]; }

SyllableId find_syllable(std::string_view spelling) {
  if (spelling.size() > 2 * kMaxLength) return kNoSyllable;
  if (spelling.find('\xC3') != std::string_view::npos) return kTable.find(pack(with_v(spelling)));
  return kTable.find(pack(spelling));
}

std::string_view syllable_initial(SyllableId id) {
  const std::string_view name = kSyllables[id];
  const bool retroflex = name.size() > 1 && name[1] == 'h' && (name[0] == 'z' || name[0] == 'c' || name[0] == 's');
  return name.substr(0, retroflex ? 2 : 1);
}

char nine_key_digit(char letter) {
  static constexpr char kDigits[] = "22233344455566677778889999";
  return letter >= 'a' && letter <= 'z' ? kDigits[letter - 'a'] : '\0';
}

}  // namespace litenat::text
