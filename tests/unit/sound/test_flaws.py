"""Clicks, DC and what is no number are found; music and its loudest beats are not."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from acestep_core.sound import flaws
from acestep_core.sound.flaws import (
    LEAST_CLICK,
    NEAR,
    OVERLAP,
    Borders,
    flaw_of,
    is_click,
    listening,
    offset_of,
)

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


def test_a_tile_asks_its_device_once(monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[Tensor] = []
    monkeypatch.setattr(flaws, "asked", lambda found: questions.append(found) or found.tolist())
    wave = tone()
    assert flaw_of(-wave[:, 5_000:], wave[:, :5_000]) == "a click"
    assert len(questions) == 1


def met(wave: Tensor, broken: Tensor, *starts: int) -> list[str]:
    """What is told of tiles that begin there, the last of `broken` sound."""
    borders = Borders(RATE)
    with listening() as told:
        for first, last in zip((0, *starts), (*starts, wave.shape[-1]), strict=True):
            lead = OVERLAP if first else 0
            tile = (broken if (first,) == starts[-1:] else wave)[:, first - lead : last]
            borders.meet(first, tile, lead)
        borders.tell()
    return told


@pytest.mark.parametrize("broken", [-1.0, 0.0, 0.8])
def test_tiles_that_do_not_fit_are_told_with_their_place(broken: float) -> None:
    wave = tone(level=0.9)
    (told,) = met(wave, broken * wave, 3_000, 6_640)
    assert told.startswith("There may be a click at 0.15 s of what was decoded")


def test_a_beat_right_at_a_border_is_no_click() -> None:
    """However loud: both tiles have computed the samples before it."""
    wave = torch.cat((torch.zeros(2, 5_000), tone(level=0.9)), -1)
    wave[:, 5_000:] += 0.1
    assert is_click(wave, 5_000)
    assert met(wave, wave + LEAST_CLICK / 10, 2_000, 5_000) == []


def test_one_tile_has_no_border() -> None:
    assert met(tone(), tone()) == []


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
