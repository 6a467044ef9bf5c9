"""Retake, repaint and audio-to-audio on latents; every task alone and in a batch."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acestep_core.config import FRAMES_PER_SECOND, frames_of
from acestep_core.sampling.loop import run
from acestep_core.sampling.noise import Noise, derived
from acestep_core.sampling.schedule import shifted
from acestep_core.settings import SettingError
from acestep_core.tasks.plans import first_step
from acestep_core.types import (
    Edit,
    Extend,
    Follow,
    Inpaint,
    Lyrics,
    Region,
    Retake,
    Sampling,
    Tags,
    TextToMusic,
)

from ..editing_kit import kit, latents, planned, source, velocity

NO_TAGS, NO_LYRICS = Tags(torch.zeros(1, 1, 1), torch.ones(1, 1)), Lyrics(*[torch.zeros(1, 1)] * 2)
COMPATS = ("corrected", "original")


@pytest.mark.parametrize("compat", COMPATS)
def test_a_retake_of_variance_0_is_the_clip_itself(compat: str) -> None:
    clip = latents(TextToMusic(3), kit(compat))
    assert torch.equal(latents(Retake(3, 0.0), kit(compat)), clip)


def test_a_retake_of_variance_1_is_the_clip_of_the_retake_seed() -> None:
    other = kit(noise=Noise((101,), (5,)))
    torch.testing.assert_close(latents(Retake(3, 1.0), kit()), latents(TextToMusic(3), other))


def test_retakes_go_further_away_with_variance() -> None:
    clip = latents(TextToMusic(3), kit())
    distances = [(latents(Retake(3, v), kit()) - clip).norm() for v in (0.1, 0.3, 0.6, 1.0)]
    assert distances == sorted(distances)
    assert distances[0] > 0


def test_equal_seeds_would_make_the_noise_louder_and_are_told_apart() -> None:
    same = Noise((7,), (7,))
    loud = planned(Retake(30, 0.5), kit("original", noise=same)).stages[0].enter(torch.zeros(1))
    right = planned(Retake(30, 0.5), kit("corrected", noise=same)).stages[0].enter(torch.zeros(1))
    assert loud.std() == pytest.approx(2**0.5, rel=0.02)
    assert right.std() == pytest.approx(1.0, rel=0.02)
    assert kit("corrected").behaviour.noise(same).retake_seeds == (derived(7),)


@pytest.mark.parametrize("solver", ["euler", "heun", "pingpong"])
@pytest.mark.parametrize("compat", COMPATS)
def test_outside_a_region_the_source_is_kept_exactly(compat: str, solver: str) -> None:
    clip = source(40)
    task = Inpaint((Region(1.0, 2.0),), 0.8)
    made = latents(task, kit(compat, sampling=Sampling(6, solver)))
    changed = (made != clip.z).any(dim=2).any(dim=1)[0]
    first, last = int(1.0 * FRAMES_PER_SECOND), -int(-2.0 * FRAMES_PER_SECOND // 1)
    assert changed[first + 1 : last - 1].all()
    assert not changed[:first].any()
    assert not changed[last:].any()


def test_solvers_matter_in_a_repaint_only_where_corrected() -> None:
    task = Inpaint((Region(1.0, 2.0),), 0.8)

    def made(compat: str, solver: str) -> torch.Tensor:
        return latents(task, kit(compat, sampling=Sampling(6, solver)))

    assert torch.equal(made("original", "euler"), made("original", "heun"))
    assert not torch.equal(made("corrected", "euler"), made("corrected", "heun"))


@given(
    start=st.floats(0, 3),
    length=st.floats(0.05, 3),
    feather=st.floats(0, 4),
    steps=st.integers(2, 5),
)
@settings(max_examples=40, deadline=None)
def test_feathered_regions_change_the_inside_and_nothing_else(
    start: float, length: float, feather: float, steps: int
) -> None:
    clip = source(40)
    end = min(start + length, clip.seconds)
    task = Inpaint((Region(start, end, feather=feather),), 1.0)
    made = latents(task, kit(sampling=Sampling(steps)))
    changed = (made != clip.z).flatten(1, 2).any(1)[0].nonzero().flatten()
    assert len(changed) >= 1
    assert changed[0] >= int(start * FRAMES_PER_SECOND)
    assert changed[-1] <= end * FRAMES_PER_SECOND + 1e-6


def test_variance_says_where_a_repaint_begins() -> None:
    assert first_step(60, 0.2) == 48
    assert first_step(60, 0.01) == 59
    made = planned(Inpaint((Region(1, 2),), 0.5), kit())
    assert [step.index for step in made.stages[0].steps] == [3, 4, 5]
    assert {step.count for step in made.stages[0].steps} == {6}
    assert made.evaluations == 3


@pytest.mark.parametrize("compat", COMPATS)
def test_variance_0_returns_the_source(compat: str) -> None:
    clip = source()
    task = Inpaint((Region(1, 2),), 0.0)
    assert torch.equal(latents(task, kit(compat)), clip.z)
    assert planned(task, kit(compat)).evaluations == 0


def test_a_repaint_of_everything_keeps_the_source_only_where_corrected() -> None:
    clip = source()
    whole = Inpaint((Region(0, clip.seconds),), 0.3)
    assert torch.equal(
        latents(whole, kit("original")), latents(Retake(clip.seconds, 0.3), kit("original"))
    )
    kept = latents(whole, kit("corrected"))
    free = latents(Retake(clip.seconds, 0.3), kit("corrected"))
    assert (kept - clip.z).norm() < (free - clip.z).norm()


@pytest.mark.parametrize("compat", COMPATS)
def test_strength_1_is_the_reference_itself(compat: str) -> None:
    clip = source()
    assert torch.equal(latents(Follow(1.0), kit(compat)), clip.z)


def test_the_model_is_told_the_noise_there_is_only_where_corrected() -> None:
    task = Follow(0.5)
    mixture = shifted(0.5)
    told = {c: planned(task, kit(c)).stages[0].steps[0].sigma for c in COMPATS}
    assert told["corrected"] == pytest.approx(mixture)
    assert told["original"] == pytest.approx(0.9)


def test_a_strong_reference_still_takes_one_step() -> None:
    made = planned(Follow(0.99), kit())
    assert len(made.stages[0].steps) == 1
    assert made.stages[0].steps[0].sigma_next == 0


def test_chosen_steps_are_refused_with_a_reference() -> None:
    with pytest.raises(SettingError, match="Chosen steps"):
        planned(Follow(0.5), kit(sampling=Sampling(chosen=(1, 3, 6))))


@pytest.mark.parametrize(
    "task",
    [
        TextToMusic(2),
        Retake(2, 0.5),
        Follow(0.5),
        Inpaint((Region(1, 2, feather=0.3),), 0.7),
        Extend(0.5, 1.0),
        Edit(0.0, 0.5),
    ],
    ids=lambda task: type(task).__name__,
)
@pytest.mark.parametrize("solver", ["euler", "heun", "pingpong"])
def test_an_item_is_the_same_alone_and_in_a_batch(task: object, solver: str) -> None:
    def made(seeds: tuple[int, ...]) -> torch.Tensor:
        settings_ = {"sampling": Sampling(4, solver), "predict_source": velocity(0.5)}
        return latents(task, kit("corrected", seeds, **settings_))  # pyright: ignore

    batch = made((3, 4, 5))
    for index, seed in enumerate((3, 4, 5)):
        alone = made((seed,))
        assert (batch[index] - alone[0]).abs().max() <= 1e-5 * alone.abs().max()
    assert torch.equal(made((3, 4, 5)), batch)  # and again, bit for bit
    assert not torch.allclose(batch[0], batch[1])


def test_a_source_of_two_clips_does_not_fit_three_seeds() -> None:
    task = Inpaint((Region(1, 2),), 0.7)
    with pytest.raises(SettingError, match="2 clips, and 3"):
        latents(task, kit(seeds=(1, 2, 3)), source(items=2))


def test_the_plan_tells_how_often_the_model_is_asked() -> None:
    edit = Edit(0.2, 0.7, average=2)
    for task in (TextToMusic(2), Inpaint((Region(1, 2),), 0.7), Extend(), edit):
        for solver in ("euler", "heun", "pingpong"):
            seen: list[int] = []
            watched = replace(
                kit(sampling=Sampling(5, solver)), see=lambda step, x, v, s=seen: s.append(1)
            )
            made = planned(task, watched)
            run(made.stages, made.canvas)
            assert len(seen) == made.evaluations, (task, solver)


def test_frames_of_text_to_music() -> None:
    assert latents(TextToMusic(5), kit()).shape == (1, 8, 16, frames_of(5))
