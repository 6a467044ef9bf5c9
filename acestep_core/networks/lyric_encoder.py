"""The lyric conformer: token ids to hidden states (pre-norm, relative positions).

    ids -> embedding -> Linear, LayerNorm, x sqrt(width)
        -> 6 x (x + attention, x + feed-forward) -> LayerNorm

Attention is bidirectional, whatever the name suggests: there is no convolution and no
causal chunk. Scores are computed for a block of queries at a time, so that a long lyric
costs memory in proportion to its length.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import TransformerConfig
from .layers import Ops, rows

ERG_LAYERS = (4, 5)
QUERY_BLOCK = 1024  # queries scored at once


def relative_positions(length: int, width: int, like: Tensor) -> Tensor:
    """(2 length - 1, width) from offset +(length-1) down to -(length-1), in like's dtype."""
    offset = torch.arange(length - 1, -length, -1, dtype=torch.float32, device=like.device)
    lane = torch.arange(0, width, 2, dtype=torch.float32, device=like.device)
    angle = offset[:, None] * torch.exp(lane * -(math.log(10_000.0) / width))
    return torch.stack((angle.sin(), angle.cos()), -1).flatten(1).to(like.dtype)


def skew(scores: Tensor) -> Tensor:
    """(..., C, C + L - 1) by offset -> (..., C, L) by key: out[a, j] = scores[a, C - 1 - a + j]."""
    scores = scores.contiguous()
    count, wide = scores.shape[-2:]
    size = (*scores.shape[:-1], wide - count + 1)
    stride = (*scores.stride()[:-2], wide - 1, 1)
    return scores.as_strided(size, stride, scores.storage_offset() + count - 1)


class RelativeAttention(nn.Module):
    """Self-attention whose scores add a term in the offset between query and key."""

    def __init__(self, width: int, heads: int, ops: Ops) -> None:
        super().__init__()
        self.heads = heads
        self.query = ops.Linear(width, width)
        self.key = ops.Linear(width, width)
        self.value = ops.Linear(width, width)
        self.out = ops.Linear(width, width)
        self.position = ops.Linear(width, width, bias=False)
        self.content_bias = ops.Embedding(heads, width // heads)
        self.position_bias = ops.Embedding(heads, width // heads)

    def forward(self, x: Tensor, mask: Tensor, positions: Tensor, temper: float) -> Tensor:
        """x (B, L, W), mask (B, L), positions (2L-1, W) -> (B, L, W)."""
        q = self._heads(self.query(x) * temper)
        k, v = self._heads(self.key(x)), self._heads(self.value(x))
        p = self._heads(self.position(positions)[None])
        by_content = q + rows(self.content_bias, x)[:, None]
        by_offset = q + rows(self.position_bias, x)[:, None]
        length, hidden = x.shape[1], mask[:, None, None] == 0
        parts: list[Tensor] = []
        for first in range(0, length, QUERY_BLOCK):
            last = min(first + QUERY_BLOCK, length)
            near = p[..., length - last : 2 * length - 1 - first, :]
            score = by_content[..., first:last, :] @ k.transpose(-1, -2)
            score = score + skew(by_offset[..., first:last, :] @ near.transpose(-1, -2))
            score = (score / math.sqrt(q.shape[-1])).masked_fill(hidden, -torch.inf)
            # Zero after softmax: a row with every key masked is 0, not NaN (empty lyrics).
            parts.append(score.softmax(-1).masked_fill(hidden, 0.0) @ v)
        return self.out(rearrange(torch.cat(parts, -2), "b h l d -> b l (h d)"))

    def _heads(self, x: Tensor) -> Tensor:
        return rearrange(x, "b l (h d) -> b h l d", h=self.heads)


class ConformerLayer(nn.Module):
    def __init__(self, width: int, heads: int, hidden: int, ops: Ops) -> None:
        super().__init__()
        self.attention_norm = ops.LayerNorm(width)
        self.attention = RelativeAttention(width, heads, ops)
        self.feed_norm = ops.LayerNorm(width)
        self.expand = ops.Linear(width, hidden)
        self.contract = ops.Linear(hidden, width)

    def forward(self, x: Tensor, mask: Tensor, positions: Tensor, temper: float) -> Tensor:
        x = x + self.attention(self.attention_norm(x), mask, positions, temper)
        return x + self.contract(F.silu(self.expand(self.feed_norm(x))))


class LyricEncoder(nn.Module):
    def __init__(self, config: TransformerConfig, ops: Ops) -> None:
        super().__init__()
        width, sizes = config.lyric_hidden_size, config.lyric_encoder
        self.tokens = ops.Embedding(config.lyric_encoder_vocab_size, width)
        self.project = ops.Linear(width, width)
        self.project_norm = ops.LayerNorm(width)
        self.layers = nn.ModuleList(
            ConformerLayer(width, sizes.attention_heads, sizes.linear_units, ops)
            for _ in range(sizes.num_blocks)
        )
        self.norm = ops.LayerNorm(width)

    def forward(self, ids: Tensor, mask: Tensor, dtype: torch.dtype, temper: float = 1.0) -> Tensor:
        """ids, mask (B, L) -> (B, L, width); temper scales the queries of the ERG layers."""
        x = self.embed(ids, dtype)
        positions = relative_positions(ids.shape[1], x.shape[-1], x)
        for index, layer in enumerate(self.layers):
            x = layer(x, mask, positions, temper if index in ERG_LAYERS else 1.0)
        return self.norm(x)

    def embed(self, ids: Tensor, dtype: torch.dtype) -> Tensor:
        x = self.project_norm(self.project(self.tokens(ids).to(dtype)))
        return x * math.sqrt(x.shape[-1])  # the layers were trained on scaled inputs
