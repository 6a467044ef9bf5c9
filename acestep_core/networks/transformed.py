"""Convolutions of many channels with fewer multiplications, on CPUs in float32.

A convolution is asked window by window. Of n samples, the n - k + 1 outputs of k taps that need no
others are

    y = give @ ((weigh @ w) * (take @ x))

where the three matrices evaluate the polynomials x and w at n points and go back (Winograd,
"Arithmetic complexity of computations", 1980). Between channels, each row of the product is a
matrix. Along time the points are the n-th roots of one, so that this is a Fourier transform, and
23 rows give 10 outputs of 7 taps, where 70 are needed otherwise. Pictures of 3 x 3 taps are asked
at 0, 1, -1, i, -i and infinity on each axis: 49 rows give 4 x 4 outputs, where 144 are needed. At
such points the numbers stay of one size, and the error is that of float32 itself.

What the transforms cost is the same for few channels as for many; below a width they do not pay.
"""

# Of some methods torch does not tell the types.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from threading import Barrier
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

import torch
from torch import Tensor, nn

from .products import held, product, quick

if TYPE_CHECKING:
    from typing_extensions import Self

# The fewest channels with which a kernel gains, and the fewest pixels for each thread.
WIDTHS = {(3, 3): 256, (1, 7): 128, (1, 11): 128, (1, 13): 128}
PIXELS = 2048
NUMBERS = 1 << 17  # of one row of the product that are worked on at once: they stay in cache

SILU = cast("Callable[..., Tensor]", torch.ops.aten.silu.out)
Piece = TypeVar("Piece")
Share = tuple[int, int, int]  # which item of the batch, the first of its tiles, how many


class Transform(NamedTuple):
    give: Tensor  # (outputs, products)
    weigh: Tensor  # (products, taps)
    take: Tensor  # (products, samples)


