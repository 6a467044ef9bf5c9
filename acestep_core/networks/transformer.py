"""The denoiser: one token per latent frame, linear self-attention, cross-attended conditions.

    encode     tags, lyrics               -> context (B, 1+S+L, D)        once per branch
    attend     context                    -> keys, values of every block  once per branch
    tables     frames, branch             -> what no step changes         once per run
    forward    x (B, 8, 16, T), timestep  -> velocity (B, 8, 16, T)       every step

One surprise: cross-attention reads the raw residual stream, with no norm and no gate.
Another: the stem's GroupNorm and the linear attention look at all frames, so the time axis
cannot be cut into pieces.
"""

# Of some methods torch does not tell the types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import TransformerConfig
from ..types import Branch
from .layers import (
    PLAIN,
    Ops,
    Rotary,
    attention_state,
    frequencies,
    joined_weights,
    laid,
    lay_together,
    read_state,
    rotary_table,
    rotate,
    rows,
    signed,
    sinusoid,
)
from .lyric_encoder import LyricEncoder
from .products import multiplied

ERG_BLOCKS = range(15, 20)
TIME_WIDTH = 256
STEM_WIDTH = 2048  # 256 x 8 channels, whatever the transformer's width
EPS = 1e-6
HALF_MAX = 65504.0  # the reference bounds self-attention to the half-precision range

KeysValues = tuple[Tensor, Tensor]
# What one block needs of a branch: keys and values, what is added to the scores of its keys
# (B, 1, 1, S) or None, and the rotation of its queries. Without a mask the attention kernel
# takes its fast path.
Condition = tuple[KeysValues, Tensor | None, Rotary]
# Of a step, for one block: shift, scale and gate of both halves, (B, 1, D) each.
Modulation = tuple[Tensor, ...]


def heads(x: Tensor, count: int) -> Tensor:
    return rearrange(x, "b n (h d) -> b h n d", h=count)


def joined(x: Tensor) -> Tensor:
    return rearrange(x, "b h n d -> b n (h d)")


