"""Edits of whole files, each task through the same door; the codec adds known noise.

Lengths and what is kept are tested with a stand-in for the model, then all with the tiny one.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from acestep_core.config import FRAME, SAMPLE_RATE, frames_of, seconds_of
from acestep_core.editing.edits import (
    Options,
    SourceClip,
    edit,
    extend,
    follow,
    inpaint,
    vary,
)
from acestep_core.pipeline import ACEStep
from acestep_core.settings import SettingError
from acestep_core.sound.tiles import Heard
from acestep_core.types import (
    Edit,
    Extend,
    Follow,
    Guidance,
    Latent,
    Recipe,
    Region,
    Retake,
    Sampling,
    TextToMusic,
)

from ..clip_kit import RATES, RECIPE, StubPipe, cases, check_kept, new_sound
from ..sound_kit import noise


@settings(max_examples=25, deadline=None)
@given(cases(), st.booleans(), st.sampled_from((0.0, 0.03, 5.0)))
def test_inpaint_leaves_the_rest_alone(
    case: tuple[SourceClip, list[Region]], match_level: bool, crossfade: float
) -> None:
    clip, regions = case
    options = Options(crossfade=crossfade, match_level=match_level)
    edited = inpaint(StubPipe(), clip, RECIPE, regions, 0.5, options)
    check_kept(edited, clip, regions)
    (report,) = edited.reports
    assert (report.steps_run, report.steps) == (10, 20)
    is_hot = any("nothing is cut" in note for note in report.notes)
    assert (report.levels[0].gain != 0) == (match_level or is_hot)
    assert "of the lyrics" in report.warnings


class LoudPipe(StubPipe):
    """What is new is far over full scale."""

    def decode(self, latent: Latent, rate: int, *, heard: Heard = None) -> Tensor:
        return 20 * super().decode(latent, rate)


@pytest.mark.parametrize("match_level", [True, False])
def test_only_what_is_new_is_brought_under_full_scale(match_level: bool) -> None:
    clip, regions = SourceClip(9 * noise(3), SAMPLE_RATE), [Region(1, 2)]
    clip = replace(clip, wave=clip.wave.clamp(-1, 1))
    options = Options(match_level=match_level)
    found = inpaint(LoudPipe(), clip, RECIPE, regions, 0.5, options)
    check_kept(found, clip, regions)
    longer = extend(LoudPipe(), clip, RECIPE, Extend(0.5, 0.5), options)
    for edited in (found, longer):
        assert float(edited.waves[0].abs().max()) <= 1
        assert all(level.gain < 0 for level in edited.reports[0].levels)
    new = vary(LoudPipe(), RECIPE)
    assert float(new.waves[0].abs().max()) <= 1
    assert "brought down by" in new.reports[0].notes[0]


@settings(max_examples=25, deadline=None)
@given(
    RATES,
    st.integers(1, 2),
    st.floats(0.1, 2.0),
    st.floats(0, 1.5),
    st.floats(0, 1.5),
    st.integers(1, 2),
)
def test_extended_lengths_are_exact_and_the_source_untouched(
    rate: int, channels: int, seconds: float, before: float, after: float, takes: int
) -> None:
    clip = SourceClip(noise(seconds, rate, channels), rate)
    if round(before * rate) + round(after * rate) == 0:
        return
    recipe = replace(RECIPE, seeds=tuple(range(takes)))
    edited = extend(StubPipe(), clip, recipe, Extend(before, after))
    first = round(before * rate)
    assert len(edited.waves) == takes
    for wave, report in zip(edited.waves, edited.reports, strict=True):
        assert wave.shape == (channels, first + clip.samples + round(after * rate))
        assert torch.equal(wave[:, first : first + clip.samples], clip.wave)
        assert report.change.outside == -math.inf
        new = torch.cat((wave[:, :first], wave[:, first + clip.samples :]), -1)
        assert new.abs().max() > 0
        assert sum(end - start for start, end in report.regions) == pytest.approx(
            new.shape[-1] / rate, abs=1e-6
        )


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_long_sources_are_extended_at_each_end(short_limit: float, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from((8000, 11_025, 44_101)))
    before, after = (data.draw(st.sampled_from((0.0, 0.4, 1.0))) for _ in range(2))
    if not before and not after:
        return
    clip = SourceClip(noise(data.draw(st.floats(6.1, 15)), rate, 1), rate)
    pipe, context = StubPipe(), data.draw(st.floats(1, 6))
    (wave,) = extend(pipe, clip, RECIPE, Extend(before, after, context)).waves
    first = round(before * rate)
    assert wave.shape == (1, first + clip.samples + round(after * rate))
    assert torch.equal(wave[:, first : first + clip.samples], clip.wave)
    assert len(pipe.tasks) == (before > 0) + (after > 0)
    assert all(source.latent.frames == frames_of(context) for source in pipe.sources)


def test_new_music_begins_where_the_source_ends(stub: StubPipe) -> None:
    """What follows is what was made for that very sample, whatever part of a frame is left over:
    the stub's new part is known, so it can be looked for."""
    for samples in (4096 * 5, 4096 * 5 + 1000, 4096 * 5 + 4000):
        clip = SourceClip(noise(1)[:, :samples], SAMPLE_RATE)
        options = Options(crossfade=0, match_level=False)
        (wave,) = extend(stub, clip, RECIPE, Extend(0, 0.5), options).waves
        expected = new_sound(frames_of(0.5) + 1, RECIPE.seeds[0] + 1)
        assert (wave[:, samples:] - expected[:, : wave.shape[-1] - samples]).abs().max() < 0.1
        (wave,) = extend(stub, clip, RECIPE, Extend(0.5, 0), options).waves
        expected = new_sound(frames_of(0.5) + 1, RECIPE.seeds[0])
        new = wave.shape[-1] - samples
        assert (wave[:, :new] - expected[:, expected.shape[-1] - new :]).abs().max() < 0.1


