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


def is_finite(tensor: Tensor) -> bool:
    return all(math.isfinite(end) for end in extremes(tensor))
