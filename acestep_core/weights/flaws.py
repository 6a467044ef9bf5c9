"""What is wrong with the numbers of a tensor, whatever it is for.

tensor -> its least and greatest number, in one pass -> NaN, infinity, nothing but zeros
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def extremes(tensor: Tensor) -> tuple[float, float]:
    """Least and greatest number; NaN where there is one."""
    if not tensor.numel():
        return 0.0, 0.0
    if tensor.element_size() == 1:  # no kernel compares 8-bit floating point
        tensor = tensor.float()
    least, greatest = torch.aminmax(tensor)
    return float(least), float(greatest)


def flaw_of(tensor: Tensor, may_be_zero: bool) -> str | None:
    """What no trained tensor holds, in words that go on from its name."""
    ends = extremes(tensor)
    if not all(math.isfinite(end) for end in ends):
        return "holds NaN or infinite values"
    return "holds nothing but zeros" if ends == (0, 0) and not may_be_zero else None


def is_finite(tensor: Tensor) -> bool:
    return all(math.isfinite(end) for end in extremes(tensor))
