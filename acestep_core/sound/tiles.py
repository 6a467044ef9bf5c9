"""Long work cut into tiles: where they lie, how large they may be, and how far one has come.

    length -> spans -> each with context around it -> results, put where they belong

Cutting changes no number beyond rounding: the codec gives every tile the true context it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from ..networks.memory import Pace

ON_CPU = 96  # latent frames: larger tiles take more memory there, and as long
LEAST = 16  # latent frames: below that a tile is more context than tile

Tick = Callable[[int, int], None]  # (pieces done, pieces in all); may raise to cancel
Heard = Sequence[tuple[int, int]] | None  # stretches [first, last) that are needed; None = all


@dataclass(frozen=True)
class Tiles:
    """How much is worked on at once, in latent frames, where there is room; None = everything."""

    frames: int | None = 256

    def on(self, device: torch.device) -> Tiles:
        """Smaller ones on a CPU, which is no quicker with larger ones."""
        if self.frames is None or device.type != "cpu":
            return self
        return Tiles(min(self.frames, ON_CPU))

    def within(self, room: int | None, frame: int) -> Tiles:
        """Smaller ones where so much room is left and a frame takes so much, in bytes."""
        if self.frames is None or room is None:
            return self
        size = self.frames
        while size > LEAST and size * frame > room:
            size = (size + 1) // 2
        return Tiles(size)


TILED, WHOLE = Tiles(), Tiles(None)


def no_tick(done: int, total: int) -> None:
    """Nobody is watching."""


def spans(length: int, core: int | None) -> list[tuple[int, int]]:
    """[start, end) pieces that cover `length`, as few as may be, and about equal."""
    count = -(-length // core) if core else min(length, 1)
    edges = [length * i // max(count, 1) for i in range(count + 1)]
    return list(pairwise(edges))


def touching(
    pieces: Sequence[tuple[int, int]], heard: Heard, reach: int = 0
) -> list[tuple[int, int]]:
    """Those of the pieces that lie within `reach` of what is heard of the whole."""
    if heard is None:
        return list(pieces)
    return [
        piece
        for piece in pieces
        if any(piece[0] < last + reach and first - reach < piece[1] for first, last in heard)
    ]


def around(span: tuple[int, int], reach: int, length: int) -> tuple[slice, slice]:
    """(span widened by reach inside the length, where the span lies within that)."""
    start, end = max(span[0] - reach, 0), min(span[1] + reach, length)
    return slice(start, end), slice(span[0] - start, span[1] - start)


class Counter:
    """Counts finished pieces and says so, no more than one piece ahead of the device."""

    def __init__(self, total: int, tick: Tick, device: torch.device) -> None:
        self._done, self._total, self._tick, self._pace = 0, total, tick, Pace(device)

    def step(self) -> None:
        self._done += 1
        self.look()

    def look(self) -> None:
        """The moment to cancel, where no piece is finished yet."""
        self._pace.wait()
        self._tick(self._done, self._total)


class Landing:
    """A waveform in main memory that pieces arrive in while the device goes on; zeros where none
    does."""

    def __init__(self, channels: int, length: int, device: torch.device) -> None:
        is_cuda = device.type == "cuda" and torch.cuda.is_available()
        with torch.inference_mode(False):  # what arrives is handed on without a copy
            if is_cuda:
                self._wave = torch.zeros(channels, length, pin_memory=True)
            else:  # numpy's zeros take no memory until they are written to
                self._wave = torch.from_numpy(np.zeros((channels, length), np.float32))
        self._stream = torch.cuda.Stream(device) if is_cuda else None

    def put(self, start: int, piece: Tensor) -> None:
        """piece (C, n) float32."""
        rows = zip(self._wave[:, start : start + piece.shape[1]], piece, strict=True)
        if self._stream is None:
            for here, row in rows:
                here.copy_(row)
            return
        # A stream of its own: it waits for this piece, and the next one does not wait for it.
        self._stream.wait_stream(torch.cuda.current_stream(piece.device))
        with torch.cuda.stream(self._stream):
            for here, row in rows:
                here.copy_(row, non_blocking=True)
        piece.record_stream(self._stream)  # its memory is not given away before it was read

    def whole(self) -> Tensor:
        if self._stream is not None:
            self._stream.synchronize()
        return self._wave