@cache
@torch.inference_mode(False)  # what is kept must do outside of it
def transform(kernel: tuple[int, int]) -> Transform:
    """The matrices for a kernel, in float32, computed in float64."""
    high, taps = kernel
    if high > 1:
        one = _at_points((0, 1, -1), (1j,), taps, ends=True)
        found = Transform(*(torch.kron(part, part) for part in one))
    else:
        window = window_of(taps)
        turns = (cmath.exp(2j * math.pi * turn / window) for turn in range(1, window // 2))
        found = _at_points((1, -1), tuple(turns), taps, ends=False)
    return Transform(*(part.float().contiguous() for part in found))


def window_of(taps: int) -> int:
    """Samples that are transformed at once, along one axis."""
    return 6 if taps == 3 else 16 if taps <= 7 else 32


def _at_points(
    real: Sequence[int], upper: Sequence[complex], taps: int, *, ends: bool
) -> Transform:
    """By real points, complex ones of which each stands for two, and with `ends` infinity."""
    points = [complex(point) for point in real]
    points += [either for point in upper for either in (point, point.conjugate())]
    count = len(points) + ends

    def powers(length: int) -> Tensor:
        rows = [[point**power for power in range(length)] for point in points]
        infinity = [[0.0] * (length - 1) + [1.0]]
        return torch.tensor(rows + infinity * ends, dtype=torch.complex128)

    take = cast("Tensor", torch.linalg.inv(powers(count))).mT
    weigh, give = powers(taps), powers(count - taps + 1)
    rows: list[tuple[Tensor, Tensor, Tensor]] = []
    for index in [*range(len(real)), *([count - 1] if ends else [])]:
        rows.append((give[index].real, weigh[index].real, take[index].real))
    for index in range(len(real), len(real) + 2 * len(upper), 2):
        # A product of complex numbers is three of real ones, whose sums are in the matrices; that
        # of the conjugates is its own conjugate, so twice the real part is given.
        (g, h), (w, v), (x, y) = (
            (m.real, m.imag) for m in (give[index], weigh[index], take[index])
        )
        rows += [(2 * (g - h), w, x + y), (-2 * h, v - w, x), (-2 * g, w + v, y)]
    gives, weighs, takes = (torch.stack(part) for part in zip(*rows, strict=True))
    return Transform(gives.mT, weighs, takes)


def suits(conv: nn.Conv2d, x: Tensor) -> bool:
    """Whether a convolution of x (B, C, H, W) that keeps its size is quicker by this module."""
    width = WIDTHS.get(cast("tuple[int, int]", conv.kernel_size), math.inf)
    is_wide = min(conv.in_channels, conv.out_channels) >= width
    is_big = is_wide and x.numel() >= PIXELS * conv.in_channels * torch.get_num_threads()
    return is_big and quick(x) and held(conv, x)


class Room:
    """Where the convolutions of one pass are worked on: memory that is taken once, and threads.

    Products of this size are too small to be shared by threads, so each thread has windows of
    its own. Use as a context: memory and threads go with it.
    """

    def __init__(self) -> None:
        self._blocks: dict[tuple[str, int], Tensor] = {}
        self._pool: ThreadPoolExecutor | None = None
        self.threads = torch.get_num_threads()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def take(self, name: str, *shape: int, thread: int = 0) -> Tensor:
        """float32 numbers of this shape, with anything in them."""
        count = math.prod(shape)
        block = self._blocks.get((name, thread))
        if block is None or block.numel() < count:
            block = self._blocks[name, thread] = torch.empty(count)
        return block[:count].view(shape)

    def spread(self, work: Callable[[int, Piece], None], shares: Sequence[Piece]) -> None:
        """Call work(thread, share) for each, in as many threads as torch has, and wait."""
        if self.threads == 1 or len(shares) == 1:
            for share in shares:
                work(0, share)
            return
        self._pool = self._pool or ThreadPoolExecutor(self.threads)
        waiting, started = iter(shares), Barrier(self.threads + 1)

        def alone(thread: int) -> None:
            torch.set_num_threads(1)  # of this thread, and of those that begin now
            started.wait()
            with torch.inference_mode():
                for share in waiting:  # one at a time: whoever is free
                    work(thread, share)

        running = [self._pool.submit(alone, thread) for thread in range(self.threads)]
        try:
            started.wait()
        except BaseException:
            started.abort()
            raise
        finally:
            torch.set_num_threads(self.threads)
        for one in running:
            one.result()


@dataclass(frozen=True)
class Grid:
    """Where the windows on a picture (H, W) lie. A tile is a step along the width: `rows` windows
    below each other, times the `apart` ones between whose samples others lie."""

    kernel: tuple[int, int]
    apart: int  # dilation along the width
    height: int
    length: int

    @property
    def window(self) -> tuple[int, int]:
        across = window_of(self.kernel[1])
        return (across if self.kernel[0] > 1 else 1), across

    @property
    def outputs(self) -> tuple[int, int]:
        """Of a window."""
        down, across = self.window
        return down - self.kernel[0] + 1, across - self.kernel[1] + 1

    @property
    def edges(self) -> tuple[int, int]:
        """Zeros above, and before."""
        return self.kernel[0] // 2, self.kernel[1] // 2 * self.apart

    @property
    def step(self) -> int:
        return self.outputs[1] * self.apart

    @property
    def rows(self) -> int:
        return -(-self.height // self.outputs[0])

    @property
    def tiles(self) -> int:
        return -(-self.length // self.step)

    def shares(self, batch: int, channels: int, threads: int) -> list[Share]:
        """Of about NUMBERS each, and one for each thread at least."""
        numbers = self.tiles * self.rows * self.apart * channels
        pieces = max(-(-numbers // NUMBERS), -(-threads // batch))
        most = -(-self.tiles // pieces)
        firsts = range(0, self.tiles, most)
        return [
            (item, first, min(most, self.tiles - first))
            for item in range(batch)
            for first in firsts
        ]


def convolved(
    conv: nn.Conv2d,
    x: Tensor,
    room: Room,
    before: Callable[..., Tensor] | None = None,
    plus: Tensor | None = None,
) -> Tensor:
    """conv(before(x)) + plus of x (B, C, H, W), as the layer itself computes it but for rounding.

    The layer keeps the size: its padding is half of its reach. `before` writes to `out`.
    """
    kernel = cast("tuple[int, int]", conv.kernel_size)
    grid = Grid(kernel, conv.dilation[1], *x.shape[2:])
    give, weigh, take = transform(kernel)
    padded, weights = _padded(x, grid, room, before), _weighed(conv, weigh, room)
    out = torch.empty(len(x), grid.height, grid.length, conv.out_channels)

    def work(thread: int, share: Share) -> None:
        seen = _windows(padded, grid, share, room, thread)
        taken = product(take, seen.flatten(0, 1).flatten(1).mT).unflatten(1, (-1, x.shape[1]))
        made = room.take("made", *taken.shape[:2], conv.out_channels, thread=thread)
        for into, of, weight in zip(made, taken, weights, strict=True):
            into.copy_(product(of, weight))
        given = product(give, made.flatten(1).mT)
        given = given.view(*grid.outputs, *seen.shape[2:5], conv.out_channels)
        if conv.bias is not None:
            given += conv.bias
        _put(out, given, grid, share, plus)

    room.spread(work, grid.shares(len(x), x.shape[1], room.threads))
    return out.permute(0, 3, 1, 2)


def _padded(x: Tensor, grid: Grid, room: Room, before: Callable[..., Tensor] | None) -> Tensor:
    """before(x) with the zeros around it that whole windows need: (B, H', W', C)."""
    (over, beside), (lines, _) = grid.edges, grid.outputs
    shape = (grid.rows * lines + 2 * over, grid.tiles * grid.step + 2 * beside)
    padded = room.take("padded", len(x), *shape, x.shape[1])
    padded[:, :over] = padded[:, over + grid.height :] = 0
    padded[:, :, :beside] = padded[:, :, beside + grid.length :] = 0
    inner = padded[:, over : over + grid.height, beside : beside + grid.length]
    if before:
        before(x.permute(0, 2, 3, 1), out=inner)
    else:
        inner.copy_(x.permute(0, 2, 3, 1))
    return padded


def _weighed(conv: nn.Conv2d, weigh: Tensor, room: Room) -> Tensor:
    """The weights of each product: (products, out, in)."""
    width, channels = conv.out_channels, conv.in_channels
    ordered = room.take("ordered", *conv.kernel_size, width, channels)
    ordered.copy_(conv.weight.permute(2, 3, 0, 1))
    weights = room.take("weights", len(weigh), width, channels)
    torch.mm(weigh, ordered.flatten(0, 1).flatten(1), out=weights.flatten(1))
    return weights


def _windows(padded: Tensor, grid: Grid, share: Share, room: Room, thread: int) -> Tensor:
    """Of a share: (down, across, rows, tiles, apart, C)."""
    item, first, count = share
    channels, line = padded.shape[3], padded.stride(1)
    seen = room.take("seen", *grid.window, grid.rows, count, grid.apart, channels, thread=thread)
    strides = (
        *(line, grid.apart * channels),
        *(grid.outputs[0] * line, grid.step * channels, channels, 1),
    )
    return seen.copy_(padded[item, :, first * grid.step :].as_strided(seen.shape, strides))


def _put(out: Tensor, given: Tensor, grid: Grid, share: Share, plus: Tensor | None) -> None:
    """The outputs of a share (lines, steps, rows, tiles, apart, C), plus others, to their place."""
    item, first, count = share
    found = given.permute(2, 0, 3, 1, 4, 5)  # as they lie in the picture
    whole = (grid.rows * grid.outputs[0], count * grid.step)
    here = slice(first * grid.step, min((first + count) * grid.step, grid.length))
    into = out[item, :, here]
    added = None if plus is None else plus[item, :, :, here].permute(1, 2, 0)
    if into.shape[:2] == whole:
        into = _split(into, found)
        added = None if added is None else _split(added, found)
    else:
        found = found.reshape(*whole, -1)[: into.shape[0], : into.shape[1]]
    if added is None:
        into.copy_(found)
    else:
        torch.add(found, added, out=into)


def _split(picture: Tensor, like: Tensor) -> Tensor:
    """A picture (H, W, C) with axes as those of windows (rows, lines, tiles, steps, apart, C)."""
    return picture.unflatten(1, like.shape[2:5]).unflatten(0, like.shape[:2])
