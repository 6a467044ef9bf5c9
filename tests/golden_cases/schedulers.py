"""Schedules, and the solvers' steps on recorded velocities."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import Tensor

from acestep_core.sampling.noise import Noise, step_noise_first
from acestep_core.sampling.schedule import Step, sigmas, steps_of
from acestep_core.sampling.solve import SOLVERS, mean_shift_batch

from .outcome import LIMITS, Outcome, compare
from .record import Record, load
from .where import HERE, Where

STEPS = 6  # of the recorded solver runs
FULL = 27  # steps of a run whose schedule starts lower


def cases(directory: Path) -> list[str]:
    names = load(directory, "schedulers").tensors
    return [f"schedulers.{n}" for n in names if not re.search(r"\.(v\d+|x0)$", n)]


def check(directory: Path, case: str, where: Where = HERE) -> Outcome:
    record = load(directory, "schedulers")
    name = case.removeprefix("schedulers.")
    solver, _, rest = name.partition(".")
    run, _, what = rest.rpartition(".")
    if what in ("sigmas", "timesteps"):
        result = _schedule(solver, run)[what]
    else:
        result = _walk(record, solver, run, where)[int(what[1:])]
    return compare(result, record.tensors[name], LIMITS["schedulers"])


def pingpong_seed(record: Record) -> int:
    """As the record's note says it."""
    found = re.search(r"manual_seed\((\d+)\) for pingpong", record.info["note"])
    assert found, record.info["note"]
    return int(found[1])


def _schedule(solver: str, run: str) -> dict[str, Tensor]:
    """As recorded, Heun lists every level at which the model is asked."""
    if run.startswith("sigma_max"):
        start = float(run.removeprefix("sigma_max"))
        levels = sigmas(int(start * FULL), start)
    else:
        levels = sigmas(int(run))
    if solver == "heun":
        levels = torch.cat((levels[:1], levels[1:-1].repeat_interleave(2), levels[-1:]))
    return {"sigmas": levels.float(), "timesteps": (1000 * levels[:-1]).float()}


def _walk(record: Record, solver: str, run: str, where: Where) -> list[Tensor]:
    """x before every model evaluation, and at the end."""
    given = record.tensors
    omega = float(run.removeprefix("omega"))
    seen: list[Tensor] = []

    def field(x: Tensor, step: Step) -> Tensor:
        seen.append(x)
        return where.placed(given[f"{solver}.{run}.v{len(seen) - 1}"])

    noise = Noise((pingpong_seed(record),)).start().main
    solve = SOLVERS[solver](mean_shift_batch(omega), step_noise_first(noise))
    x = where.placed(given[f"{solver}.{run}.x0"])
    for step in steps_of(sigmas(STEPS)):
        x = solve(field, x, step)
    return [*seen, x]