def test_extending_by_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="0 s before and 0 s after"):
        Extend(0, 0)


@pytest.mark.parametrize("seeds", [(1,), (1, 2)])
def test_variance_zero_is_the_source(stub: StubPipe, seeds: tuple[int, ...]) -> None:
    """REP-1: the original decodes pure noise."""
    clip = SourceClip(noise(1), SAMPLE_RATE)
    edited = inpaint(stub, clip, replace(RECIPE, seeds=seeds), [Region(0.2, 0.6)], 0.0)
    assert len(edited.waves) == len(seeds)
    assert all(torch.equal(wave, clip.wave) for wave in edited.waves)
    assert stub.tasks == []
    assert "Variance is 0" in edited.reports[0].text()
    assert edited.reports[0].steps_run == 0
    edited = follow(stub, clip, RECIPE, 1.0)
    assert torch.equal(edited.waves[0], clip.wave)


def test_a_small_variance_is_warned_about(stub: StubPipe) -> None:
    clip = SourceClip(noise(1), SAMPLE_RATE)
    report = inpaint(stub, clip, RECIPE, [Region(0.2, 0.6)], 0.05).reports[0]
    assert any("1 of 20 steps" in warning for warning in report.warnings)
    report = inpaint(stub, clip, RECIPE, [Region(0.2, 0.6)], 0.5).reports[0]
    assert not any("steps" in warning for warning in report.warnings)


@pytest.mark.parametrize("channels", [1, 2])
def test_edit_and_audio_to_audio_of_a_whole_clip(stub: StubPipe, channels: int) -> None:
    clip = SourceClip(noise(2.01, 48_000, channels), 48_000)
    known = replace(clip, tags="rock, guitar", lyrics="old words here")
    edited = edit(stub, known, replace(RECIPE, lyrics="new lines of song"), Edit(0.6, 1.0, 2))
    task = stub.tasks[-1]
    assert isinstance(task, Edit)
    assert (task.start, task.stop, task.average) == (0.6, 1.0, 2)
    assert stub.sources[-1].tags.text == "rock, guitar"
    assert stub.sources[-1].lyrics.text == "old words here"
    assert edited.waves[0].shape == clip.wave.shape
    assert edited.reports[0].change.outside is None
    assert any("100% of the words" in warning for warning in edited.reports[0].warnings)
    edited = follow(stub, clip, RECIPE, 0.3)
    task = stub.tasks[-1]
    assert isinstance(task, Follow)
    assert task.strength == 0.3
    assert edited.waves[0].shape == clip.wave.shape


def test_an_empty_target_stays_the_sources(stub: StubPipe) -> None:
    clip = SourceClip(noise(1), SAMPLE_RATE, None, "rock", "some words")
    edited = edit(stub, clip, replace(RECIPE, tags=""))
    assert (edited.recipe.tags, edited.recipe.lyrics) == ("rock", "some words")
    assert not any("words" in warning for warning in edited.reports[0].warnings)


@pytest.mark.parametrize(("start", "stop"), [(0.5, 0.4), (-0.1, 1), (0, 1.1), (math.nan, 1)])
def test_edits_of_no_such_steps_are_refused_before_any_work(start: float, stop: float) -> None:
    with pytest.raises(SettingError, match="Edit st"):
        Edit(start, stop)


