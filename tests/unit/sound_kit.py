"""Sound for tests: noise that is always the same, and tones."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

RATE = 44_100
OTHER_RATE = 32_000  # that is nobody's own


def samples(count: int, channels: int = 2, seed: int = 0, level: float = 0.1) -> Tensor:
    """Noise (channels, count), its level in root mean square."""
    generator = torch.Generator().manual_seed(seed)
    return level * torch.randn(channels, count, generator=generator)


def noise(
    seconds: float, rate: int = RATE, channels: int = 2, seed: int = 0, level: float = 0.1
) -> Tensor:
    return samples(round(seconds * rate), channels, seed, level)


def tone(
    hz: float, seconds: float, rate: int = RATE, level: float = 0.5, phase: float = 0.0
) -> Tensor:
    """A sine (1, N), its level that of the peaks."""
    time = torch.arange(round(seconds * rate)) / rate
    return level * torch.sin(2 * math.pi * hz * time + phase)[None]


def clip(
    seconds: float, channels: int = 2, clips: int = 1, rate: int = OTHER_RATE
) -> dict[str, Any]:
    """Noise as ComfyUI's AUDIO (clips, channels, N)."""
    wave = noise(seconds, rate, clips * channels)
    return {"waveform": wave.reshape(clips, channels, -1), "sample_rate": rate}
