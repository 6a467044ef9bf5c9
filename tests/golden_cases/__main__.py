"""Checks every recorded case and says how close it came: one line each, then a table.

    python -m tests.golden_cases [DIRECTORY] [--only GLOB ...] [--allow-skip]

Exit status 1 means a case beyond its limit, without code, or skipped without leave.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path

import torch

from . import (
    EXACT,
    GOLDEN,
    LIMITS,
    Outcome,
    all_cases,
    check,
    families,
    family_of,
)


def arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="golden", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("directory", nargs="?", type=Path, default=GOLDEN)
    parser.add_argument("--only", nargs="+", metavar="GLOB", help="only cases with such names")
    parser.add_argument("--allow-skip", action="store_true", help="a skipped case is no failure")
    return parser.parse_args(words)


def selected(names: list[str], globs: list[str] | None) -> list[str]:
    if not globs:
        return names
    unused = [glob for glob in globs if not any(fnmatchcase(name, glob) for name in names)]
    if unused:
        sys.exit(f"No case is called {', '.join(unused)}.")
    return [name for name in names if any(fnmatchcase(name, glob) for glob in globs)]


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"


def line(case: str, outcome: Outcome) -> str:
    exact = outcome.limit is None and family_of(case) in EXACT
    measured = "exact" if exact else f"{number(outcome.error)} of {number(outcome.limit)}"
    note = f"  {outcome.note}" if outcome.note else ""
    return f"{outcome.status:7} {case:44} {measured:18}{note}".rstrip()


def table(outcomes: dict[str, Outcome]) -> list[str]:
    """Largest relative error of each family."""
    rows = [f"{'family':16}{'passed':>8}{'failed':>8}{'skipped':>8}{'largest':>10}{'limit':>8}"]
    for family in sorted({family_of(case) for case in outcomes}):
        of_family = [o for case, o in outcomes.items() if family_of(case) == family]
        count = Counter(o.status for o in of_family)
        errors = [o.error for o in of_family if o.error is not None]
        largest = "exact" if family in EXACT else number(max(errors, default=None))
        limit = number(LIMITS.get(family))
        row = f"{family:16}{count['passed']:8}{count['failed']:8}{count['skipped']:8}"
        rows.append(f"{row}{largest:>10}{limit:>8}")
    return rows


def main(words: list[str] | None = None) -> int:
    options = arguments(words)
    if not families(options.directory):
        sys.exit(f"No recorded values (*.json) in {options.directory}.")
    # Networks this small are slower with a second thread, which only spins.
    torch.set_num_threads(1)
    for stream in (sys.stdout, sys.stderr):  # lyrics may not fit the terminal's encoding
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

    outcomes: dict[str, Outcome] = {}
    for case in selected(all_cases(options.directory), options.only):
        outcome = check(options.directory, case)
        outcomes[case] = outcome
        print(line(case, outcome), flush=True)
    print("", *table(outcomes), sep="\n")
    count = Counter(outcome.status for outcome in outcomes.values())
    if count["skipped"] and not options.allow_skip:
        print(f"\n{count['skipped']} skipped; --allow-skip accepts that.")
    print(f"\n{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return 1 if count["failed"] or (count["skipped"] and not options.allow_skip) else 0


if __name__ == "__main__":
    sys.exit(main())
