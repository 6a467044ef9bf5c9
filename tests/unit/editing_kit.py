"""A stand-in for the model, for tests of tasks: quick, and different for every branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from acestep_core.sampling.guidance import Predict
from acestep_core.sampling.loop import Plan, run
from acestep_core.sampling.noise import Noise
from acestep_core.sampling.schedule import Step
from acestep_core.settings import CORRECTED
from acestep_core.tasks.behaviours import BEHAVIOURS
from acestep_core.tasks.kit import Kit
from acestep_core.tasks.plans import plan
from acestep_core.types import Guidance, Latent, Sampling, Source, Task

GUIDANCE = Guidance(scale=5.0, interval=0.5)
SAMPLING = Sampling(steps=6)


def velocity(style: float) -> Predict:
    """Towards a clip that is `style` everywhere, with a part that depends on neighbours."""

    def predict(x: Tensor, step: Step, count: int) -> Sequence[Tensor]:
        near = x + 0.1 * x.roll(1, -1)
        return [near * (1 - 0.2 * branch) - style / (branch + 1) for branch in range(count)]

    return predict


def kit(compat: str = CORRECTED, seeds: tuple[int, ...] = (1,), **changes: object) -> Kit:
    made = Kit(
        velocity(1.0),
        GUIDANCE,
        SAMPLING,
        Noise(seeds, tuple(seed + 100 for seed in seeds)),
        BEHAVIOURS[compat],
        lambda step, x, v: None,
        velocity(1.0),
    )
    return replace(made, **changes)  # pyright: ignore[reportArgumentType]


def planned(task: Task, with_kit: Kit, known: Latent | None = None) -> Plan:
    """The plan of a task; what it works on is `source` where nothing else is given."""
    return plan(task, with_kit, Source(source() if known is None else known))


def latents(task: Task, with_kit: Kit, known: Latent | None = None) -> Tensor:
    made = planned(task, with_kit, known)
    return run(made.stages, made.canvas)


def source(frames: int = 40, items: int = 1) -> Latent:
    return Latent(torch.randn(items, 8, 16, frames, generator=torch.Generator().manual_seed(9)))