def test_vary_needs_a_seed_and_no_sound(stub: StubPipe) -> None:
    recipe = replace(RECIPE, task=TextToMusic(2.0), seeds=(1, 2))
    edited = vary(stub, recipe, 0.3)
    assert stub.tasks == [Retake(2.0, 0.3)]
    assert edited.rate == 48_000
    assert len(edited.waves) == 2
    assert edited.waves[0].shape == (2, math.ceil(frames_of(2.0) * FRAME * 48_000 / 44_100))
    clip = SourceClip(noise(seconds_of(frames_of(2.0)), 48_000, 1), 48_000)
    edited = vary(stub, recipe, 0.3, clip)
    assert edited.waves[0].shape[0] == 1
    level = edited.reports[0].levels[0]
    assert level.after == pytest.approx(level.source, abs=0.01)
    with pytest.raises(SettingError, match="by its seed"):
        vary(stub, replace(RECIPE, task=Follow()))


def test_clamped_regions_and_missing_ones(stub: StubPipe) -> None:
    clip = SourceClip(noise(2), SAMPLE_RATE)
    report = inpaint(stub, clip, RECIPE, [Region(1, 30)]).reports[0]
    assert report.regions == ((1.0, 2.0),)
    assert any("30.00" in note for note in report.notes)
    with pytest.raises(SettingError, match="No region"):
        inpaint(stub, clip, RECIPE, [])
    with pytest.raises(SettingError, match="not before the end"):
        inpaint(stub, clip, RECIPE, [Region(2, 30)])


# --- the tiny model, through the same door --------------------------------------------------

TINY = Recipe("pop", "[inst]", sampling=Sampling(4), seeds=(3,), guidance=Guidance(interval=1))


@pytest.mark.parametrize("solver", ["euler", "heun", "pingpong"])
def test_a_real_inpaint(pipe: ACEStep, solver: str) -> None:
    clip, regions = SourceClip(noise(0.7, 48_000), 48_000), [Region(0.2, 0.5, feather=0.1)]
    recipe = replace(TINY, sampling=Sampling(4, solver), seeds=(3, 4))
    edited = inpaint(pipe, clip, recipe, regions)
    check_kept(edited, clip, regions)
    assert not torch.equal(*edited.waves)
    assert [report.steps_run for report in edited.reports] == [2, 2]
    assert edited.latent is not None
    if solver == "euler":
        again = inpaint(pipe, clip, recipe, regions)
        assert all(torch.equal(a, b) for a, b in zip(edited.waves, again.waves, strict=True))


def test_a_real_edit_and_audio_to_audio(pipe: ACEStep) -> None:
    clip = SourceClip(noise(0.8, channels=1), SAMPLE_RATE, None, "rock")
    region = (Region(0.3, 0.7),)
    for task in (Edit(regions=region), Edit(0.5, 1.0, 2, regions=region)):
        edited = edit(pipe, clip, TINY, task)
        check_kept(edited, clip, [Region(0.3, 0.7)])
        assert edited.reports[0].steps_run == (4 if task.start < 0.25 else 2)
    edited = follow(pipe, clip, TINY, 0.5)
    assert edited.waves[0].shape == clip.wave.shape
    assert (edited.reports[0].steps_run, edited.reports[0].steps) == (2, 4)


@pytest.mark.parametrize("samples", [20_000, 20_480])
def test_a_real_extension(pipe: ACEStep, samples: int) -> None:
    clip = SourceClip(noise(1)[:, :samples], SAMPLE_RATE)
    (wave,) = extend(pipe, clip, TINY, Extend(0.3, 0.5)).waves
    before = round(0.3 * SAMPLE_RATE)
    assert wave.shape == (2, before + samples + SAMPLE_RATE // 2)
    assert torch.equal(wave[:, before : before + samples], clip.wave)
    edited = extend(pipe, clip, replace(TINY, compat="original"), Extend(0, 0.5))
    assert edited.waves[0].shape[-1] == edited.latent.frames * FRAME


def test_a_real_clip_is_varied_and_edited_without_encoding(
    pipe: ACEStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(TINY, task=TextToMusic(0.7))
    edited = vary(pipe, recipe, 0.3)
    assert edited.recipe.retake_seeds
    monkeypatch.setattr(pipe, "encode", lambda *_: pytest.fail("encoded"))
    clip = SourceClip(edited.waves[0], edited.rate, edited.latent)
    inpainted = inpaint(pipe, clip, recipe, [Region(0.2, 0.5)])
    check_kept(inpainted, clip, [Region(0.2, 0.5)])
    assert inpainted.waves[0].shape == clip.wave.shape
