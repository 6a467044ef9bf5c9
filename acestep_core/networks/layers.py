"""Pieces the networks share: parameter tables, norms, the rotary table, linear attention.

Networks are built from an `ops` namespace (torch.nn, or a host's layers that cast their
weights as they run). So that such layers can hold every parameter, parameters that belong
to no layer (gains, offsets, modulation rows) live in small embeddings and are read with
`rows`; nothing sits directly on a module with children.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ERG_FACTOR = 0.01  # tempered queries: nearly flat attention, so a weaker condition


class Ops(Protocol):
    """The layer types a network is built from; torch.nn is one such namespace."""

    Linear: type[nn.Linear]
    Conv1d: type[nn.Conv1d]
    Conv2d: type[nn.Conv2d]
    ConvTranspose1d: type[nn.ConvTranspose1d]
    LayerNorm: type[nn.LayerNorm]
    GroupNorm: type[nn.GroupNorm]
    Embedding: type[nn.Embedding]


def rows(table: nn.Embedding, like: Tensor) -> Tensor:
    """All rows (R, C) of a parameter table, in the dtype and on the device of `like`."""
    index = torch.arange(table.num_embeddings, device=like.device)
    return table(index).to(like.dtype)


def rms(x: Tensor, eps: float, axis: int = -1) -> Tensor:
    """x over its root mean square along `axis`, computed in float32, in x's dtype."""
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(axis, keepdim=True) + eps)).to(x.dtype)


def rotary_table(length: int, width: int, theta: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines (length, width), rounded to like's dtype.

    The half-table is written twice ("half-split"), yet `rotate` pairs neighbouring lanes.
    The weights were trained with this mixture: making it consistent changes the output.
    Angles are built in float32; at position 2500 16-bit angles are noise.
    """
    lanes = torch.arange(0, width, 2, dtype=torch.float32, device=like.device)
    frequency = 1.0 / theta ** (lanes / width)
    place = torch.arange(length, dtype=torch.float32, device=like.device)
    angle = torch.outer(place, frequency).repeat(1, 2)
    return angle.cos().to(like.dtype), angle.sin().to(like.dtype)


def rotate(x: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
    """x (..., N, width) with positions 0..N-1 applied; float32 inside, x's dtype outside."""
    cos, sin = (t.float() for t in table)
    wide = x.float()
    even, odd = wide.unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((-odd, even), -1).flatten(-2)
    return (wide * cos + turned * sin).to(x.dtype)


def attention_state(k: Tensor, v: Tensor) -> Tensor:
    """All keys and values in one matrix (..., d + 1, d); its last row sums the keys.

    States of pieces of a sequence add up to the state of the whole.
    """
    return F.pad(v.float(), (0, 1), value=1.0).transpose(-1, -2) @ k.float()


def read_state(q: Tensor, state: Tensor) -> Tensor:
    """Linear attention of q (..., N, d) over a state: weighted mean of the values, float32."""
    both = q.float() @ state.transpose(-1, -2)
    # float32 is required: 1e-15 vanishes in half precision and 0/0 would follow.
    return both[..., :-1] / (both[..., -1:] + 1e-15)


def sinusoid(timestep: Tensor, width: int) -> Tensor:
    """(B,) in 0..1000 -> (B, width) float32, cosines first; the divisor is width / 2."""
    half = width // 2
    place = torch.arange(half, dtype=torch.float32, device=timestep.device)
    angle = timestep.float()[:, None] * torch.exp(-math.log(10_000) / half * place)
    return torch.cat((angle.cos(), angle.sin()), -1)
