"""Where tiles meet: no song of the small model clicks there, and one that is broken is told."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from acestep_core.config import FRAME, GRIFFIN_LIM, SAMPLE_RATE, VOCODER
from acestep_core.editing.edits import SourceClip, inpaint
from acestep_core.networks.memory import Resident
from acestep_core.pipeline import ACEStep
from acestep_core.sound import flaws
from acestep_core.sound.codec import Codec
from acestep_core.sound.flaws import LEAST_CLICK, listening
from acestep_core.sound.tiles import Tiles
from acestep_core.types import Latent, Recipe, Region, Sampling, TextToMusic
from acestep_core.weights.small import FOLDER, GUIDANCE

FRAMES = 12
STYLES = (
    "lofi, electric piano, medium tempo, 77 bpm",
    "rock, drums, electric guitar, fast, 150 bpm",
    "techno, drums, synthesizer, fast, 140 bpm",
)


@pytest.fixture(scope="module")
def small() -> ACEStep:
    return ACEStep.load(FOLDER)


@pytest.fixture(scope="module")
def songs(small: ACEStep) -> list[Latent]:
    """Sampled ones, and one with a beat at the start of every frame, at full level."""
    asked = Recipe(STYLES[0], "[inst]", TextToMusic(1.1), GUIDANCE, Sampling(8, granularity=0.0))
    found = [
        small.generate(replace(asked, tags=tags, seeds=(number,))).latent
        for number, tags in enumerate(STYLES)
    ]
    time = torch.arange(FRAMES * FRAME) % FRAME / SAMPLE_RATE
    beat = (-60 * time).exp() * (2 * math.pi * 700 * time).cos()
    return [*found, small.encode(torch.stack([beat, -beat]), SAMPLE_RATE)]


@pytest.fixture(autouse=True)
def gaps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """How far tiles differed, in all that is decoded."""
    found: list[float] = []
    asked = flaws.asked

    def listened(values: Tensor) -> list[float]:
        found.extend(asked(values))
        return asked(values)

    monkeypatch.setattr(flaws, "asked", listened)
    with torch.inference_mode():
        yield found


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tile=st.integers(2, FRAMES // 2), index=st.integers(0, len(STYLES)))
def test_no_false_alarm(
    small: ACEStep, songs: list[Latent], gaps: list[float], tile: int, index: int
) -> None:
    gaps.clear()
    with listening() as told:
        small.codec.decode(songs[index], Tiles(tile))
    assert told == []
    assert gaps, "no border was looked at"
    assert max(gaps) < LEAST_CLICK / 100


def test_griffin_lims_tiles_fit_as_well(
    small: ACEStep, songs: list[Latent], gaps: list[float]
) -> None:
    with listening() as told:
        replace(small.codec, sound=GRIFFIN_LIM).decode(songs[1], Tiles(6))
    assert told == []
    assert len(gaps) == 1
    assert gaps[0] < LEAST_CLICK / 10


class Stumbling(nn.Module):
    """A head one of whose tiles is wrong, as a faulty device makes it."""

    def __init__(self, head: nn.Module, wrong: int) -> None:
        super().__init__()
        self.head, self.left, self.reach, self.finest = head, wrong, head.reach, head.finest

    def forward(self, x: Tensor, between: Callable[[], None]) -> Tensor:
        self.left -= 1
        return self.head(x, between) + (0.1 if self.left == -1 else 0.0)


def stumbling(codec: Codec, wrong: int) -> Codec:
    network = nn.Module()
    network.backbone = codec.vocoder.module.backbone
    network.head = Stumbling(codec.vocoder.module.head, wrong)
    return replace(
        codec, vocoder=Resident(network, torch.float32, torch.device("cpu")), sound=VOCODER
    )


@pytest.mark.parametrize(("wrong", "places"), [(0, "0.37"), (1, "0.37, 0.74"), (2, "0.74")])
def test_a_tile_that_went_wrong_is_told(
    small: ACEStep, songs: list[Latent], wrong: int, places: str
) -> None:
    with listening() as told:
        stumbling(small.codec, wrong).decode(songs[-1], Tiles(4))
    assert told == [
        f"There may be a click at {places} s of what was decoded: two tiles do not fit there."
        " Decode again; where it stays, the device computes wrongly."
    ]


def test_nobody_listens_but_the_log(
    small: ACEStep, songs: list[Latent], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        stumbling(small.codec, 1).decode(songs[-1], Tiles(4))
    assert "There may be a click at" in caplog.text


def test_an_edit_reports_it(small: ACEStep, monkeypatch: pytest.MonkeyPatch) -> None:
    wave = 0.1 * torch.randn(2, SAMPLE_RATE, generator=torch.Generator().manual_seed(1))
    broken = stumbling(small.codec, 1)
    decode = Codec.decode
    monkeypatch.setattr(
        Codec, "decode", lambda _, latent, tiles, *more: decode(broken, latent, Tiles(4), *more)
    )
    recipe = Recipe(STYLES[0], "[inst]", guidance=GUIDANCE, sampling=Sampling(2, granularity=0.0))
    made = inpaint(small, SourceClip(wave, SAMPLE_RATE), recipe, [Region(0.1, 0.9)])
    assert any("There may be a click at" in said for said in made.reports[0].warnings)
