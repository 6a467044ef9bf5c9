"""Quality gates: what of a finished clip is not fit for a set of data, by name.

    Loudness, loudness range, length that was asked for -> gates it fails: silent, clipped, ...

A clip is never thrown away: its row says what is wrong, and whoever reads the set chooses.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import seconds_of
from ..settings import SettingError
from ..sound.loudness import Loudness

SILENT, CLIPPED, QUIET_LOUD, SPREAD = "silent", "clipped", "loudness", "loudness range"
LENGTH, NOT_FINITE, DUPLICATE = "length", "not finite", "duplicate"
GATES = (NOT_FINITE, SILENT, CLIPPED, QUIET_LOUD, SPREAD, LENGTH, DUPLICATE)
FINE = 2**15  # what is equal in 16 bits sounds equal


@dataclass(frozen=True)
class Gates:
    """Where each gate stands."""

    quietest: float = -40.0  # LUFS
    loudest: float = -5.0
    flattest: float = 0.0  # LU of loudness range; what is too short to have one passes
    widest: float = math.inf
    frames: int = 2  # by which a clip may be longer or shorter than it was asked for

    @property
    def limits(self) -> str:
        """Those of the loudness range, as `limits_of` reads them."""
        return f"{self.flattest:g}:{self.widest:g}"

    def failed(
        self, loudness: Loudness, spread: float | None, made: float, asked: float
    ) -> list[str]:
        """Of a clip of a loudness range of `spread` LU that lasts `made` seconds and was to last
        `asked`."""
        found = []
        if loudness.is_silent:
            found.append(SILENT)
        if loudness.clipped:
            found.append(CLIPPED)
        level = loudness.integrated
        is_far = level is not None and not self.quietest <= level <= self.loudest
        if is_far and not loudness.is_silent:
            found.append(QUIET_LOUD)
        if spread is not None and not self.flattest <= spread <= self.widest:
            found.append(SPREAD)
        if abs(made - asked) > seconds_of(self.frames):
            found.append(LENGTH)
        return found


def limits_of(text: str) -> tuple[float, float]:
    """Limits of the loudness range as people write them: 3:20, 3: or :20."""
    low, colon, high = text.partition(":")
    try:
        found = float(low or 0), float(high or math.inf)
    except ValueError:
        found = (1.0, 0.0)
    if not colon or not 0 <= found[0] < found[1]:
        raise SettingError(
            f"--loudness-range is {text!r}; it must be LOW:HIGH in LU, such as 3:20, 3: or :20."
        )
    return found


def is_finite(wave: Tensor) -> bool:
    return bool(torch.isfinite(wave).all())


def sound_digest(wave: Tensor) -> str:
    """Of the samples of a wave (C, N), in 16 bits: equal for what sounds equal."""
    samples = (wave * FINE).round().clamp(-FINE, FINE - 1).to(torch.int16)
    return hashlib.sha256(samples.contiguous().numpy().tobytes()).hexdigest()