def normed(x: Tensor, floor: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """RMS norm over the width, scaled and shifted, in x's dtype.

    The length of a row is its root mean square but for the root of the width: that lies in
    `scale` (see Tables), and in `floor`, which stands for the norm's epsilon.
    """
    length = cast(
        "Tensor", torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
    ).hypot(floor)
    return torch.addcmul(shift, x / length, scale).to(x.dtype)


def added_mask(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """Key mask (B, S) -> (B, 1, 1, S), as attention adds it: else it were made so every time."""
    hidden = mask[:, None, None] == 0
    return torch.zeros_like(hidden, dtype=dtype).masked_fill(hidden, -torch.inf)


class Attention(nn.Module):
    """Queries, keys, values and the way out, of either attention."""

    def __init__(self, config: TransformerConfig, ops: Ops) -> None:
        super().__init__()
        width, inner = config.inner_dim, config.num_attention_heads * config.attention_head_dim
        self.count = config.num_attention_heads
        self.query = ops.Linear(width, inner)
        self.key = ops.Linear(width, inner)
        self.value = ops.Linear(width, inner)
        self.out = ops.Linear(inner, width)


# Layers whose weights lie side by side, of each block.
TOGETHER = tuple(f"self_attention.{name}" for name in ("query", "key", "value"))


class SelfAttention(Attention):
    """Linear attention over all frames: relu(q) relu(k)^T v, normalised."""

    def forward(self, x: Tensor, rotary: Rotary) -> Tensor:
        parts = rearrange(self.project(x), "b n (p h d) -> p b h n d", p=3, h=self.count)
        wide = laid(parts, torch.float32)
        q, k = rotate(wide[:2], rotary).relu_()
        mixed = read_state(q, attention_state(k, wide[2])).transpose(1, 2)
        return self.out(laid(mixed, x.dtype).flatten(2)).clamp_(-HALF_MAX, HALF_MAX)

    def project(self, x: Tensor) -> Tensor:
        """Queries, keys and values (B, N, 3 x inner), in one product where that can be."""
        layers = (self.query, self.key, self.value)
        together = joined_weights(layers)
        if together is not None:
            return multiplied(x, *together)
        return torch.cat([layer(x) for layer in layers], -1)


class CrossAttention(Attention):
    """Softmax attention over the conditions; frames and conditions count from 0 each."""

    def keys_values(self, context: Tensor, rotary: Rotary) -> KeysValues:
        k = rotate(heads(self.key(context), self.count), rotary)
        return laid(k, context.dtype), heads(self.value(context), self.count).contiguous()

    def forward(self, x: Tensor, condition: Condition) -> Tensor:
        keys_values, mask, rotary = condition
        q = rotate(heads(self.query(x), self.count), rotary).to(x.dtype)
        return self.out(joined(F.scaled_dot_product_attention(q, *keys_values, attn_mask=mask)))


class FeedForward(nn.Module):
    """Gated, with a depthwise convolution over neighbouring frames."""

    def __init__(self, config: TransformerConfig, ops: Ops) -> None:
        super().__init__()
        width, hidden = config.inner_dim, int(config.inner_dim * config.mlp_ratio)
        self.expand = ops.Linear(width, 2 * hidden)
        self.depth = ops.Conv2d(2 * hidden, 2 * hidden, (1, 3), padding=(0, 1), groups=2 * hidden)
        self.contract = ops.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = F.silu(self.expand(x), inplace=True)
        # As a picture of height one, channels last: rows of tokens are that as they lie.
        h = self.depth(h.transpose(1, 2)[:, :, None])[:, :, 0].transpose(1, 2)
        value, gate = h.chunk(2, -1)
        return self.contract(value * F.silu(gate))


class Block(nn.Module):
    def __init__(self, config: TransformerConfig, ops: Ops) -> None:
        super().__init__()
        self.modulation = ops.Embedding(6, config.inner_dim)
        self.self_attention = SelfAttention(config, ops)
        self.cross_attention = CrossAttention(config, ops)
        self.feed_forward = FeedForward(config, ops)

    def forward(
        self, x: Tensor, modulation: Modulation, tables: Tables, condition: Condition
    ) -> Tensor:
        """x (B, T, D)"""
        shift1, scale1, gate1, shift2, scale2, gate2 = modulation
        h = normed(x, tables.floor, shift1, scale1)
        x = torch.addcmul(x, gate1, self.self_attention(h, tables.rotary))
        x = self.cross_attention(x, condition).add_(x)
        h = normed(x, tables.floor, shift2, scale2)
        return torch.addcmul(x, gate2, self.feed_forward(h))


@dataclass(frozen=True)
class Tables:
    """What is the same at every step of a run.

    Scales are kept as `normed` wants them: with the 1 they are added to, and times the root of
    the width.
    """

    rotary: Rotary  # of T frames
    weak: Rotary | None  # for the queries of the ERG blocks, (B, 1, T, d); None = as the others
    mask: Tensor | None  # (B, 1, 1, 1+S+L) added to scores: 0, or minus infinity where padded
    rows: Tensor  # (blocks, 1, 6, D) float32: each block's part of its modulation
    final: Tensor  # (1, 2, D) float32
    factors: Tensor  # (6, 1): 1, and the root of the width for the scales
    floor: Tensor  # 0-dimensional
    frequency: Tensor  # (128,) of the timestep's sinusoid


class Transformer(nn.Module):
    def __init__(self, config: TransformerConfig, ops: Ops = PLAIN) -> None:
        super().__init__()
        width, height = config.inner_dim, config.patch_size[0]
        self.config = config
        self.speaker = ops.Linear(config.speaker_embedding_dim, width)
        self.tags = ops.Linear(config.text_embedding_dim, width)
        self.lyric_encoder = LyricEncoder(config, ops)
        self.lyrics = ops.Linear(config.lyric_hidden_size, width)
        self.time_in = ops.Linear(TIME_WIDTH, width)
        self.time_out = ops.Linear(width, width)
        self.time_blocks = ops.Linear(width, 6 * width)
        self.patch = ops.Conv2d(config.in_channels, STEM_WIDTH, (height, 1), (height, 1))
        self.patch_norm = ops.GroupNorm(32, STEM_WIDTH, eps=1e-6)
        self.patch_out = ops.Conv2d(STEM_WIDTH, width, 1)
        self.blocks = nn.ModuleList(Block(config, ops) for _ in range(config.num_layers))
        self.final_modulation = ops.Embedding(2, width)
        self.final = ops.Linear(width, height * config.out_channels)

    def encode(
        self, states: Tensor, mask: Tensor, ids: Tensor, lyric_mask: Tensor, temper: float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """Tag states (B, S, 768) and lyric ids (B, L) -> context (B, 1+S+L, D) and its mask.

        The speaker vector is always zero in the released model: its token is a bias.
        """
        silent = states.new_zeros(states.shape[0], 1, self.config.speaker_embedding_dim)
        sung = self.lyrics(self.lyric_encoder(ids, lyric_mask, states.dtype, temper))
        context = torch.cat((self.speaker(silent), self.tags(states), sung), 1)
        present = mask.new_ones(mask.shape[0], 1, dtype=torch.float32)
        return context, torch.cat((present, mask.float(), lyric_mask.float()), 1)

    def attend(self, context: Tensor) -> tuple[KeysValues, ...]:
        """Keys and values of every block: they depend on the conditions alone."""
        rotary = self._rotary(context.shape[1], context)
        parts = (cast(Block, block).cross_attention for block in self.blocks)
        return tuple(part.keys_values(context, rotary) for part in parts)

    def lay(self) -> None:
        """Lay the weights side by side that one product serves; `TOGETHER` names their layers."""
        for block in self.blocks:
            part = cast(Block, block).self_attention
            lay_together((part.query, part.key, part.value))

    def tables(self, frames: int, branch: Branch) -> Tables:
        """What does not change between the steps of a run of so many frames."""
        like, width = branch.context, self.config.inner_dim
        root = math.sqrt(width)
        added, factors = torch.zeros(6, 1, device=like.device), torch.ones(6, 1, device=like.device)
        added[1::3], factors[1::3] = 1, root  # the scales
        modulation = torch.stack([rows(cast(Block, b).modulation, like) for b in self.blocks])
        final = rows(self.final_modulation, like).float()[None]
        rotary, weak = self._rotary(frames, like), None
        if branch.temper is not None:
            temper = branch.temper[:, None, None, None].float()
            weak = (rotary[0] * temper, rotary[1] * temper)
        self.lay()
        return Tables(
            rotary,
            weak,
            None if branch.mask is None else added_mask(branch.mask, like.dtype),
            ((modulation.float() + added) * factors)[:, None],
            (final + added[:2]) * factors[:2],
            factors,
            torch.full((), math.sqrt(width * EPS), device=like.device),
            frequencies(TIME_WIDTH, like.device),
        )

    def forward(
        self, x: Tensor, timestep: Tensor, branch: Branch, tables: Tables | None = None
    ) -> Tensor:
        """x (B, 8, 16, T), timestep (B,) = 1000 sigma -> velocity (B, 8, 16, T)."""
        tables = tables or self.tables(x.shape[-1], branch)
        time = self.embed_time(timestep, tables.frequency, x.dtype)
        modulations = self.modulate(time, tables)
        x = self.embed_frames(x)
        keys_values = branch.keys_values or self.attend(branch.context)
        for index, block in enumerate(self.blocks):
            rotary = tables.weak if tables.weak and index in ERG_BLOCKS else tables.rotary
            condition = (keys_values[index], tables.mask, rotary)
            x = block(x, modulations[index], tables, condition)
        final = torch.addcmul(tables.final, time[:, None], tables.factors[:2])
        x = self.final(normed(x, tables.floor, *final.chunk(2, 1)))
        return rearrange(x, "b t (h c) -> b c h t", c=self.config.out_channels)

    def embed_time(self, timestep: Tensor, frequency: Tensor, dtype: torch.dtype) -> Tensor:
        return self.time_out(F.silu(self.time_in(sinusoid(timestep, frequency).to(dtype))))

    def modulate(self, time: Tensor, tables: Tables) -> list[Modulation]:
        """Time (B, D) -> the modulation of every block at this step."""
        for_blocks = self.time_blocks(F.silu(time)).unflatten(1, (6, -1))
        wide = torch.addcmul(tables.rows, for_blocks, tables.factors)
        # The gates meet the residual stream, which is kept in this dtype.
        gates = wide.to(time.dtype)
        modulations: list[Modulation] = []
        for of_block, gates_of_block in zip(wide.unbind(), gates.unbind(), strict=True):
            shift1, scale1, _, shift2, scale2, _ = of_block.chunk(6, 1)
            _, _, gate1, _, _, gate2 = gates_of_block.chunk(6, 1)
            modulations.append((shift1, scale1, gate1, shift2, scale2, gate2))
        return modulations

    def embed_frames(self, x: Tensor) -> Tensor:
        """(B, 8, 16, T) -> (B, T, D): the height collapses into one token per frame."""
        x = self.patch_out(self.patch_norm(self.patch(x)))
        return x.squeeze(2).transpose(1, 2).contiguous()

    def _rotary(self, length: int, like: Tensor) -> Rotary:
        width, theta = self.config.attention_head_dim, self.config.rope_theta
        return signed(rotary_table(length, width, theta, like))
