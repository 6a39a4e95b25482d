#!/usr/bin/env python3
"""Prints unicode_tables.inc: the properties of characters that the tokenisers and str.lower() look at.

The categories are those of the `regex` package (which sacreBLEU's intl tokeniser uses), the lower-case forms those of
the Python that runs this. Usage: python3 make_unicode_tables.py > unicode_tables.inc
"""
import sys
import unicodedata

import regex

CODE_POINTS = [c for c in range(0x80, 0x110000) if not 0xD800 <= c <= 0xDFFF]


def print_table(head, entries):
    print(head + " = {")
    line = "   "
    for entry in entries:
        if len(line) + len(entry) + 2 > 120:
            print(line)
            line = "   "
        line += f" {entry},"
    print(line + "\n};")


def ranges(kind_of):
    """(first, last, kind) of the runs of code points with the same kind that is not None."""
    runs = []
    for c in CODE_POINTS:
        kind = kind_of(c)
        if kind is None:
            continue
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == kind:
            runs[-1][1] = c
        else:
            runs.append([c, c, kind])
    return runs


def category(c):
    for letter, name in (("N", "kNumber"), ("P", "kPunctuation"), ("S", "kSymbol")):
        if regex.match(r"\p{%s}" % letter, chr(c)):
            return name
    return None


def casing(c):
    """How the character acts on a capital sigma beside it, found by trying."""
    if (chr(c) + "\u03a3").lower().endswith("\u03c2"):
        return "kCased"
    if ("a" + chr(c) + "\u03a3").lower().endswith("\u03c2"):
        return "kCaseIgnorable"
    return None


def lower_runs():
    """(first, last, step, delta): code points first, first + step, ... whose lower-case form is delta away."""
    runs = []
    for c in CODE_POINTS:
        lower = chr(c).lower()
        if lower == chr(c) or len(lower) > 1:  # only U+0130 has a longer form; the code knows it
            continue
        delta = ord(lower) - c
        last = runs[-1] if runs else None
        if last and last[3] == delta and last[0] == last[1] and c - last[1] <= 2:
            last[1:3] = [c, c - last[1]]
        elif last and last[3] == delta and c - last[1] == last[2]:
            last[1] = c
        else:
            runs.append([c, c, 1, delta])
    return runs


def main():
    print(f"// Made by make_unicode_tables.py with regex {regex.__version__} and the Unicode {unicodedata.unidata_version}"
          f" of Python {sys.version_info[0]}.{sys.version_info[1]}.")
    print("// clang-format off")
    for head, kind_of in (("constexpr Range<Category> kCategories[]", category),
                          ("constexpr Range<Casing> kCasings[]", casing)):
        owner = "Category" if kind_of is category else "Casing"
        print_table(head, [f"{{0x{a:X}, 0x{b:X}, {owner}::{k}}}" for a, b, k in ranges(kind_of)])
    print_table("constexpr LowerRun kLowerRuns[]", [f"{{0x{a:X}, 0x{b:X}, {s}, {d}}}" for a, b, s, d in lower_runs()])
    print("// clang-format on")


if __name__ == "__main__":
    main()
