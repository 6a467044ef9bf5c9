"""The mel autoencoder: log-mel (B, 2, 128, 8T) <-> latent (B, 8, 16, T), bare networks.

    encoder   conv, 3 x (residual blocks, halve), 3 attention blocks, conv
    decoder   conv, 3 attention blocks, 3 x (double, residual blocks), norm, conv

Pictures lie channels last in memory: the layout that CPUs and GPUs convolve fastest, and that
linear layers read as it is. Scaling and mel normalisation are the codec's business. Each half is
split into a local part (`local`) and a global one (the attention blocks), so that the codec can
run both in tiles: attention only needs the sum of its states over the tiles.
"""

# Of some methods torch does not tell the types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import cast

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from ..config import LATENT_HEIGHT, DCAEConfig
from .layers import PLAIN, Ops, attention_state, channels_last, read_state, rms, rows
from .memory import nothing
from .transformed import SILU, Room, convolved, suits

EPS = 1e-5
CACHED = 1 << 20  # numbers that a CPU norms at once: new memory costs it more than the sums
PIXELS = {1: (1, 1), 2: (2, 1), 4: (2, 2)}  # channels given to a cell's four: as rows and columns


class PixelNorm(nn.Module):
    """RMS norm over the channels of each pixel, with gain and offset, and something added.

    Without gradients x itself becomes the result: it has to be of no other use.
    """

    def __init__(self, width: int, ops: Ops) -> None:
        super().__init__()
        self.gain = ops.Embedding(1, width)
        self.offset = ops.Embedding(1, width)

    def forward(self, x: Tensor, plus: Tensor | None = None) -> Tensor:
        gain, offset = (rows(t, x)[0, :, None, None] for t in (self.gain, self.offset))
        if torch.is_grad_enabled():
            found = torch.addcmul(offset, rms(x, EPS, axis=1), gain)
            return found if plus is None else found + plus
        lines = max(CACHED * x.shape[2] // x.numel(), 1) if x.device.type == "cpu" else x.shape[2]
        for part in torch.split(x, lines, 2):
            torch.addcmul(offset, rms(part, EPS, axis=1), gain, out=part)
        return x if plus is None else x.add_(plus)


class Residual(nn.Module):
    def __init__(self, width: int, ops: Ops) -> None:
        super().__init__()
        self.first = ops.Conv2d(width, width, 3, padding=1)
        self.second = ops.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = PixelNorm(width, ops)

    def forward(self, x: Tensor, room: Room) -> Tensor:
        if suits(self.first, x) and suits(self.second, x):
            h = convolved(self.second, convolved(self.first, x, room), room, SILU)
        else:
            h = self.second(F.silu(self.first(x), inplace=True))
        return self.norm(h, plus=x)


class Halve(nn.Module):
    """Half the size in both axes, with a channel-averaged shortcut."""

    def __init__(self, width: int, out: int, ops: Ops) -> None:
        super().__init__()
        self.out = out
        self.conv = ops.Conv2d(width, out, 3, stride=2, padding=1)

    def forward(self, x: Tensor, _: Room | None = None) -> Tensor:
        short = F.pixel_unshuffle(x, 2)
        return self.conv(x) + short.unflatten(1, (self.out, -1)).mean(2)


class Double(nn.Module):
    """Twice the size in both axes, with a channel-repeated shortcut."""

    def __init__(self, width: int, out: int, ops: Ops) -> None:
        super().__init__()
        self.out = out
        self.conv = ops.Conv2d(width, out, 3, padding=1)

    def forward(self, x: Tensor, room: Room) -> Tensor:
        y = F.interpolate(x, scale_factor=2, mode="nearest")
        y = convolved(self.conv, y, room) if suits(self.conv, y) else self.conv(y)
        # Each channel of y has 1, 2 or 4 of x, repeated to the four pixels (y, x) of a cell.
        given = x.unflatten(1, (self.out, *PIXELS[x.shape[1] // self.out]))
        cells = y.unflatten(3, (-1, 2)).unflatten(2, (-1, 2))
        cells += rearrange(given, "b c y x h w -> b c h y w x")
        return y


class MultiScaleAttention(nn.Module):
    """Linear attention at two scales: the projections, and the same seen through a 5x5 filter.

    Groups of 3 head widths are cut across the stack [all q, all k, all v]: a group's "q" is
    a slice of whatever lies there. It looks wrong and is what the weights were trained with.
    """

    reach = 2  # frames of context its 5x5 filter needs on each side

    def __init__(self, width: int, head: int, ops: Ops) -> None:
        super().__init__()
        self.head = head
        self.query = ops.Linear(width, width, bias=False)
        self.key = ops.Linear(width, width, bias=False)
        self.value = ops.Linear(width, width, bias=False)
        self.wide = ops.Conv2d(3 * width, 3 * width, 5, padding=2, groups=3 * width, bias=False)
        groups = 3 * width // head
        self.mix = ops.Conv2d(3 * width, 3 * width, 1, groups=groups, bias=False)
        self.out = ops.Linear(2 * width, width, bias=False)
        self.norm = PixelNorm(width, ops)

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x (B, C, H, W) -> q, k, v (B, groups, H, W, head); q and k non-negative."""
        last = x.movedim(1, -1)
        stack = torch.cat((self.query(last), self.key(last), self.value(last)), -1).movedim(-1, 1)
        both = torch.cat((stack, self.mix(self.wide(stack))), 1)
        groups = rearrange(both, "b (g c) h w -> b g h w c", c=3 * self.head)
        q, k, v = groups.chunk(3, -1)
        return q.relu(), k.relu(), v

    def finish(self, x: Tensor, q: Tensor, state: Tensor) -> Tensor:
        mixed = read_state(q.flatten(2, 3), state).unflatten(2, q.shape[2:4]).to(x.dtype)
        joined = rearrange(mixed, "b g h w c -> b h w (g c)")
        return self.norm(self.out(joined).movedim(-1, 1), plus=x)


class GatedConv(nn.Module):
    reach = 1  # frames of context its 3x3 filter needs on each side

    def __init__(self, width: int, ops: Ops) -> None:
        super().__init__()
        hidden = 4 * width
        self.expand = ops.Conv2d(width, 2 * hidden, 1)
        self.depth = ops.Conv2d(2 * hidden, 2 * hidden, 3, padding=1, groups=2 * hidden)
        self.contract = ops.Conv2d(hidden, width, 1, bias=False)
        self.norm = PixelNorm(width, ops)

    def forward(self, x: Tensor) -> Tensor:
        value, gate = self.depth(F.silu(self.expand(x), inplace=True)).chunk(2, 1)
        return self.norm(self.contract(value * F.silu(gate)), plus=x)


class AttentionBlock(nn.Module):
    def __init__(self, width: int, head: int, ops: Ops) -> None:
        super().__init__()
        self.attention = MultiScaleAttention(width, head, ops)
        self.feed_forward = GatedConv(width, ops)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.attention.project(x)
        state = attention_state(k.flatten(2, 3), v.flatten(2, 3))
        return self.feed_forward(self.attention.finish(x, q, state))


def _through(stages: Iterable[nn.Module], x: Tensor, between: Callable[[], None]) -> Tensor:
    with Room() as room:
        for stage in stages:
            for layer in cast("nn.Sequential", stage):
                x = layer(x, room)
            between()
    return x


def pixels(levels: int) -> int:
    """Of a latent frame, so many levels finer."""
    return LATENT_HEIGHT * 4**levels


class Encoder(nn.Module):
    def __init__(self, config: DCAEConfig, ops: Ops) -> None:
        super().__init__()
        widths, depths = config.encoder_block_out_channels, config.encoder_layers_per_block
        self.conv_in = ops.Conv2d(config.in_channels, widths[0], 3, padding=1)
        self.stages = nn.ModuleList(
            nn.Sequential(*(Residual(width, ops) for _ in range(depth)), Halve(width, out, ops))
            for width, out, depth in zip(widths, widths[1:], depths, strict=False)
        )
        self.attention = nn.ModuleList(
            AttentionBlock(widths[-1], config.attention_head_dim, ops) for _ in range(depths[-1])
        )
        self.conv_out = ops.Conv2d(widths[-1], config.latent_channels, 3, padding=1)
        self.finest = widths[0] * pixels(len(self.stages))  # numbers a latent frame

    def local(self, mel: Tensor, between: Callable[[], None] = nothing) -> Tensor:
        """(B, 2, 128, 8T) -> (B, C, 16, T): everything before the attention blocks. `between` is
        called after each level."""
        return _through(self.stages, self.conv_in(channels_last(mel)), between)

    @property
    def reach(self) -> int:
        """Latent frames on each side that one frame of `local` depends on."""
        mel = 1.0  # conv_in
        for level, stage in enumerate(self.stages):
            mel += 2**level * (2 * (len(stage) - 1) + 1)  # pyright: ignore[reportArgumentType]
        return math.ceil(mel / 2 ** len(self.stages))

    def finish(self, x: Tensor) -> Tensor:
        latent = self.conv_out(x)
        return latent + x.unflatten(1, (latent.shape[1], -1)).mean(2)

    def forward(self, mel: Tensor) -> Tensor:
        x = self.local(mel)
        for block in self.attention:
            x = block(x)
        return self.finish(x)


class Decoder(nn.Module):
    def __init__(self, config: DCAEConfig, ops: Ops) -> None:
        super().__init__()
        widths, depths = config.decoder_block_out_channels, config.decoder_layers_per_block
        self.repeats = widths[-1] // config.latent_channels
        self.conv_in = ops.Conv2d(config.latent_channels, widths[-1], 3, padding=1)
        self.attention = nn.ModuleList(
            AttentionBlock(widths[-1], config.attention_head_dim, ops) for _ in range(depths[-1])
        )
        # Finest first, as the checkpoint counts them; they run from last to first.
        self.stages = nn.ModuleList(
            nn.Sequential(Double(width, out, ops), *(Residual(out, ops) for _ in range(depth)))
            for out, width, depth in zip(widths, widths[1:], depths, strict=False)
        )
        self.norm = PixelNorm(widths[0], ops)
        self.conv_out = ops.Conv2d(widths[0], config.in_channels, 3, padding=1)
        self.finest = widths[0] * pixels(len(self.stages))  # numbers a latent frame

    def begin(self, latent: Tensor) -> Tensor:
        latent = channels_last(latent)
        return self.conv_in(latent) + latent.repeat_interleave(self.repeats, 1)

    @property
    def reach(self) -> int:
        """Latent frames on each side that one frame of `local` depends on."""
        frames, rate = 0.0, 1
        for stage in reversed(self.stages):
            rate *= 2
            frames += (2 * (len(stage) - 1) + 1) / rate  # pyright: ignore[reportArgumentType]
        return math.ceil(frames + 1 / rate)

    def local(self, x: Tensor, between: Callable[[], None] = nothing) -> Tensor:
        """(B, C, 16, T) -> (B, 2, 128, 8T): everything after the attention blocks. `between` is
        called after each level."""
        x = _through(reversed(self.stages), x, between)
        return self.conv_out(self.norm(x).relu_())

    def forward(self, latent: Tensor) -> Tensor:
        x = self.begin(latent)
        for block in self.attention:
            x = block(x)
        return self.local(x)


class DCAE(nn.Module):
    def __init__(self, config: DCAEConfig, ops: Ops = PLAIN) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config, ops)
        self.decoder = Decoder(config, ops)
