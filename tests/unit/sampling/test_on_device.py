"""The loop on a device that is none: nothing can be read there, and every move is counted.

A meta tensor has a device and a shape but no numbers: whatever asks for one, as the host does
when it waits for a device, is an error; so is bringing one back to main memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from acestep_core.conditions.branches import predicting, stacked
from acestep_core.networks.transformer import Transformer
from acestep_core.sampling.loop import run
from acestep_core.sampling.schedule import Step
from acestep_core.settings import COMPATS, SOLVER_NAMES
from acestep_core.types import (
    Edit,
    Extend,
    Follow,
    Guidance,
    Inpaint,
    Region,
    Retake,
    Sampling,
    Task,
    TextToMusic,
)
from acestep_core.weights.model import build
from acestep_core.weights.tiny import CONFIG

from ..dispatch_kit import dispatched
from ..editing_kit import kit, planned

AWAY = torch.device("meta")
TASKS: list[Task] = [
    TextToMusic(3.0),
    Retake(3.0, 0.5),
    Follow(0.5),
    Inpaint((Region(1.0, 2.0),), 0.5),
    Extend(before=0.0, after=1.0),
]


def away(x: Tensor, step: Step, count: int) -> Sequence[Tensor]:
    assert x.device == AWAY
    assert x.dtype == torch.float32
    return [torch.zeros_like(x) for _ in range(count)]


def moves(task: Task, steps: int, **changes: object) -> int:
    sampling = Sampling(steps, str(changes.pop("solver", "euler")))
    made = kit(predict=away, predict_source=away, sampling=sampling, device=AWAY, **changes)

    def work() -> None:
        plan = planned(task, made)
        assert run(plan.stages, plan.canvas).device == AWAY

    return dispatched(work).moves


def test_reading_a_number_is_noticed() -> None:
    with pytest.raises((RuntimeError, NotImplementedError)):
        float(torch.zeros(1, device=AWAY).sum())
    with pytest.raises((RuntimeError, NotImplementedError)):
        torch.zeros(1, device=AWAY).cpu()
    assert dispatched(lambda: torch.zeros(1).to(AWAY)).moves == 1


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_what_is_moved_does_not_grow_with_the_steps(task: Task) -> None:
    few, many = moves(task, 4), moves(task, 40)
    assert few == many
    assert 1 <= few <= 3  # noise; the source; what is made new of it


@pytest.mark.parametrize("solver", SOLVER_NAMES)
@pytest.mark.parametrize("kind", ["apg", "cfg", "cfg_star"])
def test_solvers_and_rules_stay_there(solver: str, kind: str) -> None:
    """Fresh noise is drawn in main memory and moved once a step."""
    fresh = 8 if solver == "pingpong" else 0
    guidance = Guidance(kind, 5.0, interval=1.0)
    assert moves(TextToMusic(3.0), 8, solver=solver, guidance=guidance) == 1 + fresh


@pytest.mark.parametrize("mode", COMPATS)
def test_an_edit_moves_its_source_and_each_noise_once(mode: str) -> None:
    task = Edit(start=0.0, stop=0.5, average=2)
    assert moves(task, 8, compat=mode) == 1 + 4 * 2 + 1  # 4 steps of 2 draws, and the shift


def test_a_guided_evaluation_moves_nothing() -> None:
    network = build("transformer", replace(CONFIG)).to(torch.bfloat16).requires_grad_(False)
    assert isinstance(network, Transformer)
    context = torch.zeros(1, 9, CONFIG.transformer.inner_dim, dtype=torch.bfloat16, device=AWAY)
    mask = torch.ones(1, 9)
    both = stacked(network, [(context, mask)] * 2, [1.0, 0.01], 1)
    predict = predicting(network, both, torch.bfloat16)
    x, step = torch.zeros(1, 8, 16, 12, device=AWAY), Step(3, 60, 0.9, 0.8)
    with torch.no_grad():
        predict(x, step, 2)
        assert dispatched(lambda: predict(x, step, 2)).moves == 0
