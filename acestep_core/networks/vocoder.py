"""Mel to waveform: a ConvNeXt backbone and a HiFi-GAN head, strictly local in time.

    log-mel (B, 128, M) -> backbone (B, 512, 1, M) -> 7 x (double or quadruple, 4 residual
    blocks averaged) -> (B, 1, 512 M) in [-1, 1]

Mono: stereo is a batch of two. Time runs along the width of pictures of height one, channels
last in memory: CPUs and GPUs convolve these faster than sequences. Weight norm is folded when
weights are loaded, so the convolutions here are plain. The stem pads with its edge values,
everything else with zeros.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import VocoderConfig
from .layers import PLAIN, Ops, channels_last, rows
from .memory import nothing
from .transformed import SILU, Room, convolved, suits

EPS = 1e-6
FEWEST, PIECE = 128, 128  # channels; below them a CPU works on pieces of so many mel frames


class ChannelNorm(nn.Module):
    """LayerNorm over the channels of (B, C, 1, M)."""

    def __init__(self, width: int, ops: Ops) -> None:
        super().__init__()
        self.norm = ops.LayerNorm(width, eps=EPS)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.movedim(1, -1)).movedim(-1, 1)


class BackboneBlock(nn.Module):
    def __init__(self, width: int, kernel: int, ops: Ops) -> None:
        super().__init__()
        self.depth = ops.Conv2d(width, width, (1, kernel), padding=(0, kernel // 2), groups=width)
        self.norm = ops.LayerNorm(width, eps=EPS)
        self.expand = ops.Linear(width, 4 * width)
        self.contract = ops.Linear(4 * width, width)
        self.gain = ops.Embedding(1, width)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(self.depth(x).movedim(1, -1))
        h = self.contract(F.gelu(self.expand(h))) * rows(self.gain, x)
        return x + h.movedim(-1, 1)


class Stem(nn.Module):
    def __init__(self, width: int, out: int, kernel: int, ops: Ops) -> None:
        super().__init__()
        self.pad = kernel // 2
        self.conv = ops.Conv2d(width, out, (1, kernel))
        self.norm = ChannelNorm(out, ops)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(F.pad(x, (self.pad, self.pad, 0, 0), mode="replicate")))


class Widen(nn.Module):
    def __init__(self, width: int, out: int, ops: Ops) -> None:
        super().__init__()
        self.norm = ChannelNorm(width, ops)
        self.conv = ops.Conv2d(width, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.norm(x))


class Backbone(nn.Module):
    def __init__(self, config: VocoderConfig, ops: Ops) -> None:
        super().__init__()
        widths, kernel = config.dims, config.kernel_sizes[0]
        self.entries = nn.ModuleList([Stem(config.input_channels, widths[0], kernel, ops)])
        self.entries.extend(Widen(a, b, ops) for a, b in pairwise(widths))
        self.stages = nn.ModuleList(
            nn.Sequential(*(BackboneBlock(width, kernel, ops) for _ in range(depth)))
            for width, depth in zip(widths, config.depths, strict=True)
        )
        self.norm = ChannelNorm(widths[-1], ops)
        self.reach = (1 + sum(config.depths)) * (kernel // 2)  # mel frames on each side

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 128, M) -> (B, 512, 1, M)."""
        x = channels_last(mel[:, :, None])
        for entry, stage in zip(self.entries, self.stages, strict=True):
            x = stage(entry(x))
        return self.norm(x)


class ResidualBlock(nn.Module):
    def __init__(self, width: int, kernel: int, dilations: tuple[int, ...], ops: Ops) -> None:
        super().__init__()
        half = (kernel - 1) // 2

        def conv(dilation: int) -> nn.Conv2d:
            pad = (0, half * dilation)
            return ops.Conv2d(width, width, (1, kernel), padding=pad, dilation=(1, dilation))

        self.dilated = nn.ModuleList(conv(dilation) for dilation in dilations)
        self.plain = nn.ModuleList(conv(1) for _ in dilations)

    def forward(self, x: Tensor, room: Room) -> Tensor:
        for first, second in zip(self.dilated, self.plain, strict=True):
            dilated, plain = cast(nn.Conv2d, first), cast(nn.Conv2d, second)
            if suits(dilated, x) and suits(plain, x):
                h = convolved(dilated, x, room, SILU)
                x = convolved(plain, h, room, SILU, plus=x)
            else:
                # In place where a tensor is fresh: on a CPU a new buffer costs more than the sum.
                x = plain(F.silu(dilated(F.silu(x)), inplace=True)).add_(x)
        return x


