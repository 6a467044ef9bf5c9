"""Named defaults, and the parts that "reference" and "corrected" stand for.

preset -> Sampling, Guidance          read by nodes, the command line and REST
compat -> Behaviour                   the one place where the two modes differ
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .sampling.loop import by_evaluation, by_step
from .sampling.noise import (
    as_given,
    counted_seeds,
    mixed,
    mixed_single,
    never_equal,
    same_seed,
    step_noise_first,
    step_noise_item,
)
from .sampling.schedule import (
    chosen_sigmas,
    chosen_sigmas_shifted_again,
    lowered_sigmas,
    sigmas,
)
from .sampling.solve import mean_shift_batch, mean_shift_item
from .tasks.extension import added_rounded, added_truncated
from .tasks.flow_edit import momentum_of_both, momentum_of_source
from .tasks.kit import Behaviour
from .tasks.plans import (
    any_solver,
    hard_regions,
    never_retake,
    only_euler,
    retake_of_whole,
    soft_regions,
)
from .types import Guidance, Sampling


@dataclass(frozen=True)
class Preset:
    sampling: Sampling
    guidance: Guidance
    about: str


_ORIGINAL = Preset(Sampling(), Guidance(), "The original project's settings, 60 steps.")

PRESETS: dict[str, Preset] = {
    "original": _ORIGINAL,
    "fast": replace(_ORIGINAL, sampling=Sampling(steps=27), about="The same in 27 steps."),
    "web": replace(
        _ORIGINAL, guidance=Guidance(erg_lyric=False), about="As on the original's web page."
    ),
    "fal": Preset(
        Sampling(steps=27),
        Guidance(text_scale=5.0, lyric_scale=1.5, erg_lyric=False),
        "As hosted services run it: 27 steps, tags and lyrics guided apart.",
    ),
}

# n_min and n_max of flow-edit: what a user calls them -> the share of the steps.
EDIT_MODES = {"remix": (0.2, 0.4), "lyrics": (0.6, 1.0)}

FEATHER = 0.5  # seconds; brings the steps at the edges down to the music's own (bench seams)

BEHAVIOURS: dict[str, Behaviour] = {
    "corrected": Behaviour(
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
    ),
    "reference": Behaviour(
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
    ),
}
