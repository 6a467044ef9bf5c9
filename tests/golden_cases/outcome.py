"""How one recorded case came out, and how far a result may be from its record.

    result, golden, limit -> largest difference / largest golden value -> Outcome

A golden tensor that is all zero has no scale: the result must be all zero too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

# Largest relative error of each family; there is no looser class. EXACT families have none.
LIMITS = {
    "transformer": 1e-5,
    "lora": 1e-5,
    "text_encoder": 1e-5,
    "schedulers": 1e-5,
    "guidance": 1e-5,
    "codec": 2e-5,
    "sampling": 1e-4,
    "edit": 1e-4,
}
EXACT = ("lyric_tokens",)
# Families in which a network runs: what else there is is float32 arithmetic, whatever its dtype.
NETWORKS = ("transformer", "lora", "text_encoder", "codec", "sampling", "edit")


@dataclass(frozen=True)
class Outcome:
    status: Literal["passed", "failed", "skipped"]
    error: float | None = None
    limit: float | None = None
    note: str = ""


def passed(error: float | None = None, limit: float | None = None, note: str = "") -> Outcome:
    return Outcome("passed", error, limit, note)


def failed(note: str, error: float | None = None, limit: float | None = None) -> Outcome:
    return Outcome("failed", error, limit, note)


def skipped(note: str) -> Outcome:
    return Outcome("skipped", note=note)


def compare(actual: Tensor, golden: Tensor, limit: float) -> Outcome:
    """Largest difference over the golden tensor's largest value; the limit is included."""
    if actual.shape != golden.shape:
        return failed(f"shape {tuple(actual.shape)}, golden {tuple(golden.shape)}", limit=limit)
    if actual.dtype != golden.dtype:
        return failed(f"dtype {actual.dtype}, golden {golden.dtype}", limit=limit)
    if golden.numel() == 0:
        return passed(0.0, limit)
    result, expected = actual.detach().cpu().double(), golden.cpu().double()
    difference = (result - expected).abs().max().item()
    if not math.isfinite(difference):
        return failed("not a finite number", math.inf, limit)
    size = expected.abs().max().item()
    error = difference / size if size else (math.inf if difference else 0.0)
    note = "" if size else "golden is all zero"
    return passed(error, limit, note) if error <= limit else failed(note, error, limit)


def worst(outcomes: list[Outcome]) -> Outcome:
    """One outcome for a case of several tensors: any failure, else the largest error."""

    def badness(outcome: Outcome) -> tuple[int, float]:
        return ("passed", "skipped", "failed").index(outcome.status), outcome.error or 0.0

    return max(outcomes, key=badness)
