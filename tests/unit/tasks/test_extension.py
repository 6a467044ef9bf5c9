"""Extend: lengths, what is kept, and time lines longer than the model's window."""

from __future__ import annotations

from itertools import count

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from acestep_core.config import FRAMES_PER_SECOND, MAX_FRAMES, frames_of
from acestep_core.sampling.noise import Noise
from acestep_core.sampling.schedule import Step
from acestep_core.settings import SettingError
from acestep_core.tasks.extension import (
    LEAST_CONTEXT,
    added_rounded,
    added_truncated,
    timeline_noise,
    windows_of,
)
from acestep_core.types import Extend, Source

from ..editing_kit import SAMPLING, kit, latents, source

frames = st.integers(0, 6000)


@given(
    before=frames, known=st.integers(1, 40_000), after=frames, context=st.integers(10, MAX_FRAMES)
)
@settings(max_examples=300, deadline=None)
def test_windows_fill_the_time_line_from_what_is_known(
    before: int, known: int, after: int, context: int
) -> None:
    low, high, total = before, before + known, before + known + after
    for window in windows_of(before, known, after, context):
        assert window.start <= window.low <= window.high <= window.end
        assert (window.low, window.high) == (max(low, window.start), min(high, window.end))
        assert 0 < window.end - window.start <= MAX_FRAMES
        assert window.start < high  # touches what is known, at least
        assert window.end > low
        kept = min(window.end, high) - max(window.start, low)
        if (window.start, window.end) != (0, total):
            assert kept <= context
        assert kept >= min(known, context, LEAST_CONTEXT)
        low, high = min(low, window.start), max(high, window.end)
    if before or after:
        assert (low, high) == (0, total)


@pytest.mark.parametrize(
    ("before", "after"), [(0, 1), (1, 0), (2, 1), (0.7, 5), (5, 0.7), (6, 6)], ids=str
)
@pytest.mark.parametrize("compat", ["corrected", "original"])
def test_the_source_is_kept_exactly_and_the_length_is_right(
    compat: str, before: float, after: float
) -> None:
    clip = source(40)
    made = latents(Extend(before, after), kit(compat), clip)
    task = Extend(before, after)
    left, right = kit(compat).behaviour.added_frames(task, Source(clip))
    assert made.shape[-1] == left + 40 + right
    assert torch.equal(made[..., left : left + 40], clip.z)
    for part in (made[..., :left], made[..., left + 40 :]):
        assert part.numel() == 0 or bool((part != 0).all())


def test_past_240_seconds_both_ways() -> None:
    clip = source(MAX_FRAMES - 5)
    made = latents(Extend(20, 40, context=30), kit(), clip)
    left, right = round(20 * FRAMES_PER_SECOND), round(40 * FRAMES_PER_SECOND)
    assert made.shape[-1] == left + MAX_FRAMES - 5 + right
    assert torch.equal(made[..., left:-right], clip.z)
    assert bool(torch.isfinite(made).all())
    assert bool((made[..., :left].std(dim=(0, 1, 2)) > 0).all())


def test_240_seconds_more_on_both_sides_of_a_short_clip() -> None:
    clip = source(20)
    made = latents(Extend(240, 240), kit(), clip)
    left = round(240 * FRAMES_PER_SECOND)
    assert made.shape[-1] == 2 * left + 20
    assert torch.equal(made[..., left : left + 20], clip.z)


@pytest.mark.parametrize(("before", "after"), [(240, 0), (0, 240)])
def test_what_one_pass_made_is_context_of_the_next(before: float, after: float) -> None:
    """Another model in the first pass alone is heard in what the second adds."""
    clip, task = source(20), Extend(before, after, context=30)
    left, right = added_rounded(task, Source(clip))
    windows = windows_of(left, 20, right, frames_of(30))
    assert len(windows) == 2
    second = windows[1]
    added = slice(second.start, second.low) if before else slice(second.high, second.end)

    def made(style: float) -> Tensor:
        calls = count()

        def predict(x: Tensor, step: Step, branches: int) -> list[Tensor]:
            towards = style if next(calls) < SAMPLING.steps else 1.0
            return [x + x.mean(-1, keepdim=True) - towards] * branches

        return latents(task, kit(predict=predict), clip)

    assert torch.equal(made(1.0), made(1.0))
    assert not torch.equal(made(1.0)[..., added], made(2.0)[..., added])
    assert torch.equal(made(2.0)[..., left : left + 20], clip.z)


def test_adding_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match="0 s before and 0 s after"):
        Extend(0, 0)
    with pytest.raises(SettingError, match=r"adds nothing.*0 s.*0\.01 s.*0\.093"):
        latents(Extend(0, 0.01), kit())


def test_counting_frames() -> None:
    clip = source(25)  # an encoded clip of 2.3 s: its end was rounded up
    known = Source(clip, seconds=2.3)
    assert added_rounded(Extend(1, 1), known) == (11, 11)
    assert added_truncated(Extend(1, 1), known) == (10, 10)


def test_noise_of_the_time_line_comes_from_two_seeds() -> None:
    noise = Noise((1,), (2,))
    whole = timeline_noise(noise.start(), 3, 10, 4)
    main, new = noise.start().main.draw(10), noise.start().retake.draw(10)
    assert torch.equal(whole, torch.cat((new[..., :3], main, new[..., -4:]), -1))
    assert timeline_noise(noise.start(), 12, 10, 15).shape[-1] == 37


def test_limits_name_themselves() -> None:
    with pytest.raises(SettingError, match=r"Extend after \(seconds\) is 241"):
        Extend(0, 241)
    assert frames_of(240) == MAX_FRAMES
