"""What every edit keeps: the rest of the clip, its length, its own latents, its level.

Long sources are tested at low rates, and mostly against a limit of seconds instead of minutes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from acestep_core.config import FRAME, SAMPLE_RATE, frames_of
from acestep_core.editing.edits import (
    Options,
    SourceClip,
    edit,
    extend,
    follow,
    inpaint,
)
from acestep_core.sampling.schedule import Step
from acestep_core.settings import SettingError
from acestep_core.sound.audio import resample
from acestep_core.sound.files import InFile, read_audio, write_audio
from acestep_core.types import Edit, Extend, Inpaint, Latent, Region

from ..clip_kit import RECIPE, StubPipe, check_kept, new_sound, sounding
from ..sound_kit import noise


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_long_sources_are_worked_on_in_windows(short_limit: float, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from((8000, 11_025, 44_101)))
    clip = SourceClip(noise(data.draw(st.floats(6.1, 20)), rate, 1), rate)
    regions = []
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.floats(0, clip.seconds - 0.1))
        end = data.draw(st.floats(start + 0.05, min(start + 2, clip.seconds)))
        regions.append(Region(start, end))
    for made in (
        inpaint(pipe := StubPipe(), clip, RECIPE, regions),
        edit(pipe, replace(clip, tags="rock"), RECIPE, Edit(regions=tuple(regions))),
    ):
        check_kept(made, clip, regions)
        assert made.latent is None
    assert all(length <= short_limit * SAMPLE_RATE + 8 for length in pipe.encoded)
    for source in pipe.sources:
        assert source.length <= short_limit + 1 / rate
        assert source.latent.frames == -(-round(source.length * SAMPLE_RATE) // FRAME)


def test_five_minutes(stub: StubPipe) -> None:
    """The real limit: a window of 240 s around the regions, and 5 minutes come back."""
    rate, channels = 8000, 1
    clip = SourceClip(noise(300, rate, channels), rate)
    regions = [Region(200, 210), Region(30, 20, "end", "end")]
    edited = inpaint(stub, clip, RECIPE, regions)
    check_kept(edited, clip, regions)
    (task,) = stub.tasks
    assert isinstance(task, Inpaint)
    assert stub.sources[0].length == 240
    assert [region.start for region in task.regions] == [pytest.approx(140), pytest.approx(210)]
    assert "60.00-300.00 s of 300.00 s" in edited.reports[0].text()
    grown = extend(stub, clip, RECIPE, Extend(0, 5, context=20))
    (wave,) = grown.waves
    assert wave.shape == (channels, 305 * rate)
    assert torch.equal(wave[:, : clip.samples], clip.wave)
    task = stub.tasks[-1]
    assert isinstance(task, Extend)
    assert stub.sources[-1].latent.frames == frames_of(20)


REFUSED = {
    "edit": lambda pipe, clip: edit(pipe, replace(clip, tags="rock"), RECIPE),
    "audio to audio": lambda pipe, clip: follow(pipe, clip, RECIPE),
    "original": lambda pipe, clip: inpaint(
        pipe, clip, replace(RECIPE, compat="original"), [Region(0, 5)]
    ),
    "extend, reference": lambda pipe, clip: extend(
        pipe, clip, replace(RECIPE, compat="original"), Extend()
    ),
    "extend without splice": lambda pipe, clip: extend(
        pipe, clip, RECIPE, Extend(), Options(splice=False)
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_in_windows_is_refused_with_numbers(stub: StubPipe, what: str) -> None:
    clip = SourceClip(torch.zeros(1, 8000 * 300), 8000)
    with pytest.raises(SettingError, match=r"300\.0 s; at most 240 s.*\.$"):
        REFUSED[what](stub, clip)
    assert stub.encoded == []


def test_a_region_longer_than_a_window_is_refused(stub: StubPipe) -> None:
    clip = SourceClip(torch.zeros(1, 8000 * 300), 8000)
    with pytest.raises(SettingError, match=r"lasts 260\.00 s; at most 240 s"):
        inpaint(stub, clip, RECIPE, [Region(10, 270)])


def test_nothing_longer_than_an_hour() -> None:
    SourceClip(torch.zeros(1, 3_600_00), 100)
    with pytest.raises(SettingError, match="3600"):
        SourceClip(torch.zeros(1, 3_600_01), 100)


def test_takes_are_each_what_they_are_alone(stub: StubPipe) -> None:
    clip, regions = SourceClip(noise(2), SAMPLE_RATE), [Region(0.5, 1.5)]
    together = inpaint(stub, clip, replace(RECIPE, seeds=(5, 6, 7)), regions)
    assert [report.seed for report in together.reports] == [5, 6, 7]
    for seed, wave in zip((5, 6, 7), together.waves, strict=True):
        alone = inpaint(stub, clip, replace(RECIPE, seeds=(seed,)), regions)
        assert (alone.waves[0] - wave).abs().max() < 0.1  # but for the stub's codec noise
    assert not torch.equal(together.waves[0], together.waves[1])


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_projects_own_latents_are_used_and_do_not_grow(stub: StubPipe, rate: int) -> None:
    """ENC-1: pass after pass, a clip keeps its length and is never encoded."""
    frames = 20
    made = new_sound(frames, 3)
    wave, latent = resample(made, SAMPLE_RATE, rate), sounding(made[None])
    clip = SourceClip(wave, rate, latent)
    for _ in range(3):
        edited = inpaint(stub, clip, RECIPE, [Region(0.5, 1.0)])
        assert stub.encoded == []
        assert edited.latent is not None
        assert edited.latent.frames == frames
        assert edited.waves[0].shape == wave.shape
        assert "nothing was encoded again" in edited.reports[0].text()
        clip = SourceClip(edited.waves[0], rate, edited.latent)
    grown = extend(stub, clip, RECIPE, Extend(0, 1.0))
    assert stub.encoded == []
    assert grown.latent is not None
    again = SourceClip(grown.waves[0], rate, grown.latent)
    inpaint(stub, again, RECIPE, [Region(2, 2.5)])
    assert stub.encoded == []


def test_latents_of_another_clip_are_noticed(stub: StubPipe) -> None:
    clip = SourceClip(noise(2), SAMPLE_RATE, sounding(new_sound(5, 3)[None]))
    edited = inpaint(stub, clip, RECIPE, [Region(0.5, 1.0)])
    assert len(stub.encoded) == 1
    assert "not of the same clip" in edited.reports[0].text()
    with pytest.raises(SettingError, match="2 clips"):
        SourceClip(noise(2), SAMPLE_RATE, sounding(torch.zeros(2, 2, FRAME)))


def test_without_splice_everything_is_what_was_decoded(stub: StubPipe) -> None:
    clip = SourceClip(noise(2, 48_000, 1), 48_000)
    edited = inpaint(stub, clip, RECIPE, [Region(0.5, 1)], 0.5, Options(splice=False))
    assert edited.waves[0].shape == clip.wave.shape
    assert -40 < edited.reports[0].change.outside < 0


def test_without_splice_windows_do_not_undo_each_other(stub: StubPipe, short_limit: float) -> None:
    """Windows overlap: what one made new must not be the next one's context."""
    clip, quiet = (
        SourceClip(0.01 * noise(12, 8000, 1), 8000),
        Options(match_level=False, splice=False),
    )
    regions = [Region(4, 5), Region(6.5, 7.5), Region(9, 10)]
    (wave,) = inpaint(stub, clip, RECIPE, regions, 0.5, quiet).waves
    assert len(stub.tasks) == 3
    for region in regions:  # the stub's new music is far louder than this source
        part = wave[:, round(region.start * 8000) : round(region.end * 8000)]
        assert float(part.square().mean().sqrt()) > 0.05
    assert float(wave[:, 5 * 8000 + 500 : 6 * 8000].square().mean().sqrt()) < 0.03


