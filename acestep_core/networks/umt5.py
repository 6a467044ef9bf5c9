"""The tag encoder: UMT5, encoder half only.

    ids -> embedding -> 12 x (x + attention, x + gated feed-forward) -> RMS norm

Unlike T5, every block has its own table of relative positions. Attention is not divided by
the square root of the head width.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import TextEncoderConfig
from .layers import PLAIN, Ops, rms, rows

ERG_BLOCKS = (8, 9)


def position_buckets(length: int, count: int, furthest: int, device: torch.device) -> Tensor:
    """(length, length) bucket of key position minus query position, both directions."""
    place = torch.arange(length, device=device)
    offset = place[None] - place[:, None]
    half = count // 2
    exact = half // 2
    near = offset.abs()
    far = near.clamp(min=1).float().div(exact).log() / math.log(furthest / exact)
    far = (exact + (far * (half - exact)).long()).clamp(max=half - 1)
    return torch.where(near < exact, near, far) + half * (offset > 0)


class Block(nn.Module):
    def __init__(self, config: TextEncoderConfig, ops: Ops) -> None:
        super().__init__()
        width, inner = config.d_model, config.num_heads * config.d_kv
        self.heads, self.eps = config.num_heads, config.layer_norm_epsilon
        self.attention_norm = ops.Embedding(1, width)
        self.query = ops.Linear(width, inner, bias=False)
        self.key = ops.Linear(width, inner, bias=False)
        self.value = ops.Linear(width, inner, bias=False)
        self.out = ops.Linear(inner, width, bias=False)
        self.positions = ops.Embedding(config.relative_attention_num_buckets, config.num_heads)
        self.feed_norm = ops.Embedding(1, width)
        self.gate = ops.Linear(width, config.d_ff, bias=False)
        self.expand = ops.Linear(width, config.d_ff, bias=False)
        self.contract = ops.Linear(config.d_ff, width, bias=False)

    def forward(self, x: Tensor, buckets: Tensor, hidden: Tensor, temper: float) -> Tensor:
        """x (B, S, W), buckets (S, S), hidden (B, 1, 1, S) True where padded."""
        h = rms(x, self.eps) * rows(self.attention_norm, x)
        q, k, v = (
            rearrange(part, "b s (h d) -> b h s d", h=self.heads)
            for part in (self.query(h) * temper, self.key(h), self.value(h))
        )
        score = q @ k.transpose(-1, -2) + rearrange(
            rows(self.positions, x)[buckets], "q k h -> h q k"
        )
        score = score.masked_fill(hidden, torch.finfo(score.dtype).min)
        mixed = score.float().softmax(-1).to(x.dtype) @ v
        x = x + self.out(rearrange(mixed, "b h s d -> b s (h d)"))
        h = rms(x, self.eps) * rows(self.feed_norm, x)
        return x + self.contract(F.gelu(self.gate(h), approximate="tanh") * self.expand(h))


class TextEncoder(nn.Module):
    def __init__(self, config: TextEncoderConfig, ops: Ops = PLAIN) -> None:
        super().__init__()
        self.config = config
        self.tokens = ops.Embedding(config.vocab_size, config.d_model)
        self.blocks = nn.ModuleList(Block(config, ops) for _ in range(config.num_layers))
        self.norm = ops.Embedding(1, config.d_model)

    def forward(self, ids: Tensor, mask: Tensor, dtype: torch.dtype, temper: float = 1.0) -> Tensor:
        """ids, mask (B, S) -> states (B, S, W); temper scales the queries of the ERG blocks."""
        sizes = self.config
        x = self.tokens(ids).to(dtype)
        buckets = position_buckets(
            ids.shape[1],
            sizes.relative_attention_num_buckets,
            sizes.relative_attention_max_distance,
            ids.device,
        )
        hidden = mask[:, None, None] == 0
        for index, block in enumerate(self.blocks):
            x = block(x, buckets, hidden, temper if index in ERG_BLOCKS else 1.0)
        return rms(x, sizes.layer_norm_epsilon) * rows(self.norm, x)
