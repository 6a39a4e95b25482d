#!/usr/bin/env python3
"""Keeps files and functions short: no file over 800 lines, no function over 80, median function at most 10.

Functions come from universal-ctags. A longer one needs an entry in ALLOWED with its reason.
Usage: check_sizes.py [CHECKOUT]
"""
import json
import pathlib
import statistics
import subprocess
import sys

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 80
MAX_MEDIAN_LINES = 10
ALLOWED: dict[str, str] = {}  # "path:function" -> why it may be longer


def functions(top: pathlib.Path, files: list[str]):
    """(path, name, lines) of every function definition."""
    out = subprocess.run(
        ["ctags", "--output-format=json", "--fields=+ne", "--kinds-C++=f", "--kinds-CUDA=f", "--kinds-C=f",
         "--languages=C++,C,CUDA", "--langmap=C++:+.h", "-L", "-", "-f", "-"],
        input="\n".join(files), text=True, capture_output=True, check=True, cwd=top).stdout
    for row in out.splitlines():
        tag = json.loads(row)
        if tag.get("_type") == "tag" and "end" in tag:
            yield tag["path"], tag["name"], tag["end"] - tag["line"] + 1


def main() -> int:
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    files = sorted(str(p.relative_to(top)) for folder in ("src", "include", "tests", "examples")
                   for p in (top / folder).rglob("*") if p.suffix in (".h", ".cc", ".cu", ".hpp", ".c"))
    problems = []
    for name in files:
        lines = len((top / name).read_text(errors="replace").splitlines())
        if lines > MAX_FILE_LINES:
            problems.append(f"{name}: {lines} lines, at most {MAX_FILE_LINES}")
    found = list(functions(top, files))
    for path, name, lines in found:
        if lines > MAX_FUNCTION_LINES and f"{path}:{name}" not in ALLOWED:
            problems.append(f"{path}: {name} has {lines} lines, at most {MAX_FUNCTION_LINES}")
    median = statistics.median(lines for _, _, lines in found) if found else 0
    if not found or median > MAX_MEDIAN_LINES:
        problems.append(f"median function has {median} lines, at most {MAX_MEDIAN_LINES}")
    for problem in problems:
        print(problem)
    print(f"{len(files)} files, {len(found)} functions, median {median} lines, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
