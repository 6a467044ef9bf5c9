from __future__ import annotations

import pytest
import torch
from torch import Tensor

from acestep_core.batch.gates import Gates, is_finite, sound_digest
from acestep_core.sound.loudness import measured

from ..sound_kit import samples

RATE = 48_000


@pytest.mark.parametrize(
    ("wave", "asked", "gates"),
    [
        (samples(2 * RATE, level=0.1), 2.0, []),
        (samples(2 * RATE, level=0.1), 2.19, ["length"]),
        (samples(2 * RATE, level=0.1), 2.18, []),
        (torch.zeros(2, RATE), 1.0, ["silent"]),
        (samples(RATE, level=0.001), 1.0, ["loudness"]),
        (samples(RATE).sign() * 0.9, 1.0, ["loudness"]),
        (samples(RATE, level=3).clamp(-1, 1), 1.0, ["clipped", "loudness"]),
    ],
)
def test_what_is_not_fit_is_named(wave: Tensor, asked: float, gates: list[str]) -> None:
    loudness = measured(wave, RATE)
    assert Gates().failed(loudness, wave.shape[-1] / RATE, asked) == gates


def test_equal_in_16_bits_is_equal() -> None:
    wave = samples(1000, level=0.1)
    assert sound_digest(wave) == sound_digest(wave + 1e-9)
    assert sound_digest(wave) != sound_digest(wave + 1e-3)
    assert is_finite(wave)
    assert not is_finite(wave / 0)
