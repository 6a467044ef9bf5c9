"""What a page draws of a sound, made in one pass over a file of any length.

    blocks (C, n) -> Sketch -> peaks  (bins, 2) int8      least and most of 1/16 latent frame
                            -> levels (columns, 64) uint8 pitch, 1/4 latent frame, half decibels
                            -> rise   (n, 2) float32      onsets, and bass, 1/8 latent frame
    file -> overview (places, 2) int8: a glance at many places, found by seeking

All counts are of time, not of samples, so that a drawing fits the latent frames at any rate.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..config import FRAME, SAMPLE_RATE, VocoderConfig
from .mel import filterbank, hann_window

LATENT = FRAME / SAMPLE_RATE  # seconds
BIN, RISE, COLUMN = LATENT / 16, LATENT / 8, LATENT / 4  # seconds of one entry of each
BANDS = 64  # of pitch, from low to high
BASS = 8  # lowest bands of these, up to about 500 Hz
GROUP = 4  # entries of a level of zoom that become one of the next
WINDOW = 2048 / SAMPLE_RATE  # seconds that one spectrum hears
LOUDEST = 100.0  # brings a mel value of loud music near 0 dB
QUIETEST_DB = -120.0  # level 0; one more is half a decibel
FAINT_DB = -60.0  # below that a rise is noise
AT_ONCE = 1024  # spectra
PLACES = 480  # of an overview
PATIENCE = 0.6  # seconds that an overview may take


class Sketch:
    """Grows with every block of a sound of `rate` Hz; `close` reads what is left at its end."""

    def __init__(self, rate: int) -> None:
        self.rate, self.samples = rate, 0
        self._peaks: list[np.ndarray] = []
        self._levels: list[np.ndarray] = []
        self._rise: list[np.ndarray] = []
        self._size = max(2 * round(WINDOW * rate / 2), 32)
        highest = min(VocoderConfig.f_max, rate / 2)
        self._bank = filterbank(self._size, BANDS, VocoderConfig.f_min, highest, rate)
        self._edges = np.empty((2, 0), np.float32)  # least and most, from bin `bins` on
        self._bins = self._spectra = 0
        # Mono, from half a window before the first spectrum on.
        self._wave = torch.zeros(self._size // 2)
        self._begins = -(self._size // 2)
        self._before: Tensor | None = None  # the last spectrum in decibels (1, BANDS)
        self._odd: np.ndarray | None = None  # a spectrum that waits for the second of its column

    def add(self, wave: np.ndarray) -> None:
        """The next samples (C, n), from -1 to 1."""
        self.samples += wave.shape[1]
        edges = np.stack([wave.min(0), wave.max(0)]).astype(np.float32)
        self._edges = np.concatenate([self._edges, edges], 1)
        self._bin(int(self.samples / self.rate / BIN))
        self._wave = torch.cat([self._wave, torch.from_numpy(wave.mean(0, dtype=np.float32))])
        self._hear(self._begins + len(self._wave))

    def close(self) -> None:
        if self._edges.shape[1]:
            self._bin(self._bins + 1, to_the_end=True)
        self._wave = torch.cat([self._wave, torch.zeros(self._size)])
        self._hear(self.samples + self._size // 2)
        if self._odd is not None:
            self._levels.append(self._odd)

    @property
    def seconds(self) -> float:
        return self.samples / self.rate

    @property
    def peaks(self) -> np.ndarray:
        """(bins, 2) int8."""
        return _whole(self._peaks, (0, 2), np.int8)

    @property
    def levels(self) -> np.ndarray:
        """(columns, BANDS) uint8."""
        return _whole(self._levels, (0, BANDS), np.uint8)

    @property
    def rise(self) -> np.ndarray:
        """(n, 2) float32 in decibels: how much louder it gets, and how loud the bass is."""
        return _whole(self._rise, (0, 2), np.float32)

    def _bin(self, last: int, to_the_end: bool = False) -> None:
        """Bins up to `last`, from the samples that are held."""
        if last <= self._bins:
            return
        marks = np.arange(self._bins, last + 1) * BIN * self.rate
        places = np.rint(marks).astype(np.int64)
        first, ends = places[0], places[-1]
        if to_the_end:
            ends = first + self._edges.shape[1]
        starts = np.minimum(places[:-1] - first, ends - first - 1)
        held = self._edges[:, : ends - first]
        least = np.minimum.reduceat(held[0], starts)
        most = np.maximum.reduceat(held[1], starts)
        pair = np.stack([least, most], 1).clip(-1, 1)
        self._peaks.append(np.rint(pair * 127).astype(np.int8))
        self._edges = self._edges[:, ends - first :]
        self._bins = last

    def _hear(self, until: int) -> None:
        """Spectra whose windows end before sample `until`."""
        half = self._size // 2
        last = math.floor((until - half - 1) / self.rate / RISE - 0.5) + 1
        window = hann_window(self._size)
        for first in range(self._spectra, last, AT_ONCE):
            count = min(last - first, AT_ONCE)
            middles = np.rint((np.arange(first, first + count) + 0.5) * RISE * self.rate)
            starts = torch.from_numpy(middles.astype(np.int64) - half - self._begins)
            frames = self._wave[starts[:, None] + torch.arange(self._size)]
            heard = torch.fft.rfft(frames * window).abs() @ self._bank
            decibels = 20 * torch.log10((heard * (LOUDEST / self._size)).clamp(min=1e-9))
            self._note(decibels.clamp(min=QUIETEST_DB))
        if last > self._spectra:
            self._spectra = last
            keep = int((last + 0.5) * RISE * self.rate) - half - 2 - self._begins
            self._wave = self._wave[max(keep, 0) :]
            self._begins += max(keep, 0)

    def _note(self, decibels: Tensor) -> None:
        """Spectra (n, BANDS) in their order."""
        before = decibels[:1] if self._before is None else self._before
        audible = torch.cat([before, decibels]).clamp(min=FAINT_DB)
        more = audible.diff(dim=0).clamp(min=0).mean(1)
        bass = audible[1:, :BASS].mean(1) - FAINT_DB
        self._rise.append(torch.stack([more, bass], 1).numpy())
        self._before = decibels[-1:]
        level = ((decibels - QUIETEST_DB) * 2).round().clamp(0, 255).to(torch.uint8).numpy()
        if self._odd is not None:
            level = np.concatenate([self._odd, level])
        whole = len(level) // 2 * 2
        self._odd = level[whole:] if whole < len(level) else None
        if whole:
            self._levels.append(level[:whole].reshape(-1, 2, BANDS).max(1))


def _whole(pieces: list[np.ndarray], shape: tuple[int, int], kind: type) -> np.ndarray:
    """What a list of pieces holds by now; a reader in another thread sees all of it or less."""
    if len(pieces) > 1:
        joined = np.concatenate(list(pieces))
        return joined
    return pieces[0] if pieces else np.empty(shape, kind)


def coarser_peaks(peaks: np.ndarray, zoom: int) -> np.ndarray:
    """(bins, 2) of which GROUP ** zoom at a time have become one."""
    starts = np.arange(0, len(peaks), GROUP**zoom)
    if not zoom or not len(peaks):
        return peaks
    least = np.minimum.reduceat(peaks[:, 0], starts)
    return np.stack([least, np.maximum.reduceat(peaks[:, 1], starts)], 1)


def coarser_levels(levels: np.ndarray, zoom: int) -> np.ndarray:
    """(columns, BANDS) of which GROUP ** zoom at a time have become their loudest."""
    if not zoom or not len(levels):
        return levels
    return np.maximum.reduceat(levels, np.arange(0, len(levels), GROUP**zoom), axis=0)


def overview(path: str | Path, places: int = PLACES, patience: float = PATIENCE) -> np.ndarray:
    """(places, 2) int8 of a file, read here and there: least and most of one packet at each.

    Empty where the file's length is unknown or it cannot be sought in. Places that the time did
    not suffice for are as their neighbours.
    """
    import av
    from av.error import FFmpegError

    until = time.monotonic() + patience
    found = np.zeros((places, 2), np.int8)
    is_known = np.zeros(places, bool)
    try:
        with av.open(str(path)) as container:
            stream = container.streams.audio[0]
            length = container.duration or 0
            for place in _spread(places) if length else ():
                container.seek(int(length * (place + 0.5) / places))
                frame = next(container.decode(stream))
                wave = _as_float(frame.to_ndarray())
                found[place] = np.rint(np.clip([wave.min(), wave.max()], -1, 1) * 127)
                is_known[place] = True
                if time.monotonic() > until:
                    break
    except (FFmpegError, IndexError, StopIteration, ValueError, OSError):
        pass  # reading it whole says what is wrong with it
    if not is_known.any():
        return np.empty((0, 2), np.int8)
    known = np.flatnonzero(is_known)
    nearest = np.abs(np.arange(places)[:, None] - known).argmin(1)
    return found[known[nearest]]


def seconds_of(path: str | Path) -> float:
    """What a file says of its length; 0 where it says nothing."""
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as container:
            return (container.duration or 0) / 1e6
    except (FFmpegError, ValueError, OSError):
        return 0.0


def _spread(places: int) -> Sequence[int]:
    """All places, the first of them far from one another."""
    step, order = 1 << (places - 1).bit_length(), [0]
    while step > 1:
        step //= 2
        order += range(step, places, 2 * step)
    return order


def _as_float(samples: np.ndarray) -> np.ndarray:
    from .files import ZERO_AND_SCALE

    if samples.dtype.name not in ZERO_AND_SCALE:
        return samples
    zero, scale = ZERO_AND_SCALE[samples.dtype.name]
    return (samples.astype(np.float32) - zero) / scale