def test_a_quiet_passage_stays_quiet(stub: StubPipe) -> None:
    """Matched with the whole song's loudness it would step up at both edges."""
    wave = noise(6, seed=1)
    wave[:, 2 * SAMPLE_RATE : 5 * SAMPLE_RATE] *= 0.2  # -14 dB
    clip = SourceClip(wave, SAMPLE_RATE)
    (level,) = inpaint(stub, clip, RECIPE, [Region(3, 4)]).reports[0].levels
    assert level.after == pytest.approx(level.source, abs=8.1)  # -12 dB is the most
    assert level.gain == -12
    wave[:, 2 * SAMPLE_RATE : 5 * SAMPLE_RATE] *= 0.01  # a gap is no passage
    (level,) = (
        inpaint(stub, SourceClip(wave, SAMPLE_RATE), RECIPE, [Region(3, 4)]).reports[0].levels
    )
    assert level.gain == pytest.approx(-6, abs=0.5)


def test_original_mode_keeps_nothing_and_matches_nothing(stub: StubPipe) -> None:
    clip = SourceClip(noise(2.03), SAMPLE_RATE, sounding(new_sound(22, 3)[None]))
    recipe = replace(RECIPE, compat="original")
    edited = inpaint(stub, clip, recipe, [Region(0.5, 1)])
    assert len(stub.encoded) == 1  # the original always encodes
    assert edited.reports[0].levels[0].gain == 0
    task = stub.tasks[-1]
    assert isinstance(task, Inpaint)
    decoded = stub.decode(sounding(stub.made(task, 5, stub.sources[-1])[None]), SAMPLE_RATE)[0]
    assert torch.equal(edited.waves[0], decoded[:, : clip.samples])
    grown = extend(stub, clip, recipe, Extend(0.3, 0.7))
    task = stub.tasks[-1]
    assert isinstance(task, Extend)
    assert (task.before, task.after) == (0.3, 0.7)
    assert stub.sources[-1].length == clip.seconds
    assert grown.waves[0].shape[-1] == grown.latent.frames * FRAME
    assert grown.reports[0].levels[0].gain == 0


