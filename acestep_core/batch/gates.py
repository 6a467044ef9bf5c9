"""Quality gates: what of a finished clip is not fit for a set of data, by name.

    wave (C, N), Loudness, length that was asked for -> gates it fails: silent, clipped, ...

A clip is never thrown away: its row says what is wrong, and whoever reads the set chooses.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import seconds_of
from ..sound.loudness import Loudness

SILENT, CLIPPED, QUIET_LOUD, LENGTH = "silent", "clipped", "loudness", "length"
NOT_FINITE, DUPLICATE = "not finite", "duplicate"
GATES = (NOT_FINITE, SILENT, CLIPPED, QUIET_LOUD, LENGTH, DUPLICATE)
FINE = 2**15  # what is equal in 16 bits sounds equal


@dataclass(frozen=True)
class Gates:
    """Where each gate stands."""

    quietest: float = -40.0  # LUFS
    loudest: float = -5.0
    frames: int = 2  # by which a clip may be longer or shorter than it was asked for

    def failed(self, loudness: Loudness, made: float, asked: float) -> list[str]:
        """Of a clip that lasts `made` seconds and was to last `asked`."""
        found = []
        if loudness.is_silent:
            found.append(SILENT)
        if loudness.clipped:
            found.append(CLIPPED)
        level = loudness.integrated
        is_far = level is not None and not self.quietest <= level <= self.loudest
        if is_far and not loudness.is_silent:
            found.append(QUIET_LOUD)
        if abs(made - asked) > seconds_of(self.frames):
            found.append(LENGTH)
        return found


def is_finite(wave: Tensor) -> bool:
    return bool(torch.isfinite(wave).all())


def sound_digest(wave: Tensor) -> str:
    """Of the samples of a wave (C, N), in 16 bits: equal for what sounds equal."""
    samples = (wave * FINE).round().clamp(-FINE, FINE - 1).to(torch.int16)
    return hashlib.sha256(samples.contiguous().numpy().tobytes()).hexdigest()
