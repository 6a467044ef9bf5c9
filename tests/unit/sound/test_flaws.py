"""Clicks, DC and what is no number are found; music and its loudest beats are not."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from acestep_core.sound.flaws import NEAR, flaw_of, is_click, offset_of

RATE = 44_100


def tone(hertz: float = 220.0, level: float = 0.5) -> Tensor:
    time = torch.arange(RATE // 4) / RATE
    return level * torch.stack([torch.sin(2 * math.pi * hertz * time + turn) for turn in (0, 1)])


@pytest.mark.parametrize("place", [NEAR, 3_000, 11_000])
@pytest.mark.parametrize("channel", [0, 1])
def test_a_step_is_a_click(place: int, channel: int) -> None:
    wave = tone()
    assert not is_click(wave, place)
    wave[channel, place:] += 0.3
    assert is_click(wave, place)
    assert not is_click(wave, place + 100)


def test_what_sounds_is_no_click() -> None:
    noise = torch.randn(2, RATE, generator=torch.Generator().manual_seed(1)) * 0.2
    assert not any(is_click(noise, place) for place in range(NEAR, RATE - NEAR, 97))
    beat = torch.cat((torch.zeros(2, 1_000), noise), -1)  # a drum that begins right there
    assert not is_click(beat, 1_000)
    quiet = tone(level=0.001)
    quiet[:, 3_000:] += 0.01  # too small to be heard
    assert not is_click(quiet, 3_000)


def test_at_the_very_ends_nothing_is_known() -> None:
    assert not any(is_click(tone()[:, :count], 1) for count in (1, 2, 3))
    assert not is_click(tone(), 0)


def test_flaws_by_name() -> None:
    wave = tone()
    first, second = wave[:, :5_000].clone(), wave[:, 5_000:].clone()
    assert flaw_of(first) == flaw_of(second, first) == ""
    assert flaw_of(second + 0.01, first) == ""
    shifted = second + torch.tensor([[0.0], [-0.2]])
    assert flaw_of(shifted) == "DC"
    assert offset_of(shifted) == pytest.approx(-0.2, abs=0.01)
    assert flaw_of(-second, first) == "a click"
    second[1, 7] = math.nan
    assert flaw_of(second, first) == "values that are not numbers"
