"""Pieces the networks share: parameter tables, norms, the rotary table, linear attention.

Networks are built from an `ops` namespace (`PLAIN`, or a host's layers that cast their
weights as they run). So that such layers can hold every parameter, parameters that belong
to no layer (gains, offsets, modulation rows) live in small embeddings and are read with
`rows`; nothing sits directly on a module with children.
"""

# Of some methods torch does not tell the types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import products

ERG_FACTOR = 0.01  # tempered queries: nearly flat attention, so a weaker condition


class Ops(Protocol):
    """The layer types a network is built from: `PLAIN`, torch.nn or a host's."""

    Linear: type[nn.Linear]
    Conv2d: type[nn.Conv2d]
    ConvTranspose2d: type[nn.ConvTranspose2d]
    LayerNorm: type[nn.LayerNorm]
    GroupNorm: type[nn.GroupNorm]
    Embedding: type[nn.Embedding]


class _Plain:
    """Torch's own layers, but for products in float32 on CPUs."""

    Linear: type[nn.Linear] = products.Linear
    Conv2d = nn.Conv2d
    ConvTranspose2d = nn.ConvTranspose2d
    LayerNorm = nn.LayerNorm
    GroupNorm = nn.GroupNorm
    Embedding = nn.Embedding


PLAIN: Ops = _Plain()


def _plain(layer: nn.Module) -> bool:
    return type(layer) in (products.Linear, nn.Linear)


def rows(table: nn.Embedding, like: Tensor) -> Tensor:
    """All rows (R, C) of a parameter table, in the dtype and on the device of `like`."""
    index = torch.arange(table.num_embeddings, device=like.device)
    return table(index).to(like.dtype)


def channels_last(x: Tensor) -> Tensor:
    """The same (B, C, H, W) with the channels of a pixel side by side in memory."""
    return x.contiguous(memory_format=torch.channels_last)


def rms(x: Tensor, eps: float, axis: int = -1) -> Tensor:
    """x over its root mean square along `axis`, computed in float32, in x's dtype."""
    length = cast(
        "Tensor", torch.linalg.vector_norm(x, dim=axis, keepdim=True, dtype=torch.float32)
    )
    return (x * torch.rsqrt(length.square() / x.shape[axis] + eps)).to(x.dtype)


Rotary = tuple[Tensor, Tensor]


def rotary_table(length: int, width: int, theta: float, like: Tensor) -> Rotary:
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


def signed(table: Rotary) -> Rotary:
    """A table as `rotate` reads it: float32, the sines of even lanes negative."""
    cos, sin = (part.float() for part in table)
    return cos, torch.stack((-sin[..., ::2], sin[..., 1::2]), -1).flatten(-2)


def rotate(x: Tensor, table: Rotary) -> Tensor:
    """x (..., N, width) with positions 0..N-1 of a signed table applied, in float32."""
    cos, sin = table
    neighbour = x.unflatten(-1, (-1, 2)).flip(-1).flatten(-2)
    return torch.addcmul(x * cos, neighbour, sin)


def laid(x: Tensor, dtype: torch.dtype) -> Tensor:
    """x in this dtype and side by side in memory, in one pass."""
    return (
        x.contiguous() if x.dtype == dtype else x.to(dtype, memory_format=torch.contiguous_format)
    )


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


def _block(x: Tensor) -> int:
    """What two tensors of one block of memory have in common."""
    return x.untyped_storage()._cdata  # pyright: ignore[reportPrivateUsage]


def joined_weights(layers: Sequence[nn.Module]) -> tuple[Tensor, Tensor] | None:
    """Weight (sum of out, in) and bias of linear layers that `lay_together` has laid so.

    None for others: then each is asked for itself, as it must be where a host's layers change
    or bring their weights as they are called.
    """
    if not all(map(_plain, layers)):
        return None
    found: list[Tensor] = []
    for name in ("weight", "bias"):
        parts: list[Tensor] = [getattr(layer, name) for layer in layers]
        first = parts[0]
        block, place = _block(first), first.storage_offset()
        for part in parts:
            same = _block(part) == block and part.storage_offset() == place
            if not same or part.requires_grad:
                return None
            place += part.numel()
        size = (sum(len(part) for part in parts), *first.shape[1:])
        found.append(first.as_strided(size, first.stride()))
    return found[0], found[1]


def lay_together(layers: Sequence[nn.Module]) -> None:
    """Lay the weights of linear layers of one input side by side, so that one product serves all.

    Each stays the parameter of its layer, under its own name. Weights that lie in a larger block
    already, as those that two models share, are left where they are: nothing is kept twice.
    """
    if not all(map(_plain, layers)) or joined_weights(layers):
        return
    for name in ("weight", "bias"):
        parts: list[Tensor] = [getattr(layer, name) for layer in layers]
        if any(part.untyped_storage().nbytes() != part.nbytes for part in parts):
            return
    for name in ("weight", "bias"):
        parts = [getattr(layer, name) for layer in layers]
        with torch.inference_mode(parts[0].is_inference()), torch.no_grad():
            block = torch.cat([part.detach() for part in parts])
            pieces = cast("Sequence[Tensor]", block.split([len(part) for part in parts]))
            for part, piece in zip(parts, pieces, strict=True):
                part.data = piece


def frequencies(width: int, device: torch.device) -> Tensor:
    """(width / 2,) of a sinusoid; the divisor is width / 2."""
    half = width // 2
    place = torch.arange(half, dtype=torch.float32, device=device)
    return torch.exp(-math.log(10_000) / half * place)


def sinusoid(timestep: Tensor, frequency: Tensor) -> Tensor:
    """(B,) in 0..1000 -> (B, width) float32, cosines first."""
    angle = timestep.float()[:, None] * frequency
    return torch.cat((angle.cos(), angle.sin()), -1)
