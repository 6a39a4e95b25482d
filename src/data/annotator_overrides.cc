// Readings that we know better than the counts of the sources, written by hand.
//
// Characters: the reading of the character standing alone in running text ("de" of adverbs, not "di" of places, which
// phrases cover; the colloquial reading where the sources count a literary one). Phrases: common words that the default
// dictionary lacks or reads otherwise, and longer words that keep a shorter phrase from taking what is not its own.
#include "base/error.h"
#include "base/utf8.h"
#include "data/annotator.h"

namespace litenat::data {
namespace {

// clang-format off
constexpr const char* kCharacters = R"(
这 zhe; 那 na; 长 chang; 行 xing; 系 xi; 似 si; 没 mei; 还 hai; 大 da; 的 de; 地 de; 得 de; 了 le; 着 zhe; 么 me;
都 dou; 和 he; 为 wei; 会 hui; 给 gei; 重 zhong; 谁 shei; 嗯 en; 哦 o; 喔 o; 诶 ei; 什 shi; 血 xue; 粘 zhan;
纤 xian; 尾 wei; 帧 zhen; 腌 yan; 薄 bao; 仔 zi; 厦 sha; 勒 le; 综 zong; 咳 ke; 削 xiao; 囤 tun; 栅 zha; 轧 ya;
曝 pu; 俞 yu; 忒 te; 町 ting; 缪 miao; 辟 pi; 绰 chuo; 筠 yun; 呷 xia; 栎 li; 阚 kan; 俟 si; 伺 si; 耙 pa; 拚 pan;
焘 tao; 碌 lu; 炔 que; 聒 guo; 蛤 ge; 攒 zan; 镐 gao; 铣 xi; 裨 bi; 琢 zhuo; 茄 qie; 炅 jiong; 峇 ba; 芾 fu;
啰 luo; 钿 dian; 瑱 tian; 咀 ju; 吁 yu; 沓 ta; 啜 chuo; 杓 shao; 纥 he; 阇 du; 颉 xie; 圜 huan; 藉 ji; 嚼 jiao;
埔 pu; 咖 ka; 伽 jia; 爪 zhua; 掺 chan; 妳 ni; 彷 fang; 嬷 mo; 隗 wei; 辗 zhan; 荨 xun; 潦 liao; 傀 kui; 脯 fu;
孱 chan; 莘 shen; 佴 nai; 粥 zhou; 〇 ling; 廿 nian; 卅 sa; 吒 zha; 哪 na; 尬 ga; 糗 qiu; 咯 lo; 唉 ai; 嗲 dia;
拓 tuo;
)";

constexpr const char* kPhrases = R"(
旅长 lv zhang; 保长 bao zhang; 甲长 jia zhang; 庭长 ting zhang; 段长 duan zhang; 探长 tan zhang; 狱长 yu zhang;
舰长 jian zhang; 艇长 ting zhang; 室长 shi zhang; 车长 che zhang; 列车长 lie che zhang; 审判长 shen pan zhang;
茁长 zhuo zhang; 疯长 feng zhang; 滋长 zi zhang; 长女 zhang nv; 长草 zhang cao; 长痘 zhang dou; 见长 jian chang;
长芽 zhang ya; 长毛 zhang mao; 长牙 zhang ya; 长个 zhang ge; 防弹 fang dan; 氢弹 qing dan; 流弹 liu dan;
枪弹 qiang dan; 投弹 tou dan; 弹壳 dan ke; 弹片 dan pian; 弹夹 dan jia; 弹坑 dan keng; 弹孔 dan kong; 弹丸 dan wan;
弹珠 dan zhu; 催泪弹 cui lei dan; 烟雾弹 yan wu dan; 信号弹 xin hao dan; 燃烧弹 ran shao dan; 调往 diao wang;
调派 diao pai; 调兵 diao bing; 调遣 diao qian; 调取 diao qu; 借调 jie diao; 征调 zheng diao; 外调 wai diao;
对调 dui diao; 选调 xuan diao; 调包 diao bao; 调运 diao yun; 调职 diao zhi; 调回 diao hui; 调阅 diao yue;
调式 diao shi; 调令 diao ling; 笔调 bi diao; 重编 chong bian; 重绘 chong hui; 重排 chong pai; 重设 chong she;
重映射 chong ying she; 重传 chong chuan; 重连 chong lian; 重算 chong suan; 重入 chong ru; 重分区 chong fen qu;
重号 chong hao; 重挂载 chong gua zai; 重打 chong da; 多重 duo chong; 二重 er chong; 四重 si chong; 几重 ji chong;
万重 wan chong; 重影 chong ying; 重言 chong yan; 重奏 chong zou; 重唱 chong chang; 重婚 chong hun; 重孙 chong sun;
重围 chong wei; 重九 chong jiu; 重提 chong ti; 重归 chong gui; 重操 chong cao; 重获 chong huo; 重见 chong jian;
重起 chong qi; 重登 chong deng; 重赛 chong sai; 重印 chong yin; 重版 chong ban; 重洋 chong yang; 多行 duo hang;
空行 kong hang; 行号 hang hao; 单行 dan hang; 逐行 zhu hang; 行首 hang shou; 行尾 hang wei; 行距 hang ju;
行高 hang gao; 首行 shou hang; 末行 mo hang; 二行 er hang; 三行 san hang; 四行 si hang; 下一行 xia yi hang;
上一行 shang yi hang; 新行 xin hang; 各行 ge hang; 标题行 biao ti hang; 注释行 zhu shi hang; 输入行 shu ru hang;
整行 zheng hang; 行间 hang jian; 行宽 hang kuan; 入行 ru hang; 树行 shu hang; 一行人 yi xing ren; 隔行 ge hang;
当前行 dang qian hang; 列行 lie hang; 行标 hang biao; 行内 hang nei; 行末 hang mo; 行和列 hang he lie;
行与列 hang yu lie; 行或列 hang huo lie; 行标签 hang biao qian; 行标题 hang biao ti; 行缓冲 hang huan chong;
行编辑 hang bian ji; 行结束符 hang jie shu fu; 行终止符 hang zhong zhi fu; 文本行 wen ben hang; 数据行 shu ju hang;
插入行 cha ru hang; 删除行 shan chu hang; 表格行 biao ge hang; 行索引 hang suo yin; 行间距 hang jian ju;
校订 jiao ding; 校样 jiao yang; 校勘 jiao kan; 模板 mu ban; 模样 mu yang; 模具 mu ju; 公钥 gong yue; 私钥 si yue;
不对称 bu dui chen; 屏息 bing xi; 藏语 zang yu; 藏文 zang wen; 藏袍 zang pao; 藏药 zang yao; 降服 xiang fu;
关卡 guan qia; 称心 chen xin; 揣度 chuai duo; 忖度 cun duo; 暖和 nuan huo; 掺和 chan huo; 丢三落四 diu san la si;
血泊 xue po; 梁山泊 liang shan po; 拓片 ta pian; 巷道 hang dao; 呜咽 wu ye; 着陆 zhuo lu; 着想 zhuo xiang;
着落 zhuo luo; 猜着 cai zhao; 睡得着 shui de zhao; 着魔 zhao mo; 追还 zhui huan; 还书 huan shu; 交还 jiao huan;
还礼 huan li; 还乡 huan xiang; 大都会 da du hui; 定都 ding du; 建都 jian du; 帝都 di du; 给养 ji yang; 自给 zi ji;
给与 ji yu; 配给 pei ji; 湮没 yan mo; 泯没 min mo; 辱没 ru mo; 薄板 bao ban; 薄片 bao pian; 超级薄 chao ji bao;
茅塞顿开 mao se dun kai; 塞责 se ze; 捆扎 kun za; 包扎 bao za; 结扎 jie za; 朝云 zhao yun; 朝三暮四 zhao san mu si;
率军 shuai jun; 率众 shuai zhong; 率部 shuai bu; 率团 shuai tuan; 率兵 shuai bing; 率师 shuai shi; 统率 tong shuai;
克什米尔 ke shi mi er; 曾子 zeng zi; 曾孙 zeng sun; 曾祖 zeng zu; 目的地 mu di di; 众矢之的 zhong shi zhi di;
还得 hai dei; 必得 bi dei; 须得 xu dei; 了却 liao que; 乐理 yue li; 奏乐 zou yue; 瘦削 shou xue; 剥皮 bao pi;
亲家 qing jia; 脉脉 mo mo; 含情脉脉 han qing mo mo; 否极泰来 pi ji tai lai; 爪牙 zhao ya; 魔爪 mo zhao;
古刹 gu cha; 蛤蜊 ge li; 琢磨 zuo mo; 什锦 shi jin; 里弄 li long; 劲敌 jing di; 刚劲 gang jing; 苍劲 cang jing;
遒劲 qiu jing; 殷红 yan hong; 泄露 xie lou; 甲壳 jia qiao; 躯壳 qu qiao; 黄柏 huang bo; 长吁短叹 chang xu duan tan;
绿林 lu lin; 鸭绿江 ya lu jiang; 吐蕃 tu bo; 吐谷浑 tu yu hun; 龟兹 qiu ci; 大宛 da yuan; 月氏 yue zhi;
中牟 zhong mu; 隽永 juan yong; 呱呱坠地 gu gu zhui di; 一沓 yi da; 厚朴 hou po; 朴槿惠 piao jin hui;
薄伽丘 bo jia qiu; 颤栗 zhan li; 下地 xia di; 整地 zheng di; 垦地 ken di; 好恶 hao wu; 尉迟 yu chi; 万俟 mo qi;
单县 shan xian; 浑身解数 hun shen xie shu; 盛饭 cheng fan; 盛满 cheng man; 十石 shi dan; 择菜 zhai cai;
择席 zhai xi; 一曝十寒 yi pu shi han; 胳臂 ge bei; 刨冰 bao bing; 家给人足 jia ji ren zu; 骨殖 gu shi; 熨帖 yu tie;
强嘴 jiang zui; 角斗 jue dou; 夹肢窝 ga zhi wo; 卡壳 qia ke; 发卡 fa qia; 哨卡 shao qia; 圈养 juan yang;
羊圈 yang juan; 吴堡 wu bu; 十里堡 shi li pu; 曝晒 pu shai; 六安 lu an; 莞尔 wan er; 铅山 yan shan; 乐亭 lao ting;
繁峙 fan shi; 浚县 xun xian; 尉犁 yu li; 大埔 da bu; 洪洞 hong tong; 枞阳 zong yang; 珲春 hun chun;
高句丽 gao gou li; 句践 gou jian; 夫差 fu chai; 郦食其 li yi ji; 冒顿 mo du; 查良镛 zha liang yong; 解缙 xie jin;
单田芳 shan tian fang; 新行动 xin xing dong; 新行为 xin xing wei; 多重要 duo zhong yao; 好恶心 hao e xin;
下地址 xia di zhi; 下地图 xia di tu; 下地方 xia di fang; 单行道 dan xing dao; 大黄鱼 da huang yu; 谁的 shei de;
谁都 shei dou; 谁能 shei neng; 谁来 shei lai; 谁会 shei hui; 谁家 shei jia; 谁就 shei jiu; 谁知 shei zhi;
谁是 shei shi; 谁说 shei shuo; 谁让 shei rang; 谁要 shei yao; 谁也 shei ye; 谁又 shei you; 谁有 shei you;
在行 zai xing; 是谁 shi shei; 有谁 you shei; 你是谁 ni shi shei; 谁知道 shei zhi dao; 我是谁 wo shi shei; 他是谁 ta shi shei;
她是谁 ta shi shei;
)";
// clang-format on

// Entries "hanzi syllable...", each followed by ';'.
void parse(std::string_view table, std::vector<Pronunciation>* entries) {
  Pronunciation entry;
  std::string token;
  const auto end_token = [&] {
    if (token.empty()) return;
    if (entry.word.empty()) {
      entry.word = token;
    } else {
      entry.syllables.push_back(text::find_syllable(token));
      if (entry.syllables.back() == text::kNoSyllable) throw Error("annotator_overrides.cc: no syllable " + token);
    }
    token.clear();
  };
  for (const char c : table) {
    const bool separator = c == ' ' || c == '\n' || c == ';';
    if (!separator) token.push_back(c);
    if (separator) end_token();
    if (c != ';') continue;
    if (to_code_points(entry.word).size() != entry.syllables.size())
      throw Error("annotator_overrides.cc: " + entry.word + " has not as many syllables as characters");
    entries->push_back(entry);
    entry = Pronunciation{};
  }
}

}  // namespace

std::vector<Pronunciation> annotation_overrides() {
  std::vector<Pronunciation> entries;
  parse(kCharacters, &entries);
  parse(kPhrases, &entries);
  return entries;
}

}  // namespace litenat::data
