"""Edits of whole files, through a codec that returns its source plus known noise.

The transformer is not needed here: what is tested is that everything else stays as it was, and
that the task is given the right latents. Long sources are tested at low rates, and mostly
against a limit of seconds instead of minutes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from acestep_core import edit_job, editing
from acestep_core.audio import resample, stereo, whole_frames, without_round_trip_tail
from acestep_core.config import FRAME, FRAMES_PER_SECOND, SAMPLE_RATE, frames_of, seconds_of
from acestep_core.editing import (
    Edited,
    Flow,
    Growth,
    Options,
    SourceClip,
    audio_to_audio,
    edit,
    extend,
    inpaint,
    vary,
)
from acestep_core.pipeline import ACEStep, Made
from acestep_core.region import resolve
from acestep_core.sample import See
from acestep_core.schedule import Step
from acestep_core.splice import samples_of
from acestep_core.types import (
    AudioToAudio,
    Edit,
    Extend,
    Guidance,
    Latent,
    Lyrics,
    Recipe,
    Region,
    Repaint,
    Retake,
    Sampling,
    SettingError,
    Tags,
    Task,
    TextToMusic,
)

RATES = st.sampled_from((8000, 11_025, 44_100, 44_101, 48_000, 96_000))
RECIPE = Recipe("pop", sampling=Sampling(20), seeds=(5,))


@dataclass(frozen=True)
class Sounding(Latent):
    """Latents that remember their sound (B, 2, 4096 T) at 44.1 kHz."""

    wave: Tensor = field(default_factory=lambda: torch.zeros(0), repr=False)


def sounding(wave: Tensor) -> Sounding:
    return Sounding(torch.zeros(len(wave), 8, 16, wave.shape[-1] // FRAME), wave)


class StubPipe:
    """The codec adds noise at -40 dB; what is new is twice as loud as its source was."""

    def __init__(self) -> None:
        self.encoded: list[int] = []
        self.tasks: list[Task] = []

    def tags(self, text: str) -> Tags:
        return Tags(torch.zeros(1, 1, 768), torch.ones(1, 1), text=text)

    def lyrics(self, text: str, language: str, compat: str) -> Lyrics:
        return Lyrics(torch.zeros(1, 1, dtype=torch.int64), torch.zeros(1, 1), text=text)

    def encode(self, wave: Tensor, rate: int) -> Latent:
        wave = without_round_trip_tail(resample(stereo(wave), rate, SAMPLE_RATE))
        self.encoded.append(wave.shape[-1])
        return sounding(whole_frames(wave)[None])

    def decode(self, latent: Latent, rate: int) -> Tensor:
        assert isinstance(latent, Sounding)
        assert rate == SAMPLE_RATE
        generator = torch.Generator().manual_seed(99)
        return latent.wave + 0.01 * torch.randn(latent.wave.shape, generator=generator)

    def generate(self, recipe: Recipe, see: See) -> Made:
        self.tasks.append(recipe.task)
        waves = [self._made(recipe.task, seed) for seed in recipe.seeds]
        for index in range(recipe.sampling.steps - _first(recipe), recipe.sampling.steps):
            sigma = 1 - index / recipe.sampling.steps
            see(Step(index, recipe.sampling.steps, sigma, 0.0), waves[0], waves[0])
        lyrics = self.lyrics(recipe.lyrics, "auto", recipe.compat)
        return Made(sounding(torch.stack(waves)), recipe, lyrics, warnings=("of the lyrics",))

    def _made(self, task: Task, seed: int) -> Tensor:
        """(2, 4096 T)"""
        if isinstance(task, TextToMusic | Retake):
            return _new(frames_of(task.seconds), seed)
        assert isinstance(task.source, Sounding)
        wave = task.source.wave[0]
        if isinstance(task, Extend):
            before, after = (round(s * FRAMES_PER_SECOND) for s in (task.before, task.after))
            return torch.cat((_new(before, seed), wave, _new(after, seed + 1)), -1)
        if isinstance(task, Repaint):
            result = wave.clone()
            assert task.seconds is not None
            for region in resolve(task.regions, task.seconds):
                first, last = (round(end * SAMPLE_RATE) for end in (region.start, region.end))
                result[:, first:last] = _new(task.source.frames, seed)[:, first:last]
            return result
        return 0.5 * wave + _new(task.source.frames, seed)


def _new(frames: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.2 * torch.randn(2, frames * FRAME, generator=generator)


def _first(recipe: Recipe) -> int:
    task, steps = recipe.task, recipe.sampling.steps
    if isinstance(task, Repaint):
        return steps - int(steps * (1 - task.variance))
    return steps


def sound(seconds: float, rate: int = SAMPLE_RATE, channels: int = 2, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(channels, round(seconds * rate), generator=generator)


@pytest.fixture
def stub() -> StubPipe:
    return StubPipe()


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Six seconds take the place of 240."""
    for module in (edit_job, editing):
        monkeypatch.setattr(module, "MAX_SECONDS", 6.0)
    return 6.0


