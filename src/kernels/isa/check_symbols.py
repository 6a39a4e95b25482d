#!/usr/bin/env python3
"""Checks that an instruction set's object file defines no function that another file could come to share.

A linker keeps one copy of an inline function or template. Were that copy the one compiled for AVX-512, a CPU without
it would die on it. So every symbol that such an object defines must carry the name of its instruction set.
Usage: check_symbols.py NM OBJECT...
"""
import pathlib
import re
import subprocess
import sys

# The file's name -> what each symbol of it must contain.
MARKS = {
    "avx2": r"Avx2",
    "avx512_vnni": r"Avx512",
    "neon": r"Neon(?!Dotprod)|\(litenat::kernels::Isa\)3",
    "neon_dotprod": r"NeonDotprod|\(litenat::kernels::Isa\)4",
}
TOOLCHAIN = re.compile(r"^(DW\.ref\.|__odr_asan|_?_?asan|_sub_[ID]_|\.)")


def shared_symbols(nm: str, path: str, mark: str):
    """The defined, externally visible symbols without the mark."""
    lines = subprocess.run([nm, "--defined-only", "--demangle", path], text=True, capture_output=True,
                           check=True).stdout.splitlines()
    for line in lines:
        _, kind, name = line.split(" ", 2)
        if (kind.isupper() or kind == "u") and not re.search(mark, name) and not TOOLCHAIN.match(name):
            yield name


def main() -> int:
    nm, objects = sys.argv[1], sys.argv[2:]
    checked, problems = 0, 0
    for path in objects:
        mark = MARKS.get(pathlib.Path(path).name.split(".")[0]) if "/isa/" in path else None
        if mark is None:
            continue
        checked += 1
        for name in shared_symbols(nm, path, mark):
            problems += 1
            print(f"{path}: defines {name}, which other files may share")
    print(f"{checked} objects, {problems} problems")
    return 1 if problems or checked == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
