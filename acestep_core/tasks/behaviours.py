"""The parts that the two modes stand for: the one place where they differ."""

from __future__ import annotations

from ..sampling.loop import by_evaluation, by_step
from ..sampling.noise import (
    as_given,
    counted_seeds,
    mixed,
    mixed_single,
    never_equal,
    same_seed,
    step_noise_first,
    step_noise_item,
)
from ..sampling.schedule import chosen_sigmas, chosen_sigmas_shifted_again, lowered_sigmas, sigmas
from ..sampling.solve import mean_shift_batch, mean_shift_item
from ..settings import CORRECTED, ORIGINAL
from .extension import added_rounded, added_truncated
from .flow_edit import momentum_of_both, momentum_of_source
from .kit import Behaviour
from .plans import any_solver, hard_regions, never_retake, only_euler, retake_of_whole, soft_regions

BEHAVIOURS: dict[str, Behaviour] = {
    CORRECTED: Behaviour(
        rescale=mean_shift_item,
        step_noise=step_noise_item,
        window_index=by_step,
        chosen_sigmas=chosen_sigmas,
        lowered_sigmas=lowered_sigmas,
        seeds=counted_seeds,
        noise=never_equal,
        mix=mixed,
        regenerate=soft_regions,
        whole_is_retake=never_retake,
        held_solver=any_solver,
        added_frames=added_rounded,
        edit_rules=momentum_of_both,
        detector="corrected",
        items_in_turn=True,
        reuses_latents=True,
        works_in_windows=True,
        splices=True,
    ),
    ORIGINAL: Behaviour(
        rescale=mean_shift_batch,
        step_noise=step_noise_first,
        window_index=by_evaluation,
        chosen_sigmas=chosen_sigmas_shifted_again,
        lowered_sigmas=sigmas,
        seeds=same_seed,
        noise=as_given,
        mix=mixed_single,
        regenerate=hard_regions,
        whole_is_retake=retake_of_whole,
        held_solver=only_euler,
        added_frames=added_truncated,
        edit_rules=momentum_of_source,
        detector="original",
        items_in_turn=False,  # its batches share their noise
        reuses_latents=False,
        works_in_windows=False,
        splices=False,
    ),
}
