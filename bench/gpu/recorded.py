"""The recorded values, computed on the card.

float32    within the limits of the records, TF32 off
bfloat16   an error of at most twice that of a plain bfloat16 run: the CPU's, of the same case
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import zip_longest

import torch

from tests.golden_cases import GOLDEN, LIMITS, NETWORKS, Where, all_cases, check, family_of

from .card import Card, exact, one_thread
from .parts import Found, Skip, Trial

SHARE = 0.4  # of the time left, for each of the two


@dataclass
class Row:
    """One family: how many cases were within their limits, and the one that came closest."""

    cases: int = 0
    right: int = 0
    closest: float = 0.0  # largest error / limit
    error: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def add(self, case: str, error: float | None, limit: float, note: str = "") -> None:
        self.cases += 1
        if error is None:
            self.wrong.append(f"{case}: {note}")
            return
        self.error = max(self.error, error)
        self.closest = max(self.closest, error / limit)
        if error <= limit:
            self.right += 1
        else:
            self.wrong.append(f"{case}: {error:.1e} of {limit:.1e}")


Judge = Callable[[Row, str], None]


def chosen(families: tuple[str, ...], every: int) -> list[str]:
    """The first of each `every` cases; families take turns, so that each has some in any time."""
    known = all_cases(GOLDEN)
    of_each = [
        [case for case in known if family_of(case) == family][::every] for family in families
    ]
    return [case for turn in zip_longest(*of_each) for case in turn if case is not None]


def in_float32(trial: Trial) -> Found:
    where = Where(trial.card.device, torch.float32)

    def judge(row: Row, case: str) -> None:
        outcome = check(GOLDEN, case, where)
        row.add(case, outcome.error, LIMITS[family_of(case)], outcome.note)

    return compared(trial, tuple(LIMITS), judge)


def in_bfloat16(trial: Trial) -> Found:
    if not computes_bfloat16(trial.card):
        raise Skip("this card does not compute in bfloat16")
    where = Where(trial.card.device, torch.bfloat16)
    plain = Where(torch.device("cpu"), torch.bfloat16)

    def judge(row: Row, case: str) -> None:
        outcome, usual = check(GOLDEN, case, where), check(GOLDEN, case, plain)
        # Where nothing is rounded to 16 bits, the record's own limit holds.
        limit = max(2 * (usual.error or 0.0), LIMITS[family_of(case)])
        row.add(case, outcome.error, limit, outcome.note)

    return compared(trial, NETWORKS, judge)


def computes_bfloat16(card: Card) -> bool:
    return not card.is_cuda or torch.cuda.is_bf16_supported()


def compared(trial: Trial, families: tuple[str, ...], judge: Judge) -> Found:
    found, rows, late = Found(), {family: Row() for family in families}, 0
    end = time.monotonic() + SHARE * trial.left
    with exact(), one_thread():
        for case in chosen(families, trial.sizes.every):
            if time.monotonic() > end:
                late += 1
            else:
                judge(rows[family_of(case)], case)
    for family, row in rows.items():
        found.lines.append(
            f"{family:13} {row.right:3} of {row.cases:3} within the limit, error at most"
            f" {row.error:.1e}, {row.closest:.2f} of its limit"
        )
        found.wrong += row.wrong
    found.figures = {
        family: {"cases": row.cases, "right": row.right, "of_limit": round(row.closest, 3)}
        for family, row in rows.items()
    }
    if late:
        found.skipped.append(f"{late} cases: there was no time for them")
    if trial.sizes.every > 1:
        found.skipped.append(f"all but the first of {trial.sizes.every} cases, to be quick")
    return found
