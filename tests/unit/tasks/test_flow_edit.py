"""Flow-edit: what moves a clip, what leaves it alone, and how often the model is asked."""

from __future__ import annotations

import pytest
import torch

from acestep_core.sampling.loop import run
from acestep_core.settings import SettingError
from acestep_core.types import Edit, Sampling

from ..editing_kit import kit, latents, planned, source, velocity


def edit(start: float = 0.0, stop: float = 1.0, average: int = 1, extended: bool = False) -> Edit:
    return Edit(start, stop, average, extended)


def test_an_edit_to_the_same_words_changes_nothing_only_where_corrected() -> None:
    assert torch.equal(latents(edit(), kit("corrected")), source().z)
    drift = latents(edit(), kit("original")) - source().z
    assert drift.square().mean().sqrt() > 0.01


def test_other_words_change_the_clip_and_more_steps_change_it_more() -> None:
    def distance(start: float) -> torch.Tensor:
        made = latents(edit(start), kit(predict_source=velocity(0.2)))
        return (made - source().z).norm()

    assert distance(0.0) > distance(0.5) > 0
    assert distance(1.0) == 0  # every step skipped


def test_part_2_is_ordinary_sampling_under_the_target() -> None:
    halves = planned(edit(0.2, 0.5), kit()).stages
    assert [step.index for step in halves[0].steps] == [1, 2]
    assert [step.index for step in halves[1].steps] == [3, 4, 5]
    assert len(planned(edit(0.2, 1.0), kit()).stages) == 1


def test_averaging_uses_fresh_noise_each_time() -> None:
    single = latents(edit(average=1), kit(predict_source=velocity(0.2)))
    averaged = latents(edit(average=3), kit(predict_source=velocity(0.2)))
    assert not torch.equal(single, averaged)


def test_main_seeds_do_nothing_and_retake_seeds_everything() -> None:
    from acestep_core.sampling.noise import Noise

    def made(main: int, new: int) -> torch.Tensor:
        return latents(edit(0.2, 0.5), kit(noise=Noise((main,), (new,))))

    assert torch.equal(made(1, 5), made(2, 5))
    assert not torch.equal(made(1, 5), made(1, 6))


@pytest.mark.parametrize("compat", ["corrected", "original"])
def test_heun_means_euler_and_pingpong_keeps_part_1(compat: str) -> None:
    def made(solver: str, task: Edit) -> torch.Tensor:
        return latents(task, kit(compat, sampling=Sampling(6, solver)))

    assert torch.equal(made("euler", edit(0.2, 0.5)), made("heun", edit(0.2, 0.5)))
    assert torch.equal(made("euler", edit()), made("pingpong", edit()))
    assert not torch.equal(made("euler", edit(0.2, 0.5)), made("pingpong", edit(0.2, 0.5)))


def test_extended_edits_obey_the_solver() -> None:
    def made(solver: str) -> torch.Tensor:
        return latents(edit(0.2, 0.5, extended=True), kit(sampling=Sampling(6, solver)))

    assert not torch.equal(made("euler"), made("heun"))


def test_start_after_stop_is_refused() -> None:
    with pytest.raises(SettingError, match=r"n_max\) is 0\.4; it cannot be before the start, 0\.8"):
        edit(0.8, 0.4)


def test_every_look_at_the_model_is_counted() -> None:
    seen: list[int] = []
    watched = kit(see=lambda step, x, v: seen.append(step.index))
    made = planned(edit(0.2, 0.7, average=2), watched)
    run(made.stages, made.canvas)
    assert len(seen) == made.evaluations == 2 * 2 * 3 + 2
