"""Splices: bit-identical outside, constant power inside, nothing added at the joins."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from acestep_core.editing import splice as editing_splice
from acestep_core.editing.splice import (
    CROSSFADE,
    ORDER,
    as_source,
    continued,
    faded,
    likeness,
    patches,
    predictor,
    samples_of,
)
from acestep_core.sound.audio import resample, whole_frames
from acestep_core.sound.track import Held, Patched
from acestep_core.tasks.region import resolve
from acestep_core.types import Region
from tests.unit.sound_kit import samples, tone

RATES = st.sampled_from((8000, 11_025, 22_050, 44_100, 44_101, 48_000, 96_000))


def splice(
    source: Tensor, made: Tensor, regions: list[Region], rate: int, crossfade: float = CROSSFADE
) -> Tensor:
    """The source with the regions taken from what was made."""
    track = Held(source, rate)
    return Patched(track, patches(track, made, 0, regions, crossfade)).whole()


def join_extension(
    before: Tensor, source: Tensor, after: Tensor, rate: int, crossfade: float = CROSSFADE
) -> Tensor:
    return editing_splice.join_extension(before, Held(source, rate), after, crossfade).whole()


@st.composite
def spliced(draw: st.DrawFn) -> tuple[Tensor, Tensor, list[Region], int, float]:
    rate, channels = draw(RATES), draw(st.integers(1, 2))
    length = draw(st.integers(100, 20_000))
    seconds = length / rate
    regions = []
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.floats(0, seconds * 0.99))
        end = draw(st.floats(start + seconds * 0.005, seconds))
        regions.append(Region(start, end))
    crossfade = draw(st.sampled_from((0.0, 0.0005, 0.005, 0.03, 0.2, 10.0)))
    return samples(length, channels, 1), samples(length, channels, 2), regions, rate, crossfade


@settings(max_examples=60, deadline=None)
@given(spliced())
def test_outside_is_the_source_sample_for_sample(
    case: tuple[Tensor, Tensor, list[Region], int, float],
) -> None:
    source, made, regions, rate, crossfade = case
    result = splice(source, made, regions, rate, crossfade)
    assert result.shape == source.shape
    length = source.shape[-1]
    outside = torch.ones(length, dtype=torch.bool)
    for region in resolve(regions, length / rate):
        first, last = samples_of(region, rate, length)
        outside[first:last] = False
        edges = (first > 0) + (last < length)
        count = min(round(crossfade * rate), (last - first) // edges) if edges else 0
        inner = slice(first + count * (first > 0), last - count * (last < length))
        assert torch.equal(result[:, inner], made[:, inner])
        if count:  # faded samples belong to neither, but for the first and last of a long fade
            faded_in = slice(first, first + count) if first else slice(last - count, last)
            assert not torch.equal(result[:, faded_in], made[:, faded_in])
    assert torch.equal(result[:, outside], source[:, outside])


@settings(max_examples=60, deadline=None)
@given(spliced(), st.integers(0, 50), st.integers(0, 50))
def test_a_window_is_put_like_a_whole(
    case: tuple[Tensor, Tensor, list[Region], int, float], left: int, right: int
) -> None:
    source, made, regions, rate, crossfade = case
    length = source.shape[-1]
    found = resolve(regions, length / rate)
    first = max(samples_of(found[0], rate, length)[0] - left, 0)
    last = min(samples_of(found[-1], rate, length)[1] + right, length)
    track = Held(source, rate)
    found = patches(track, made[:, first:last], first, regions, crossfade)
    result = Patched(track, found).whole()
    assert torch.equal(result, splice(source, made, regions, rate, crossfade))


def test_a_region_of_the_whole_clip_is_what_was_made() -> None:
    source, made = samples(5000, 2, 1), samples(5000, 2, 2)
    assert torch.equal(splice(source, made, [Region(0, 10)], 44_100), made)


def test_fades_are_inside_and_keep_the_power() -> None:
    """Unlike waves and equal ones alike; an ordinary fade is 3 dB too loud for the latter."""
    unlike = [samples(200_000, 1, seed) for seed in (1, 2)]
    assert likeness(*unlike) < 0.02
    for leaving, entering in (unlike, (unlike[0], unlike[0])):
        result = faded(leaving, entering)
        level = result.unflatten(-1, (20, -1)).square().mean(-1).sqrt() / 0.1
        assert level.min() > 0.97
        assert level.max() < 1.03
    assert torch.allclose(faded(unlike[0], unlike[0]), unlike[0], atol=1e-6)
    opposed = faded(unlike[0], -unlike[0])
    assert opposed.abs().max() <= unlike[0].abs().max() * 1.001


def test_fade_of_silence_or_nothing() -> None:
    silence = torch.zeros(2, 100)
    assert faded(silence, silence).abs().max() == 0
    assert faded(silence[:, :0], silence[:, :0]).shape == (2, 0)
    assert torch.isfinite(faded(silence, samples(100, 2))).all()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 2), RATES, st.integers(0, 3000), st.integers(0, 3000), st.integers(1, 9000))
def test_an_extension_leaves_its_source(
    channels: int, rate: int, before: int, after: int, length: int
) -> None:
    source = samples(length, channels, 1)
    left, right = samples(before, channels, 2), samples(after, channels, 3)
    for crossfade in (0.0, 0.02, 0.05):
        result = join_extension(left, source, right, rate, crossfade)
        assert result.shape == (channels, before + length + after)
        assert torch.equal(result[:, before : before + length], source)
        count = round(crossfade * rate)
        plain = max(before - count, 0)
        assert torch.equal(result[:, :plain], left[:, :plain])
        if after > count:
            assert torch.equal(result[:, before + length + count :], right[:, count:])
        assert torch.isfinite(result).all()
        assert result.abs().max() < 2


@pytest.mark.parametrize("hz", [55, 220, 1000, 5000])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_join_goes_on_as_the_source_does(hz: float, side: str) -> None:
    """No step in value or slope, and no peak, wherever in its swing the source ends."""
    size = 4410
    for phase in (0.0, 1.0, math.pi / 2, 3.0, 4.0):
        source, new = (
            tone(hz, 1, level=0.3, phase=phase),
            tone(hz * 1.19, size / 44_100, level=0.3, phase=1.3),
        )
        empty = new[:, :0]
        parts = (new, source, empty) if side == "before" else (empty, source, new)
        result = join_extension(*parts, 44_100, 0.03)[0]
        at = size if side == "before" else len(source[0])
        near = result[at - 3 : at + 3]
        swing = 0.3 * 2 * math.pi * hz / 44_100  # largest step of the tone
        assert near.diff().abs().max() < 1.3 * swing
        assert near.diff().diff().abs().max() < 1.5 * swing * 2 * math.pi * hz / 44_100 + 1e-3
        assert result.abs().max() < 0.45
        # A fade from silence, or a hard cut, would be far from the tone's own next samples.
        step = -1 if side == "before" else 1
        ahead = torch.arange(1, 6) * step + (0 if side == "before" else len(source[0]) - 1)
        expected = 0.3 * torch.sin(2 * math.pi * hz * ahead / 44_100 + phase)
        place = at - 1 if side == "before" else at
        found = result[[place + step * index for index in range(5)]]
        assert (found - expected).abs().max() < 0.02


def test_noise_goes_on_as_loud_as_it_was() -> None:
    wave = samples(44_100, 1)[0]
    ahead = continued(wave, 2205, 44_100)
    assert ahead.shape == (2205,)
    assert float(ahead.square().mean().sqrt()) == pytest.approx(0.1, rel=0.25)
    assert likeness(ahead[None], wave[None, -2205:]) < 0.2  # not a repetition


def test_a_constant_and_silence_stay_what_they_are() -> None:
    level = torch.full((1000,), 0.25)
    assert torch.allclose(continued(level, 100, 44_100), level[:100], atol=1e-3)
    assert continued(torch.zeros(1000), 100, 44_100).abs().max() == 0
    weights = predictor(torch.zeros(100, dtype=torch.float64), ORDER)
    assert weights.abs().max() == 0


@settings(max_examples=60, deadline=None)
@given(RATES, st.integers(1, 2), st.integers(4096, 30_000))
def test_as_source_has_the_sources_rate_channels_and_length(
    rate: int, channels: int, length: int
) -> None:
    source = samples(length, channels)
    at_codec_rate = resample(source, rate, 44_100)
    decoded = whole_frames(at_codec_rate.expand(2, -1))
    result = as_source(decoded, channels, rate, length)
    assert result.shape == (channels, length)
    if rate == 44_100:
        assert torch.allclose(result, source, atol=1e-7)


def test_as_source_keeps_time() -> None:
    """A tone comes back where it was: no delay, no other pitch, at any rate."""
    for rate in (8000, 48_000, 96_000):
        source = tone(440, 1, rate, level=0.3)
        made = whole_frames(resample(source.expand(2, -1), rate, 44_100))
        result = as_source(made, 1, rate, rate)
        inner = slice(rate // 10, -rate // 10)
        assert (result - source)[:, inner].abs().max() < 2e-3


def test_a_made_clip_that_is_too_short_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError):
        as_source(samples(4096, 2), 2, 44_100, 5000)


def test_no_fade_is_over_full_scale_where_neither_side_is() -> None:
    loud = [(20 * samples(4410, 2, seed)).clamp(-1, 1) for seed in (1, 2)]
    angle = torch.linspace(0, math.pi / 2, 4410)
    assert float((angle.cos() * loud[0] + angle.sin() * loud[1]).abs().max()) > 1
    assert float(faded(loud[0], loud[1]).abs().max()) <= 1
    extended = join_extension(loud[0], loud[1], loud[0], 44_100)
    assert float(extended.abs().max()) <= 1