class Head(nn.Module):
    def __init__(self, config: VocoderConfig, ops: Ops) -> None:
        super().__init__()
        width, kernel = config.upsample_initial_channel, config.pre_conv_kernel_size
        self.config, self.finest = config, 0
        self.conv_in = ops.Conv2d(config.num_mels, width, (1, kernel), padding=(0, kernel // 2))
        self.ups, self.mixes, samples = nn.ModuleList(), nn.ModuleList(), 1
        blocks = list(
            zip(config.resblock_kernel_sizes, config.resblock_dilation_sizes, strict=True)
        )
        for rate, kernel in zip(config.upsample_rates, config.upsample_kernel_sizes, strict=True):
            size, stride, pad = (1, kernel), (1, rate), (0, (kernel - rate) // 2)
            self.ups.append(ops.ConvTranspose2d(width, width // 2, size, stride, padding=pad))
            width, samples = width // 2, samples * rate
            self.finest = max(self.finest, width * samples)  # numbers a mel frame
            self.mixes.append(nn.ModuleList(ResidualBlock(width, k, d, ops) for k, d in blocks))
        widths = [cast(nn.ConvTranspose2d, up).out_channels for up in self.ups]
        self.fine = sum(width >= FEWEST for width in widths)  # the first level of few channels
        kernel = config.post_conv_kernel_size
        self.conv_out = ops.Conv2d(width, 1, (1, kernel), padding=(0, kernel // 2))

    def forward(self, x: Tensor, between: Callable[[], None] = nothing) -> Tensor:
        """(B, 512, 1, M) -> (B, 1, 512 M). `between` is called after each wide level."""
        x = self.conv_in(x)
        with Room() as room:
            for level in range(self.fine):
                x = self._finer(level, x, room)
                between()
            if x.device.type != "cpu" or torch.is_grad_enabled():
                return self._wave(x, room)
            return self._wave_in_pieces(x, room)

    def _finer(self, level: int, x: Tensor, room: Room) -> Tensor:
        x = self.ups[level](F.silu(x, inplace=True))
        # One after the other: four kept results would decide the peak memory.
        mixes = cast(nn.ModuleList, self.mixes[level])
        blocks = iter(mixes)
        total = next(blocks)(x, room)
        for block in blocks:
            total.add_(block(x, room))
        return total.div_(len(mixes))

    def _wave(self, x: Tensor, room: Room) -> Tensor:
        for level in range(self.fine, len(self.ups)):
            x = self._finer(level, x, room)
        return self.conv_out(F.silu(x, inplace=True)).tanh()[:, :, 0]

    def _wave_in_pieces(self, x: Tensor, room: Room) -> Tensor:
        """As `_wave`: pieces that stay in a CPU's cache, with as much before and after each as
        its samples depend on."""
        rates = self.config.upsample_rates
        coarse, scale = math.prod(rates[: self.fine]), math.prod(rates[self.fine :])
        size, edge = PIECE * coarse, math.ceil(self._reach(self.fine) * coarse)
        wave = x.new_empty(len(x), 1, x.shape[-1] * scale)

        def work(thread: int, piece: tuple[int, int]) -> None:
            item, first = piece
            last, begin = min(first + size, x.shape[-1]), max(first - edge, 0)
            part = x[item : item + 1, ..., begin : last + edge].clone(
                memory_format=torch.channels_last
            )
            inner = slice((first - begin) * scale, (last - begin) * scale)
            wave[item, :, first * scale : last * scale] = self._wave(part, room)[0, :, inner]

        firsts = range(0, x.shape[-1], size)
        room.spread(work, [(item, first) for item in range(len(x)) for first in firsts])
        return wave

    @property
    def reach(self) -> int:
        """Mel frames on each side that one output sample depends on."""
        return math.ceil(self.config.pre_conv_kernel_size // 2 + self._reach(0))

    def _reach(self, first: int) -> float:
        """Of the levels from this one on, in mel frames."""
        sizes = self.config
        pairs = zip(sizes.resblock_kernel_sizes, sizes.resblock_dilation_sizes, strict=True)
        per_level = max(sum((k // 2) * (d + 1) for d in ds) for k, ds in pairs)
        rate, extra = math.prod(sizes.upsample_rates[:first]), 0.0
        levels = zip(sizes.upsample_rates, sizes.upsample_kernel_sizes, strict=True)
        for stride, kernel in list(levels)[first:]:
            extra += kernel / stride / rate  # the transposed convolution, in frames
            rate *= stride
            extra += per_level / rate
        return extra + sizes.post_conv_kernel_size / 2 / rate


class Vocoder(nn.Module):
    def __init__(self, config: VocoderConfig, ops: Ops = PLAIN) -> None:
        super().__init__()
        self.config = config
        self.backbone = Backbone(config, ops)
        self.head = Head(config, ops)

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 128, M) -> (B, 1, 512 M)."""
        return self.head(self.backbone(mel))

    @property
    def reach(self) -> int:
        """Mel frames on each side that one output sample depends on."""
        return self.backbone.reach + self.head.reach
