"""Matrix products in float32 on CPUs, by oneDNN where torch has it.

On processors that are not Intel's torch's own product (MKL's) runs at less than half of the speed
that oneDNN reaches on the same numbers; on Intel's both are alike. In 16 bits torch asks oneDNN
by itself, and so it does for convolutions.
"""

# Of some methods torch does not tell the types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from functools import cache
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ROWS, WIDTH = 64, 128  # of a product; smaller ones do not gain


def quick(x: Tensor) -> bool:
    """Whether products of x are better asked of `product`."""
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_grad_enabled()
        and _has_onednn()
    )


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x (..., in) times weight (out, in) transposed, plus bias (out,), without gradients."""
    found = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
    return cast("Tensor", found)


def multiplied(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """As `product`, whichever way is quicker here."""
    is_big = min(weight.shape) >= WIDTH and x.numel() >= ROWS * x.shape[-1]
    return product(x, weight, bias) if is_big and quick(x) else F.linear(x, weight, bias)


class Linear(nn.Linear):
    def forward(self, input: Tensor) -> Tensor:
        return multiplied(input, self.weight, self.bias)


def held(layer: nn.Linear | nn.Conv2d, x: Tensor) -> bool:
    """Whether a layer computes x with its weights as they lie in it: torch's own and ours do, and
    those of a host that say so (`is_held`)."""
    says_so = type(layer) in (Linear, nn.Linear, nn.Conv2d) or getattr(layer, "is_held", False)
    return bool(says_so) and layer.weight.dtype == x.dtype and layer.weight.device == x.device


@cache
def _has_onednn() -> bool:
    try:
        with torch.inference_mode():
            product(torch.ones(2, 16), torch.ones(16, 16))
    except (AttributeError, RuntimeError):
        return False
    return torch.backends.mkldnn.is_available()
