"""The denoiser: one token per latent frame, linear self-attention, cross-attended conditions.

    encode     tags, lyrics               -> context (B, 1+S+L, D)        once per branch
    attend     context                    -> keys, values of every block  once per branch
    forward    x (B, 8, 16, T), timestep  -> velocity (B, 8, 16, T)       every step

One surprise: cross-attention reads the raw residual stream, with no norm and no gate.
Another: the stem's GroupNorm and the linear attention look at all frames, so the time axis
cannot be cut into pieces.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import TransformerConfig
from ..types import Branch
from .layers import Ops, attention_state, read_state, rms, rotary_table, rotate, rows, sinusoid
from .lyric_encoder import LyricEncoder

ERG_BLOCKS = range(15, 20)
TIME_WIDTH = 256
STEM_WIDTH = 2048  # 256 x 8 channels, whatever the transformer's width
EPS = 1e-6
HALF_MAX = 65504.0  # the reference bounds self-attention to the half-precision range

Rotary = tuple[Tensor, Tensor]
KeysValues = tuple[Tensor, Tensor]
# What one block needs of a branch: keys and values, key mask (B, 1, 1, S) or None, query
# factors (B,) or None. None lets the attention kernel take its fast path.
Condition = tuple[KeysValues, Tensor | None, Tensor | None]


def heads(x: Tensor, count: int) -> Tensor:
    return rearrange(x, "b n (h d) -> b h n d", h=count)


def joined(x: Tensor) -> Tensor:
    return rearrange(x, "b h n d -> b n (h d)")


class SelfAttention(nn.Module):
    """Linear attention over all frames: relu(q) relu(k)^T v, normalised."""

    def __init__(self, config: TransformerConfig, ops: Ops) -> None:
        super().__init__()
        width, inner = config.inner_dim, config.num_attention_heads * config.attention_head_dim
        self.count = config.num_attention_heads
        self.query = ops.Linear(width, inner)
        self.key = ops.Linear(width, inner)
        self.value = ops.Linear(width, inner)
        self.out = ops.Linear(inner, width)

    def forward(self, x: Tensor, rotary: Rotary) -> Tensor:
        q = rotate(heads(self.query(x), self.count), rotary).relu()
        k = rotate(heads(self.key(x), self.count), rotary).relu()
        v = heads(self.value(x), self.count)
        mixed = joined(read_state(q, attention_state(k, v))).to(x.dtype)
        return self.out(mixed).clamp(-HALF_MAX, HALF_MAX)


class CrossAttention(nn.Module):
    """Softmax attention over the conditions; frames and conditions count from 0 each."""

    def __init__(self, config: TransformerConfig, ops: Ops) -> None:
        super().__init__()
        width, inner = config.inner_dim, config.num_attention_heads * config.attention_head_dim
        self.count = config.num_attention_heads
        self.query = ops.Linear(width, inner)
        self.key = ops.Linear(width, inner)
        self.value = ops.Linear(width, inner)
        self.out = ops.Linear(inner, width)

    def keys_values(self, context: Tensor, rotary: Rotary) -> KeysValues:
        k = rotate(heads(self.key(context), self.count), rotary)
        return k.contiguous(), heads(self.value(context), self.count).contiguous()

    def forward(self, x: Tensor, rotary: Rotary, condition: Condition) -> Tensor:
        keys_values, mask, temper = condition
        q = self.query(x)
        if temper is not None:
            q = q * temper[:, None, None].to(q.dtype)
        q = rotate(heads(q, self.count), rotary)
        return self.out(joined(F.scaled_dot_product_attention(q, *keys_values, attn_mask=mask)))


class FeedForward(nn.Module):
    """Gated, with a depthwise convolution over neighbouring frames."""

    def __init__(self, config: TransformerConfig, ops: Ops) -> None:
        super().__init__()
        width, hidden = config.inner_dim, int(config.inner_dim * config.mlp_ratio)
        self.expand = ops.Conv1d(width, 2 * hidden, 1)
        self.depth = ops.Conv1d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden)
        self.contract = ops.Conv1d(hidden, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.depth(F.silu(self.expand(x.transpose(1, 2)))).chunk(2, 1)
        return self.contract(value * F.silu(gate)).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, config: TransformerConfig, ops: Ops) -> None:
        super().__init__()
        self.modulation = ops.Embedding(6, config.inner_dim)
        self.self_attention = SelfAttention(config, ops)
        self.cross_attention = CrossAttention(config, ops)
        self.feed_forward = FeedForward(config, ops)

    def forward(self, x: Tensor, time: Tensor, rotary: Rotary, condition: Condition) -> Tensor:
        """x (B, T, D), time (B, 6, D)."""
        modulation = rows(self.modulation, x) + time
        shift1, scale1, gate1, shift2, scale2, gate2 = modulation.chunk(6, 1)
        h = rms(x, EPS) * (1 + scale1) + shift1
        x = gate1 * self.self_attention(h, rotary) + x
        x = self.cross_attention(x, rotary, condition) + x
        h = rms(x, EPS) * (1 + scale2) + shift2
        return x + gate2 * self.feed_forward(h)


class Transformer(nn.Module):
    def __init__(self, config: TransformerConfig, ops: Ops = nn) -> None:
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

    def forward(self, x: Tensor, timestep: Tensor, branch: Branch) -> Tensor:
        """x (B, 8, 16, T), timestep (B,) = 1000 sigma -> velocity (B, 8, 16, T)."""
        time = self.embed_time(timestep, x.dtype)
        for_blocks = self.time_blocks(F.silu(time)).unflatten(1, (6, -1))
        mask = None if branch.mask is None else branch.mask[:, None, None].bool()
        x = self.embed_frames(x)
        rotary = self._rotary(x.shape[1], x)
        keys_values = branch.keys_values or self.attend(branch.context)
        for index, block in enumerate(self.blocks):
            temper = branch.temper if index in ERG_BLOCKS else None
            x = block(x, for_blocks, rotary, (keys_values[index], mask, temper))
        shift, scale = (rows(self.final_modulation, x) + time[:, None]).chunk(2, 1)
        x = self.final(rms(x, EPS) * (1 + scale) + shift)
        return rearrange(x, "b t (h c) -> b c h t", c=self.config.out_channels)

    def embed_time(self, timestep: Tensor, dtype: torch.dtype) -> Tensor:
        return self.time_out(F.silu(self.time_in(sinusoid(timestep, TIME_WIDTH).to(dtype))))

    def embed_frames(self, x: Tensor) -> Tensor:
        """(B, 8, 16, T) -> (B, T, D): the height collapses into one token per frame."""
        return self.patch_out(self.patch_norm(self.patch(x))).squeeze(2).transpose(1, 2)

    def _rotary(self, length: int, like: Tensor) -> Rotary:
        return rotary_table(length, self.config.attention_head_dim, self.config.rope_theta, like)
