#!/usr/bin/env python3
"""Prints golden_scores.inc: lines made of the sentences below by random edits, and what sacreBLEU says of them.

Usage, where sacrebleu==2.6.0 and numpy are installed: python3 make_golden_scores.py > golden_scores.inc
"""
import os
import random

from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

WORD_SENTENCES = """The old lighthouse keeper counts 1,250 ships every year, doesn't he?
She said: "It's 3.5 km (about 2.2 miles) to the next village" and left.
Two children and their dog's friend run across the wet grass.
State-of-the-art e-mail clients cost $20-$30; older ones are free!
A man in a red jacket is holding an umbrella while the rain falls on the street.
We won't know until 10:30 a.m. whether flight BA-2490 has been cancelled.
Der alte Müller aus Großenhain fährt täglich mit dem Zug nach Köln.
Am 3. Mai kosteten 1.000 Stück rund 49,90 €, also weniger als früher.
L'été dernier, j'ai vu « l'Étoile » à l'opéra; c'était très beau.
El niño pidió agua: ¿dónde está la jarra? ¡Aquí!
Ο ΓΕΡΟΣ ΨΑΡΑΣ ΠΗΓΕ ΣΤΟ ΝΗΣΙ ΜΕ ΤΟΥΣ ΦΙΛΟΥΣ ΤΟΥ.
İstanbul'da IŞIK çok güzel, değil mi?
Старый маяк светит каждую ночь — даже зимой.
नदी के किनारे ३ पेड़ हैं।
한국어 문장도 하나 있으면 좋겠다 .
Release notes: fixed #1234, a+b=c, x_y <b>bold</b> &amp; &quot;quoted&quot; 50% faster ~ maybe
no punctuation at all just some words in a row that go on and on
""".splitlines()
CHARACTER_SENTENCES = """明天上午十点我们在图书馆门口见面，好吗？
他花了3.5元买了两本旧书（一本是1998年出版的）。
这台iPhone 15的屏幕——据说——比上一代亮20%！
“快走吧”，老师说，“要下雨了。”
今日は友達と一緒に新しいカフェへ行きました。
「すみません、駅はどこですか？」と彼女は聞いた・・・
東京タワーの高さは333メートルです。
𠀀是一个罕见的字㍿ｆｕｌｌ宽
""".splitlines()
PIECES = ["&quot;hi&quot;", "&amp;lt;", "3.14", "1,000,000.50", "10-20%", "'s", "John's", "ΟΔΟΣ", "ΣΑΣ.", "İ", "ẞ", "😀",
          "👩‍👩‍👧", "🇩🇪", "€5", "½", "٣٤", "।", "。", "、", "「」", "（ok）", "—", "…", "“q”", "a/b", "x_y", "<skipped>",
          "-", "--", "...", "!?", "\u00a0", "\u3000", "\u2009x", "\u200b", "\x1f", "𝔘", "ﬁ", "①", "Ⅷ", "$", "+1", "=", "^",
          "`", "~", "|", "[", "\\", "e\u0301", "ʰΣ", "'Σ'", "(hi)", "hi)", "ǅ"]
CONFIGURATIONS = {
    "bleu tokenize=13a": lambda: BLEU(tokenize="13a"),
    "bleu tokenize=intl": lambda: BLEU(tokenize="intl"),
    "bleu tokenize=zh": lambda: BLEU(tokenize="zh"),
    "bleu tokenize=char": lambda: BLEU(tokenize="char"),
    "bleu tokenize=none": lambda: BLEU(tokenize="none"),
    "bleu tokenize=intl lowercase": lambda: BLEU(tokenize="intl", lowercase=True),
    "bleu smooth=floor": lambda: BLEU(smooth_method="floor"),
    "bleu smooth=add-k": lambda: BLEU(smooth_method="add-k"),
    "bleu smooth=none": lambda: BLEU(smooth_method="none"),
    "chrf": CHRF,
    "chrf word=2": lambda: CHRF(word_order=2),
    "chrf word=2 lowercase whitespace eps": lambda: CHRF(word_order=2, lowercase=True, whitespace=True,
                                                        eps_smoothing=True),
    "chrf char=4 beta=3": lambda: CHRF(char_order=4, beta=3),
    "ter": TER,
    "ter normalized": lambda: TER(normalized=True),
    "ter no_punct case_sensitive": lambda: TER(no_punct=True, case_sensitive=True),
    "ter normalized no_punct asian": lambda: TER(normalized=True, no_punct=True, asian_support=True),
    "ter normalized asian": lambda: TER(normalized=True, asian_support=True),
}
TRIALS = 200