def test_levels_are_matched_inside_only(stub: StubPipe) -> None:
    """The stub's new music is 6 dB louder than its source."""
    clip, region = SourceClip(noise(3), SAMPLE_RATE), [Region(1, 2)]
    for is_on in (True, False):
        edited = inpaint(stub, clip, RECIPE, region, 0.5, Options(match_level=is_on))
        check_kept(edited, clip, region)
        (level,) = edited.reports[0].levels
        assert level.before - level.source == pytest.approx(6.0, abs=0.2)
        inner = edited.waves[0][:, 48_000:84_000]
        loudness = 10 * math.log10(float(inner.square().mean()) / 0.01)
        assert loudness == pytest.approx(0.0 if is_on else 6.0, abs=0.3)


@pytest.mark.parametrize(
    ("wave", "words"),
    [
        (torch.zeros(6, 44_100), r"\(6, 44100\)"),
        (torch.zeros(2, 4095), "Source length"),
        (torch.zeros(2, 0), "at least one sample"),
        (torch.zeros(1, 2, 44_100), "one clip"),
        (torch.full((2, 44_100), math.nan), "NaN"),
        (torch.zeros(2, 44_100, dtype=torch.int16), "floating-point"),
    ],
)
def test_sources_that_cannot_be_used(wave: Tensor, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        SourceClip(wave, 44_100)


def test_silence_and_a_hot_source_are_reported(stub: StubPipe) -> None:
    silent = SourceClip(torch.zeros(2, 2 * SAMPLE_RATE), SAMPLE_RATE)
    report = inpaint(stub, silent, RECIPE, [Region(0.5, 1)]).reports[0]
    assert any("source is silent" in note for note in report.notes)
    assert report.change.outside == -math.inf
    hot = SourceClip((20 * noise(2)).clamp(-1, 1), SAMPLE_RATE)
    edited = inpaint(stub, hot, RECIPE, [Region(0.5, 1)])
    check_kept(edited, hot, [Region(0.5, 1)])
    assert any("may be clipped" in warning for warning in edited.reports[0].warnings)
    assert edited.reports[0].levels[0].peak_after <= -1 + 1e-6


def test_cancelling_stops_at_once(stub: StubPipe) -> None:
    class CancelledError(Exception):
        pass

    def cancel(step: Step, x: Tensor, velocity: Tensor) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        inpaint(stub, SourceClip(noise(1), SAMPLE_RATE), RECIPE, [Region(0.2, 0.6)], see=cancel)


def test_an_hour_can_be_made_longer(stub: StubPipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is new lies beyond the longest source: it was refused when all was sampled."""
    rate = 100
    wave = torch.zeros(1, 1).expand(1, 3600 * rate)
    monkeypatch.setattr(stub, "encode", lambda wave, rate: sounding(torch.zeros(1, 2, 2584 * 4096)))
    grown = extend(stub, SourceClip(wave, rate), RECIPE, Extend(0, 2.0))
    assert grown.tracks[0].samples == 3602 * rate
    assert grown.reports[0].regions == ((3600.0, 3602.0),)


def test_a_file_is_edited_as_its_sound_is(stub: StubPipe, tmp_path: Path) -> None:
    """To the last bit, reports and all, and only what is new is asked of the decoder."""
    path = write_audio(tmp_path / "a.wav", 0.1 * torch.randn(2, 10 * 44_100), 44_100).path
    wave, rate = read_audio(path)
    asked: list[object] = []
    decode = stub.decode

    def decoding(latent: Latent, rate: int, *, heard: object = None) -> Tensor:
        asked.append(heard)
        return decode(latent, rate)

    stub.decode = decoding  # pyright: ignore[reportAttributeAccessIssue]
    regions = [Region(2, 3), Region(7, 10)]
    from_file, from_wave = (
        inpaint(stub, SourceClip(source, rate), RECIPE, regions) for source in (InFile(path), wave)
    )
    assert torch.equal(from_file.waves[0], from_wave.waves[0])
    assert from_file.reports == from_wave.reports
    assert asked[0] == asked[1] == [(20, 34), (74, 109)]
    longer, other = (
        extend(stub, SourceClip(source, rate), RECIPE, Extend(1.0, 1.5))
        for source in (InFile(path), wave)
    )
    assert torch.equal(longer.waves[0], other.waves[0])
    assert longer.reports == other.reports
