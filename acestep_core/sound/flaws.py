"""What decoded sound is looked at for: values that are no numbers, DC, clicks where pieces meet.

a tile, what came before it -> flaw_of -> "" or the flaw's name: it is made again in float32
a result, where it was joined -> is_click -> a warning
"""

from __future__ import annotations

import torch
from torch import Tensor

MOST_OFFSET = 0.08  # mean of the samples; music has a hundredth of it
CLICK = 4.0  # a step so many times the largest near by is heard as a click
LEAST_CLICK = 0.02  # of full scale: smaller ones are not heard
NEAR = 256  # samples on each side that a step is compared to


def offset_of(wave: Tensor) -> float:
    """How far the channel of wave (..., N) that is farthest off lies from the middle."""
    return max((float(one) for one in wave.mean(-1).flatten()), key=abs, default=0.0)


def is_click(wave: Tensor, place: int) -> bool:
    """Whether a channel of wave (C, N) steps to its sample `place` as it does nowhere near by."""
    start = max(place - NEAR, 0)
    steps, at = wave[:, start : place + NEAR].diff().abs(), place - 1 - start
    if at < 1 or at + 2 > steps.shape[-1]:
        return False
    step = steps[:, at]
    usual = torch.cat((steps[:, : at - 1], steps[:, at + 2 :]), -1)
    if not usual.shape[-1]:
        return False
    return bool(((step > LEAST_CLICK) & (step > CLICK * usual.amax(-1))).any())


def no_numbers(x: Tensor) -> str:
    return "" if bool(torch.isfinite(x).all()) else "values that are not numbers"


def flaw_of(tile: Tensor, before: Tensor | None = None) -> str:
    """What is wrong with a tile of sound (C, n), which follows `before` (C, m); empty: nothing."""
    if found := no_numbers(tile):
        return found
    if abs(offset_of(tile)) > MOST_OFFSET:
        return "DC"
    if before is not None:
        joined = torch.cat((before[:, -NEAR:], tile[:, :NEAR]), -1)
        if is_click(joined, min(before.shape[-1], NEAR)):
            return "a click"
    return ""
