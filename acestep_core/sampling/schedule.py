"""Noise levels from 1 (noise) to 0 (music).

    linear ramp -> shift(3) -> sigmas (N + 1,), last one 0

The ramp's ends are already shifted once. For a full run that changes only the last non-zero
level; for audio-to-audio it changes where the run starts.
"""

# Of some methods torch does not tell the types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

LOWEST = 0.001  # level at which the ramp ends, before shifting
SHIFT = 3.0


@dataclass(frozen=True)
class Step:
    """One move down the schedule, and its place in the whole of it."""

    index: int
    count: int
    sigma: float
    sigma_next: float

    @property
    def is_last(self) -> bool:
        return self.sigma_next == 0.0


def shifted(level: float) -> float:
    return SHIFT * level / (1 + (SHIFT - 1) * level)


def ramp(count: int, high: float, low: float) -> Tensor:
    """Shifted levels of a linear ramp (count,), then 0: (count + 1,) float64."""
    levels = torch.linspace(high, low, count, dtype=torch.float64)
    levels = SHIFT * levels / (1 + (SHIFT - 1) * levels)
    return torch.cat((levels, levels.new_zeros(1)))


def sigmas(count: int, start: float = 1.0) -> Tensor:
    """The schedule of `count` steps, beginning at level shift(shift(start)).

    For start 1 that is 1. Below, the model is told of more noise than there is, as the
    original does; see lowered_sigmas."""
    return ramp(count, shifted(start), shifted(LOWEST))


def lowered_sigmas(count: int, start: float) -> Tensor:
    """A schedule that begins where a reference is mixed with noise, at shift(start)."""
    low = shifted(LOWEST)
    return ramp(count, start, min(low, start))


def chosen_sigmas(chosen: Sequence[int]) -> Tensor:
    """The levels of these 1-based steps of the max(chosen)-step schedule, then 0."""
    whole = sigmas(max(chosen))
    picked = whole[torch.tensor(chosen) - 1]
    return torch.cat((picked, picked.new_zeros(1)))


def chosen_sigmas_shifted_again(chosen: Sequence[int]) -> Tensor:
    """The same levels, shifted once more, as the original does; in float32, as it does."""
    picked = chosen_sigmas(chosen).float()
    return SHIFT * picked / (1 + (SHIFT - 1) * picked)


def steps_of(levels: Tensor) -> list[Step]:
    """One Step for each pair of neighbouring levels."""
    values = cast("list[float]", levels.tolist())
    count = len(values) - 1
    return [Step(i, count, values[i], values[i + 1]) for i in range(count)]
