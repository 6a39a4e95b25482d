#!/usr/bin/env python3
"""Checks that the folders of src/ include each other only as docs/architecture.md allows, and without cycles.

Reads the table of that page, so the page and the code cannot part. Usage: check_includes.py [CHECKOUT]
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
TORCH_HEADER = re.compile(r"^(torch|ATen|c10|caffe2)/")
SOURCES = ("*.h", "*.cc", "*.cu", "*.cuh")


def allowed_edges(page: pathlib.Path) -> dict[str, set[str]]:
    """The rows `| folder | holds | may include |` of the architecture page."""
    edges = {}
    for line in page.read_text().splitlines():
        cells = [c.strip() for c in line.strip().strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"[a-z]+", cells[0]) and cells[0] != "folder":
            edges[cells[0]] = {w.strip() for w in cells[2].split(",")}
    return edges


def included_folders(path: pathlib.Path, folders: set[str]):
    """Yields (line number, folder) for every include of one of our folders, and (line, 'torch')."""
    text = path.read_text(errors="replace")
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start(2)) + 1
        target = match.group(2)
        first = target.split("/")[0]
        if match.group(1) == '"' and first in folders and "/" in target:
            yield line, first
        elif TORCH_HEADER.match(target):
            yield line, "torch"


def closure_has_cycle(graph: dict[str, set[str]]) -> list[str]:
    """A cycle of the folder graph as a list of names, or []."""
    state: dict[str, int] = {}

    def visit(node, path):
        state[node] = 1
        for target in sorted(graph.get(node, ())):
            if state.get(target) == 1:
                return path[path.index(target):] + [target] if target in path else [node, target]
            if target not in state:
                cycle = visit(target, path + [target])
                if cycle:
                    return cycle
        state[node] = 2
        return []

    for start in sorted(graph):
        if start not in state:
            cycle = visit(start, [start])
            if cycle:
                return cycle
    return []


def main() -> int:
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    allowed = allowed_edges(top / "docs" / "architecture.md")
    folders = {p.name for p in (top / "src").iterdir() if p.is_dir()}
    problems = [f"docs/architecture.md has no row for src/{f}" for f in sorted(folders - set(allowed))]
    graph: dict[str, set[str]] = {f: set() for f in folders}
    files = 0
    for folder in sorted(folders & set(allowed)):
        may = allowed[folder]
        for path in sorted(p for pattern in SOURCES for p in (top / "src" / folder).rglob(pattern)):
            files += 1
            for line, target in included_folders(path, folders):
                if target == folder:
                    continue
                if target != "torch" and not path.stem.endswith(("_test", "_bench", "_fuzz")):
                    graph[folder].add(target)
                if "all" not in may and target not in may:
                    problems.append(f"{path.relative_to(top)}:{line}: {folder} may not include {target}")
    cycle = closure_has_cycle(graph)
    if cycle:
        problems.append("folders include each other in a circle: " + " -> ".join(cycle))
    for problem in problems:
        print(problem)
    print(f"{files} files, {sum(map(len, graph.values()))} edges between {len(folders)} folders, {len(problems)} problems")
    return 1 if problems or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