def edited(random_, sentence, separator):
    if random_.random() < 0.04:
        return ""
    words = sentence.split(separator) if separator else list(sentence)
    for _ in range(random_.randint(0, 4)):
        if not words:
            break
        kind = random_.randrange(8)
        i = random_.randrange(len(words))
        if kind == 0:
            del words[i]
        elif kind == 1:
            words.insert(i, random_.choice(words))
        elif kind == 2:
            words.insert(i, random_.choice(PIECES))
        elif kind in (3, 4, 5):
            length = random_.randint(1, min(12, len(words)))
            first = random_.randrange(len(words) - length + 1)
            moved = words[first:first + length]
            del words[first:first + length]
            target = random_.randint(0, len(words))
            words[target:target] = moved
        elif kind == 6:
            words[i] = words[i].upper()
        else:
            words[i] += random_.choice(PIECES)
    return separator.join(words)


def make_lines():
    random_ = random.Random(20)
    lines = []
    for _ in range(10):
        for sentences, separator in ((WORD_SENTENCES, " "), (CHARACTER_SENTENCES, "")):
            lines += [(edited(random_, s, separator), s, edited(random_, s, separator)) for s in sentences]
    for length in (40, 60, 80, 120, 160, 60, 60, 60):  # long moves, the beam and the limit of candidates
        words = " ".join(random_.choice("abcdefghijkl") for _ in range(length))
        hypothesis = edited(random_, edited(random_, words, " "), " ")
        lines.append((hypothesis, words, " ".join(words.split()[:random_.randint(0, 3)])))
        lines.append((" ".join(words.split()[:2]), words, words[::-1]))
    return lines


def quoted(text):
    """A C++ string literal."""
    plain = [c.isprintable() and c not in '"\\?' for c in text]
    return '"' + "".join(c if p else "".join(f"\\{b:03o}" for b in c.encode()) for c, p in zip(text, plain)) + '"'


def print_array(head, values):
    print(head + " = {")
    print("\n".join("    " + value + "," for value in values))
    print("};")


def print_scores(lines):
    hypotheses = [line[0] for line in lines]
    corpora, by_line = [], []
    for name, make in CONFIGURATIONS.items():
        for num_references in (1, 2):
            references = [[line[1 + r] for line in lines] for r in range(num_references)]
            metric = make()
            score = metric.corpus_score(hypotheses, references)
            text = score.format(signature=str(metric.get_signature()))
            corpora.append(f"{{{quoted(name)}, {num_references}, {score.score!r}, {quoted(text)}}}")
        metric = make()
        metric.effective_order = True
        scores = [metric.sentence_score(h, [line[1], line[2]]).score for h, line in zip(hypotheses, lines)]
        by_line.append("{" + ", ".join(f"{s:.9g}" for s in scores) + "}")
    print_array("constexpr GoldenCorpus kGoldenCorpora[]", corpora)
    print("// [configuration][line]: scores of single lines against both references.")
    print_array(f"constexpr double kGoldenLineScores[][{len(lines)}]", by_line)


def print_tests(lines):
    """The second references are the other system."""
    baseline, references, system = ([line[k] for line in lines] for k in (0, 1, 2))
    rows = []
    for make in (BLEU, CHRF, TER):
        metric = make()
        text = metric.corpus_score(baseline, [references], n_bootstrap=TRIALS).format(
            signature=str(metric.get_signature()))
        row = [quoted(text)]
        for test in ("bs", "ar"):
            signatures, scores = PairedTest([("a", baseline), ("b", system)], {"m": make()}, [references],
                                            test_type=test, n_samples=TRIALS)()
            name = next(iter(signatures))
            result = scores[name][1]
            row += [quoted(str(signatures[name])), repr(result.p_value)]
            if test == "bs":
                row += [repr(float(result.mean)), repr(float(result.ci))]
        rows.append("{" + ", ".join(row) + "}")
    print_array("constexpr GoldenTests kGoldenTests[]", rows)


def main():
    os.environ.pop("SACREBLEU_SEED", None)
    lines = make_lines()
    print("// Made by make_golden_scores.py.\n// clang-format off")
    print_array("constexpr GoldenLine kGoldenLines[]", ["{" + ", ".join(map(quoted, line)) + "}" for line in lines])
    print_scores(lines)
    print(f"constexpr int kGoldenTrials = {TRIALS};")
    print_tests(lines)
    print("// clang-format on")


if __name__ == "__main__":
    main()
