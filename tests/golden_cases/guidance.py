"""The guidance rules on recorded velocities; APG keeps its momentum over the four calls."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from acestep_core.sampling.guidance import Rule, apg, cfg, cfg_star, double
from acestep_core.sampling.schedule import Step

from .outcome import LIMITS, Outcome, compare
from .record import load
from .where import HERE, Where

RULES: dict[str, tuple[Callable[[], Rule], float]] = {
    "apg": (apg, 15.0),
    "apg_no_momentum": (lambda: apg(momentum=0.0), 7.0),
    "cfg": (cfg, 4.0),
    "cfg_star": (cfg_star, 6.0),
    "double": (lambda: double(5.0, 1.5), 1.0),
}
CALLS = 4


def cases(directory: Path) -> list[str]:
    names = load(directory, "guidance").tensors
    return [f"guidance.{name}" for name in names if name.rstrip("0123456789") in RULES]


def check(directory: Path, case: str, where: Where = HERE) -> Outcome:
    given = load(directory, "guidance").tensors
    name = case.removeprefix("guidance.")
    kind, index = name.rstrip("0123456789"), int(name[-1])
    make, scale = RULES[kind]
    rule, result = make(), None
    for i in range(index + 1):
        velocities = [
            where.placed(given[f"{branch}{i}"]) for branch in ("cond", "uncond", "text_only")
        ]
        used = velocities if kind == "double" else velocities[:2]
        result = rule(used, Step(i, CALLS, 1.0, 0.5), scale)
    assert result is not None
    return compare(result, given[name], LIMITS["guidance"])
