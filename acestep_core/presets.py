"""Named defaults, and the parts that "reference" and "corrected" stand for.

preset -> Sampling, Guidance          read by nodes, the command line and REST
compat -> Behaviour                   the one place where the two modes differ
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .noise import counted_seeds, same_seed, step_noise_first, step_noise_item
from .sample import by_evaluation, by_step
from .schedule import chosen_sigmas, chosen_sigmas_shifted_again
from .solve import mean_shift_batch, mean_shift_item
from .tasks import Behaviour
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

BEHAVIOURS: dict[str, Behaviour] = {
    "corrected": Behaviour(
        rescale=mean_shift_item,
        step_noise=step_noise_item,
        window_index=by_step,
        chosen_sigmas=chosen_sigmas,
        seeds=counted_seeds,
    ),
    "reference": Behaviour(
        rescale=mean_shift_batch,
        step_noise=step_noise_first,
        window_index=by_evaluation,
        chosen_sigmas=chosen_sigmas_shifted_again,
        seeds=same_seed,
    ),
}
