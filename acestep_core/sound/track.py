"""A clip that is read in stretches, so that an hour need not be held at once.

    Held      a tensor                        part(first, last) -> (C, n)
    Patched   a clip, and what was put into it  blocks(size)    -> (C, size), (C, size), ...
    Joined    clips one after the other         whole()         -> (C, N)

One in a file is `files.InFile`. What a track hands out may be its own: copy it to write to it.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .audio import peak_of, resample

SHORT = 600.0  # seconds that are resampled as one
MARGIN = 0.1  # seconds around a block that its resampling hears


class Track(ABC):
    """`samples` of each of `channels`, at `rate` Hz."""

    channels: int
    samples: int
    rate: int

    @abstractmethod
    def part(self, first: int, last: int) -> Tensor:
        """Samples [first, last) as (C, last - first) float32."""

    def blocks(self, size: int) -> Iterator[Tensor]:
        """All of it in order, so many samples at a time; the last block may have fewer."""
        for first in range(0, self.samples, size):
            yield self.part(first, min(first + size, self.samples))

    def whole(self) -> Tensor:
        """(C, N) of its own."""
        wave = torch.empty(self.channels, self.samples)
        self.into(wave)
        return wave

    def into(self, wave: Tensor) -> None:
        """Written to wave (C, N), a second at a time."""
        first = 0
        for block in self.blocks(self.rate):
            wave[:, first : first + block.shape[-1]] = block
            first += block.shape[-1]


class Held(Track):
    """A wave (C, N) in memory."""

    def __init__(self, wave: Tensor, rate: int) -> None:
        self.wave, self.rate = wave, rate
        self.channels, self.samples = wave.shape

    def part(self, first: int, last: int) -> Tensor:
        return self.wave[:, first:last]

    def whole(self) -> Tensor:
        return self.wave.clone()


@dataclass(frozen=True, eq=False)
class Patch:
    """A wave (C, n) in place of a clip's samples from `first` on."""

    first: int
    wave: Tensor

    @property
    def last(self) -> int:
        return self.first + self.wave.shape[-1]


class Patched(Track):
    """A clip with patches that lie apart."""

    def __init__(self, source: Track, patches: Sequence[Patch] = ()) -> None:
        self.source, self.patches = source, tuple(patches)
        self.channels, self.samples, self.rate = source.channels, source.samples, source.rate

    def part(self, first: int, last: int) -> Tensor:
        for patch in self.patches:
            if patch.first <= first and last <= patch.last:
                return patch.wave[:, first - patch.first : last - patch.first]
        return self._patched(self.source.part(first, last), first)

    def blocks(self, size: int) -> Iterator[Tensor]:
        first = 0
        for block in self.source.blocks(size):
            yield self._patched(block, first)
            first += block.shape[-1]

    def _patched(self, wave: Tensor, first: int) -> Tensor:
        last, result = first + wave.shape[-1], wave
        for patch in self.patches:
            start, end = max(first, patch.first), min(last, patch.last)
            if start < end:
                result = wave.clone() if result is wave else result
                result[:, start - first : end - first] = patch.wave[
                    :, start - patch.first : end - patch.first
                ]
        return result


class Joined(Track):
    """Clips of the same rate and channels, one after the other."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self.tracks = [track for track in tracks if track.samples]
        self.channels, self.rate = tracks[0].channels, tracks[0].rate
        self.samples = sum(track.samples for track in tracks)

    def part(self, first: int, last: int) -> Tensor:
        pieces, begins = [], 0
        for track in self.tracks:
            start, end = max(first - begins, 0), min(last - begins, track.samples)
            if start < end:
                pieces.append(track.part(start, end))
            begins += track.samples
        return torch.cat(pieces, -1) if len(pieces) != 1 else pieces[0]

    def blocks(self, size: int) -> Iterator[Tensor]:
        return even((block for track in self.tracks for block in track.blocks(size)), size)


class Resampled(Track):
    """A long clip at another rate, in blocks that each hear a little of their neighbours."""

    def __init__(self, source: Track, rate: int) -> None:
        self.source, self.channels, self.rate = source, source.channels, rate
        self.samples = -(-source.samples * rate // source.rate)

    def part(self, first: int, last: int) -> Tensor:
        """Read from whole seconds on: there both rates have a sample."""
        begins = max(int(first / self.rate - MARGIN), 0)
        ends = min(round((last / self.rate + MARGIN) * self.source.rate), self.source.samples)
        heard = self.source.part(begins * self.source.rate, ends)
        made = resample(heard, self.source.rate, self.rate)
        return made[:, first - begins * self.rate : last - begins * self.rate]


def levels_of(track: Track) -> tuple[float, float]:
    """(largest sample without its sign, mean of the channel that is farthest from the middle)."""
    peak, sums = 0.0, torch.zeros(track.channels, dtype=torch.float64)
    for block in track.blocks(track.rate):
        found = peak_of(block)
        peak = found if math.isnan(found) else max(peak, found)
        sums += block.sum(-1, dtype=torch.float64)
    return peak, max((sums / track.samples).tolist(), key=abs)


def resampled(track: Track, rate: int) -> Track:
    """The track at a rate: itself where it has that."""
    if track.rate == rate:
        return track
    if track.samples > SHORT * track.rate:
        return Resampled(track, rate)
    held = track.wave if isinstance(track, Held) else track.whole()
    return Held(resample(held, track.rate, rate), rate)


def even(pieces: Iterable[Tensor], size: int) -> Iterator[Tensor]:
    """Pieces (C, n) of any length as such of `size`, and a last one of what is left."""
    kept: list[Tensor] = []
    count = 0
    for piece in pieces:
        kept.append(piece)
        count += piece.shape[-1]
        if count < size:
            continue
        joined = torch.cat(kept, -1) if len(kept) > 1 else piece
        whole = count - count % size
        yield from joined[:, :whole].split(size, -1)
        kept, count = [joined[:, whole:]], count - whole
    if count:
        yield torch.cat(kept, -1)