def outside_of(regions: list[Region], clip: SourceClip) -> Tensor:
    kept = torch.ones(clip.samples, dtype=torch.bool)
    for region in resolve(regions, clip.seconds):
        first, last = samples_of(region, clip.rate, clip.samples)
        kept[first:last] = False
    return kept


def check_kept(edited: Edited, clip: SourceClip, regions: list[Region]) -> None:
    kept = outside_of(regions, clip)
    assert edited.rate == clip.rate
    for wave, report in zip(edited.waves, edited.reports, strict=True):
        assert wave.shape == clip.wave.shape
        assert torch.equal(wave[:, kept], clip.wave[:, kept])
        assert report.change.outside == (-math.inf if kept.any() else None)
        assert not torch.equal(wave[:, ~kept], clip.wave[:, ~kept])


@st.composite
def cases(draw: st.DrawFn, longest: float = 1.0) -> tuple[SourceClip, list[Region]]:
    rate, channels = draw(RATES), draw(st.integers(1, 2))
    least = seconds_of(1) + 2 / rate
    clip = SourceClip(sound(draw(st.floats(least, longest)), rate, channels), rate)
    regions = []
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.floats(0, clip.seconds * 0.9))
        end = draw(st.floats(start + clip.seconds * 0.02, clip.seconds))
        feather = draw(st.sampled_from((0.0, 0.1, 1.0)))
        regions.append(Region(start, end, feather=feather))
    return clip, regions


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
    assert (report.levels[0].gain != 0) == match_level
    assert "of the lyrics" in report.warnings


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_long_sources_are_worked_on_in_windows(short_limit: float, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from((8000, 11_025, 44_101)))
    clip = SourceClip(sound(data.draw(st.floats(6.1, 20)), rate, 1), rate)
    regions = []
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.floats(0, clip.seconds - 0.1))
        end = data.draw(st.floats(start + 0.05, min(start + 2, clip.seconds)))
        regions.append(Region(start, end))
    for made in (
        inpaint(pipe := StubPipe(), clip, RECIPE, regions),
        edit(pipe, clip, RECIPE, Flow("rock"), regions),
    ):
        check_kept(made, clip, regions)
        assert made.latent is None
    assert all(length <= short_limit * SAMPLE_RATE + 8 for length in pipe.encoded)
    for task in pipe.tasks:
        if isinstance(task, Repaint):
            assert task.seconds is not None
            assert task.seconds <= short_limit + 1 / rate
            assert task.source.frames == -(-round(task.seconds * SAMPLE_RATE) // FRAME)


def test_five_minutes(stub: StubPipe) -> None:
    """The real limit: a window of 240 s around the regions, and 5 minutes come back."""
    rate, channels = 8000, 1
    clip = SourceClip(sound(300, rate, channels), rate)
    regions = [Region(200, 210), Region(30, 20, "end", "end")]
    edited = inpaint(stub, clip, RECIPE, regions)
    check_kept(edited, clip, regions)
    (task,) = stub.tasks
    assert isinstance(task, Repaint)
    assert task.seconds == 240
    assert [region.start for region in task.regions] == [pytest.approx(140), pytest.approx(210)]
    assert "60.00-300.00 s of 300.00 s" in edited.reports[0].text()
    grown = extend(stub, clip, RECIPE, Growth(0, 5, context=20))
    (wave,) = grown.waves
    assert wave.shape == (channels, 305 * rate)
    assert torch.equal(wave[:, : clip.samples], clip.wave)
    task = stub.tasks[-1]
    assert isinstance(task, Extend)
    assert task.source.frames == frames_of(20)


REFUSED = {
    "edit": lambda pipe, clip: edit(pipe, clip, RECIPE, Flow("rock")),
    "audio to audio": lambda pipe, clip: audio_to_audio(pipe, clip, RECIPE),
    "reference": lambda pipe, clip: inpaint(
        pipe, clip, replace(RECIPE, compat="reference"), [Region(0, 5)]
    ),
    "extend, reference": lambda pipe, clip: extend(
        pipe, clip, replace(RECIPE, compat="reference"), Growth()
    ),
    "extend without splice": lambda pipe, clip: extend(
        pipe, clip, RECIPE, Growth(), Options(splice=False)
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
    clip = SourceClip(sound(seconds, rate, channels), rate)
    if round(before * rate) + round(after * rate) == 0:
        return
    recipe = replace(RECIPE, seeds=tuple(range(takes)))
    edited = extend(StubPipe(), clip, recipe, Growth(before, after))
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
    clip = SourceClip(sound(data.draw(st.floats(6.1, 15)), rate, 1), rate)
    pipe, context = StubPipe(), data.draw(st.floats(1, 6))
    (wave,) = extend(pipe, clip, RECIPE, Growth(before, after, context)).waves
    first = round(before * rate)
    assert wave.shape == (1, first + clip.samples + round(after * rate))
    assert torch.equal(wave[:, first : first + clip.samples], clip.wave)
    assert len(pipe.tasks) == (before > 0) + (after > 0)
    assert all(task.source.frames == frames_of(context) for task in pipe.tasks)


def test_new_music_begins_where_the_source_ends(stub: StubPipe) -> None:
    """What follows is what was made for that very sample, whatever part of a frame is left over:
    the stub's new part is known, so it can be looked for."""
    for samples in (4096 * 5, 4096 * 5 + 1000, 4096 * 5 + 4000):
        clip = SourceClip(sound(1)[:, :samples], SAMPLE_RATE)
        options = Options(crossfade=0, match_level=False)
        (wave,) = extend(stub, clip, RECIPE, Growth(0, 0.5), options).waves
        expected = _new(frames_of(0.5) + 1, RECIPE.seeds[0] + 1)
        assert (wave[:, samples:] - expected[:, : wave.shape[-1] - samples]).abs().max() < 0.1
        (wave,) = extend(stub, clip, RECIPE, Growth(0.5, 0), options).waves
        expected = _new(frames_of(0.5) + 1, RECIPE.seeds[0])
        new = wave.shape[-1] - samples
        assert (wave[:, :new] - expected[:, expected.shape[-1] - new :]).abs().max() < 0.1


def test_extending_by_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="0 s before and 0 s after"):
        Growth(0, 0)


def test_takes_are_each_what_they_are_alone(stub: StubPipe) -> None:
    clip, regions = SourceClip(sound(2), SAMPLE_RATE), [Region(0.5, 1.5)]
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
    made = _new(frames, 3)
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
    grown = extend(stub, clip, RECIPE, Growth(0, 1.0))
    assert stub.encoded == []
    assert grown.latent is not None
    again = SourceClip(grown.waves[0], rate, grown.latent)
    inpaint(stub, again, RECIPE, [Region(2, 2.5)])
    assert stub.encoded == []


def test_latents_of_another_clip_are_noticed(stub: StubPipe) -> None:
    clip = SourceClip(sound(2), SAMPLE_RATE, sounding(_new(5, 3)[None]))
    edited = inpaint(stub, clip, RECIPE, [Region(0.5, 1.0)])
    assert len(stub.encoded) == 1
    assert "not of the same clip" in edited.reports[0].text()
    with pytest.raises(SettingError, match="2 clips"):
        SourceClip(sound(2), SAMPLE_RATE, sounding(torch.zeros(2, 2, FRAME)))


def test_without_splice_everything_is_what_was_decoded(stub: StubPipe) -> None:
    clip = SourceClip(sound(2, 48_000, 1), 48_000)
    edited = inpaint(stub, clip, RECIPE, [Region(0.5, 1)], 0.5, Options(splice=False))
    assert edited.waves[0].shape == clip.wave.shape
    assert -40 < edited.reports[0].change.outside < 0


def test_without_splice_windows_do_not_undo_each_other(stub: StubPipe, short_limit: float) -> None:
    """Windows overlap: what one made new must not be the next one's context."""
    clip, quiet = (
        SourceClip(0.01 * sound(12, 8000, 1), 8000),
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
    wave = sound(6)
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


def test_reference_mode_keeps_nothing_and_matches_nothing(stub: StubPipe) -> None:
    clip = SourceClip(sound(2.03), SAMPLE_RATE, sounding(_new(22, 3)[None]))
    recipe = replace(RECIPE, compat="reference")
    edited = inpaint(stub, clip, recipe, [Region(0.5, 1)])
    assert len(stub.encoded) == 1  # the original always encodes
    assert edited.reports[0].levels[0].gain == 0
    task = stub.tasks[-1]
    assert isinstance(task, Repaint)
    decoded = stub.decode(sounding(stub._made(task, 5)[None]), SAMPLE_RATE)[0]
    assert torch.equal(edited.waves[0], decoded[:, : clip.samples])
    grown = extend(stub, clip, recipe, Growth(0.3, 0.7))
    task = stub.tasks[-1]
    assert isinstance(task, Extend)
    assert (task.before, task.after, task.seconds) == (0.3, 0.7, clip.seconds)
    assert grown.waves[0].shape[-1] == grown.latent.frames * FRAME
    assert grown.reports[0].levels[0].gain == 0


@pytest.mark.parametrize("seeds", [(1,), (1, 2)])
def test_variance_zero_is_the_source(stub: StubPipe, seeds: tuple[int, ...]) -> None:
    """REP-1: the original decodes pure noise."""
    clip = SourceClip(sound(1), SAMPLE_RATE)
    edited = inpaint(stub, clip, replace(RECIPE, seeds=seeds), [Region(0.2, 0.6)], 0.0)
    assert len(edited.waves) == len(seeds)
    assert all(torch.equal(wave, clip.wave) for wave in edited.waves)
    assert stub.tasks == []
    assert "Variance is 0" in edited.reports[0].text()
    assert edited.reports[0].steps_run == 0
    edited = audio_to_audio(stub, clip, RECIPE, 1.0)
    assert torch.equal(edited.waves[0], clip.wave)


def test_a_small_variance_is_warned_about(stub: StubPipe) -> None:
    clip = SourceClip(sound(1), SAMPLE_RATE)
    report = inpaint(stub, clip, RECIPE, [Region(0.2, 0.6)], 0.05).reports[0]
    assert any("1 of 20 steps" in warning for warning in report.warnings)
    report = inpaint(stub, clip, RECIPE, [Region(0.2, 0.6)], 0.5).reports[0]
    assert not any("steps" in warning for warning in report.warnings)


def test_levels_are_matched_inside_only(stub: StubPipe) -> None:
    """The stub's new music is 6 dB louder than its source."""
    clip, region = SourceClip(sound(3), SAMPLE_RATE), [Region(1, 2)]
    for is_on in (True, False):
        edited = inpaint(stub, clip, RECIPE, region, 0.5, Options(match_level=is_on))
        check_kept(edited, clip, region)
        (level,) = edited.reports[0].levels
        assert level.before - level.source == pytest.approx(6.0, abs=0.2)
        inner = edited.waves[0][:, 48_000:84_000]
        loudness = 10 * math.log10(float(inner.square().mean()) / 0.01)
        assert loudness == pytest.approx(0.0 if is_on else 6.0, abs=0.3)


@pytest.mark.parametrize("channels", [1, 2])
def test_edit_and_audio_to_audio_of_a_whole_clip(stub: StubPipe, channels: int) -> None:
    clip = SourceClip(sound(2.01, 48_000, channels), 48_000)
    flow = Flow("rock, guitar", "old words here", 0.6, 1.0, 2)
    edited = edit(stub, clip, replace(RECIPE, lyrics="new lines of song"), flow)
    task = stub.tasks[-1]
    assert isinstance(task, Edit)
    assert (task.start, task.stop, task.average) == (0.6, 1.0, 2)
    assert task.source_tags.text == "rock, guitar"
    assert task.source_lyrics.text == "old words here"
    assert edited.waves[0].shape == clip.wave.shape
    assert edited.reports[0].change.outside is None
    assert any("100% of the words" in warning for warning in edited.reports[0].warnings)
    edited = audio_to_audio(stub, clip, RECIPE, 0.3)
    task = stub.tasks[-1]
    assert isinstance(task, AudioToAudio)
    assert task.strength == 0.3
    assert edited.waves[0].shape == clip.wave.shape


def test_an_empty_target_stays_the_sources(stub: StubPipe) -> None:
    clip = SourceClip(sound(1), SAMPLE_RATE)
    edited = edit(stub, clip, replace(RECIPE, tags=""), Flow("rock", "some words"))
    assert (edited.recipe.tags, edited.recipe.lyrics) == ("rock", "some words")
    assert not any("words" in warning for warning in edited.reports[0].warnings)


@pytest.mark.parametrize(("start", "stop"), [(0.5, 0.4), (-0.1, 1), (0, 1.1), (math.nan, 1)])
def test_edits_of_no_such_steps_are_refused_before_any_work(start: float, stop: float) -> None:
    with pytest.raises(SettingError, match="Edit st"):
        Flow("rock", "", start, stop)


def test_vary_needs_a_seed_and_no_sound(stub: StubPipe) -> None:
    recipe = replace(RECIPE, task=TextToMusic(2.0), seeds=(1, 2))
    edited = vary(stub, recipe, 0.3)
    assert stub.tasks == [Retake(2.0, 0.3)]
    assert edited.rate == 48_000
    assert len(edited.waves) == 2
    assert edited.waves[0].shape == (2, math.ceil(frames_of(2.0) * FRAME * 48_000 / 44_100))
    clip = SourceClip(sound(seconds_of(frames_of(2.0)), 48_000, 1), 48_000)
    edited = vary(stub, recipe, 0.3, clip)
    assert edited.waves[0].shape[0] == 1
    level = edited.reports[0].levels[0]
    assert level.after == pytest.approx(level.source, abs=0.01)
    with pytest.raises(SettingError, match="by its seed"):
        vary(stub, replace(RECIPE, task=AudioToAudio(sounding(_new(4, 1)[None]))))


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
    hot = SourceClip((20 * sound(2)).clamp(-1, 1), SAMPLE_RATE)
    edited = inpaint(stub, hot, RECIPE, [Region(0.5, 1)])
    check_kept(edited, hot, [Region(0.5, 1)])
    assert any("may be clipped" in warning for warning in edited.reports[0].warnings)
    assert edited.reports[0].levels[0].peak_after <= -1 + 1e-6


def test_clamped_regions_and_missing_ones(stub: StubPipe) -> None:
    clip = SourceClip(sound(2), SAMPLE_RATE)
    report = inpaint(stub, clip, RECIPE, [Region(1, 30)]).reports[0]
    assert report.regions == ((1.0, 2.0),)
    assert any("30.00" in note for note in report.notes)
    with pytest.raises(SettingError, match="No region"):
        inpaint(stub, clip, RECIPE, [])
    with pytest.raises(SettingError, match="not before the end"):
        inpaint(stub, clip, RECIPE, [Region(2, 30)])


def test_cancelling_stops_at_once(stub: StubPipe) -> None:
    class CancelledError(Exception):
        pass

    def cancel(step: Step, x: Tensor, velocity: Tensor) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        inpaint(stub, SourceClip(sound(1), SAMPLE_RATE), RECIPE, [Region(0.2, 0.6)], see=cancel)


# --- the tiny model, through the same door --------------------------------------------------

TINY = Recipe("pop", "[inst]", sampling=Sampling(4), seeds=(3,), guidance=Guidance(interval=1))


@pytest.mark.parametrize("solver", ["euler", "heun", "pingpong"])
def test_a_real_inpaint(pipe: ACEStep, solver: str) -> None:
    clip, regions = SourceClip(sound(0.7, 48_000), 48_000), [Region(0.2, 0.5, feather=0.1)]
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
    clip = SourceClip(sound(0.8, channels=1), SAMPLE_RATE)
    for flow in (Flow("rock"), Flow("rock", start=0.5, stop=1.0, average=2)):
        edited = edit(pipe, clip, TINY, flow, [Region(0.3, 0.7)])
        check_kept(edited, clip, [Region(0.3, 0.7)])
        assert edited.reports[0].steps_run == (4 if flow.start < 0.25 else 2)
    edited = audio_to_audio(pipe, clip, TINY, 0.5)
    assert edited.waves[0].shape == clip.wave.shape
    assert (edited.reports[0].steps_run, edited.reports[0].steps) == (2, 4)


@pytest.mark.parametrize("samples", [20_000, 20_480])
def test_a_real_extension(pipe: ACEStep, samples: int) -> None:
    clip = SourceClip(sound(1)[:, :samples], SAMPLE_RATE)
    (wave,) = extend(pipe, clip, TINY, Growth(0.3, 0.5)).waves
    before = round(0.3 * SAMPLE_RATE)
    assert wave.shape == (2, before + samples + SAMPLE_RATE // 2)
    assert torch.equal(wave[:, before : before + samples], clip.wave)
    edited = extend(pipe, clip, replace(TINY, compat="reference"), Growth(0, 0.5))
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
