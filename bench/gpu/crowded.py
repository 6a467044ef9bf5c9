"""A card with too little room: the run must go on with guidance branches in turn.

peaks batched and in turn -> a limit between them -> the same run -> the smaller path's latent
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from acestep_core.networks.memory import is_out_of_memory
from acestep_core.types import Recipe
from acestep_core.weights.model import Model

from .card import Card
from .parts import Found, Skip, Trial, said
from .song import Given, conditions, recipe_of, sampled
from .step import ALWAYS
from .trained import distance

STEPS = 2
# Where the limit lies between the two peaks; the allocator's blocks blur both.
PLACES = (0.5, 0.7, 0.85, 0.3)
LIKE = 0.05  # of the largest value: both runs compute the same in 16 bits


def crowded(trial: Trial) -> Found:
    if not trial.card.is_cuda:
        raise Skip("too little memory: no limit can be set for a processor")
    found, model = Found(), trial.made()
    trial.needs(trial.song or 0.0, "a run with too little memory")
    given = conditions(trial, model)
    recipe = recipe_of(max(*trial.sizes.lengths, trial.sizes.seconds), STEPS, ALWAYS)
    batched, _ = peak_of(trial, model, given, recipe, True)
    in_turn, plain = peak_of(trial, model, given, recipe, False)
    for place in PLACES:
        limit = int(in_turn + place * (batched - in_turn))
        try:
            with limited(trial.card, limit), said() as told:
                latent, _ = sampled(trial, model, given, recipe)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            continue  # too little for the smaller path as well
        if told:
            error = distance(latent.z, plain)
            found.lines.append(
                f"with {limit / 1e9:.2f} GB (batched {batched / 1e9:.2f}, in turn"
                f" {in_turn / 1e9:.2f}) the branches were asked in turn, {error:.1e} from a run"
                " in turn"
            )
            found.figures = {"limit": limit, "batched": batched, "in_turn": in_turn, "error": error}
            if error > LIKE:
                found.wrong.append(f"the smaller path gave another latent: {error:.1e}")
            return found
    raise Skip(f"no limit between {in_turn} and {batched} bytes led to the smaller path alone")


def peak_of(
    trial: Trial, model: Model, given: Given, recipe: Recipe, together: bool
) -> tuple[int, torch.Tensor]:
    """Bytes reserved, which is what a limit counts, and the latent."""
    trial.card.tidy()
    torch.cuda.reset_peak_memory_stats()
    latent, _ = sampled(trial, model, given, recipe, together)
    return torch.cuda.max_memory_reserved(), latent.z


@contextmanager
def limited(card: Card, limit: int) -> Iterator[None]:
    card.tidy()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(limit / total)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
