from __future__ import annotations

import pytest
import torch
from torch import Tensor

from acestep_core.batch.gates import Gates, is_finite, limits_of, sound_digest
from acestep_core.settings import SettingError
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
    assert Gates().failed(loudness, None, wave.shape[-1] / RATE, asked) == gates


@pytest.mark.parametrize(
    ("limits", "spread", "gates"),
    [
        (":", 50.0, []),
        ("3:20", 3.0, []),
        ("3:20", 2.9, ["loudness range"]),
        (":20", 20.1, ["loudness range"]),
        (":20", 0.0, []),
        ("3:", 99.0, []),
        ("3:", None, []),
    ],
)
def test_a_loudness_range_between_limits(
    limits: str, spread: float | None, gates: list[str]
) -> None:
    flattest, widest = limits_of(limits)
    usual = Gates(flattest=flattest, widest=widest)
    assert limits_of(usual.limits) == (flattest, widest)
    loudness = measured(samples(RATE, level=0.1), RATE)
    assert usual.failed(loudness, spread, 1.0, 1.0) == gates


@pytest.mark.parametrize("text", ["", "3", "20:3", "a:b", "-1:3", "3:3", "nan:"])
def test_limits_that_cannot_be(text: str) -> None:
    with pytest.raises(SettingError, match="LOW:HIGH in LU"):
        limits_of(text)


def test_equal_in_16_bits_is_equal() -> None:
    wave = samples(1000, level=0.1)
    assert sound_digest(wave) == sound_digest(wave + 1e-9)
    assert sound_digest(wave) != sound_digest(wave + 1e-3)
    assert is_finite(wave)
    assert not is_finite(wave / 0)
