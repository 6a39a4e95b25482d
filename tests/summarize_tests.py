#!/usr/bin/env python3
"""Adds up the reports of a test run, names every skipped and failed test, and ends with one plain line.

Reads <preset>/*.xml (GoogleTest), <preset>.ctest.xml (CTest) and failed-stages.txt in the folder given.
Exit status 1 when anything failed or nothing ran.
"""
import collections
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def read(path: pathlib.Path):
    """The report's root; a report that a crash cut short counts as a failure."""
    try:
        return ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        print(f"FAILED  {path.name}: unreadable report ({error})")
        return None


def google_tests(folder: pathlib.Path, preset: str):
    """(name, outcome, reason) of every GoogleTest case."""
    for path in sorted(folder.glob("*.xml")):
        root = read(path)
        if root is None:
            yield f"{preset}/{path.stem}", "failed", "unreadable report"
            continue
        for case in root.iter("testcase"):
            name = f"{preset}/{path.stem}: {case.get('classname')}.{case.get('name')}"
            failure, skipped = case.find("failure"), case.find("skipped")
            if failure is not None:
                yield name, "failed", (failure.get("message") or "").splitlines()[0]
            elif skipped is not None or case.get("result") == "skipped":
                reason = (skipped.get("message") or skipped.text or "") if skipped is not None else ""
                yield name, "skipped", " ".join(reason.split())
            elif case.get("status") == "run":
                yield name, "passed", ""


def other_tests(path: pathlib.Path, preset: str, google_programs: set[str]):
    """(name, outcome, reason) of the CTest entries that are no GoogleTest program, or died as one."""
    root = read(path)
    for case in root.iter("testcase") if root is not None else ():
        name, status = case.get("name"), case.get("status")
        if status == "fail":
            yield f"{preset}/{name}", "failed", "see the log above"
        elif name in google_programs:
            continue
        elif status == "run":
            yield f"{preset}/{name}", "passed", ""
        else:
            reason = (case.findtext("system-out") or status or "").strip().splitlines()
            yield f"{preset}/{name}", "skipped", " ".join(reason[-1:])


def main() -> int:
    reports = pathlib.Path(sys.argv[1])
    counts: collections.Counter = collections.Counter()
    for stage in (reports / "failed-stages.txt").read_text().splitlines():
        if stage.strip():
            print(f"FAILED  stage: {stage}")
            counts["failed"] += 1
    for ctest_report in sorted(reports.glob("*.ctest.xml")):
        preset = ctest_report.name[: -len(".ctest.xml")]
        programs = {p.stem for p in (reports / preset).glob("*.xml")}
        rows = list(google_tests(reports / preset, preset)) + list(other_tests(ctest_report, preset, programs))
        for name, outcome, reason in rows:
            counts[outcome] += 1
            if outcome != "passed":
                print(f"{outcome.upper():7} {name}: {reason}")
    print(f"litenat: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
