"""Runs that came out, kept for as long as their model: equal ones need not be sampled again.

    model, words, recipe, source -> latent, steps

ComfyUI runs a node again when any of its widgets has changed, also one without effect: seconds
beside a task on a source, steps beside a connected Schedule. What decides a result is compared
here, so that such a run takes no time.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import torch
from torch import Tensor

from ..acestep_core.types import Latent, Lyrics, Recipe, Source, Tags
from ..acestep_core.weights.model import Model

KEPT = 4  # runs; a song of 240 s takes 1.3 MB
Words = tuple[Tags, Lyrics]


@dataclass(frozen=True, eq=False)
class Past:
    model: weakref.ref[Model]
    recipe: Recipe
    decided: tuple[Tensor | None, ...]  # words and source, as the model gets them
    latent: Latent
    steps: int


_past: list[Past] = []  # the latest last


def kept(model: Model, words: Words, recipe: Recipe, source: Source | None) -> Past | None:
    """The run that would come out the same."""
    decided = _decided(words, source)
    for one in _past:
        if one.model() is model and one.recipe == recipe and _equal(one.decided, decided):
            return one
    return None


def keep(
    model: Model,
    words: Words,
    recipe: Recipe,
    source: Source | None,
    made: tuple[Latent, int],
) -> None:
    alive = [one for one in _past if one.model() is not None]
    # A copy: what goes on to other nodes is theirs.
    latent, steps = Latent(made[0].z.clone()), made[1]
    new = Past(weakref.ref(model), recipe, _decided(words, source), latent, steps)
    _past[:] = [*alive, new][-KEPT:]


def forget() -> None:
    """For tests and measurements, which want everything done again."""
    _past.clear()


def _decided(words: Words, source: Source | None) -> tuple[Tensor | None, ...]:
    sides = [words]
    if source is not None and source.tags is not None and source.lyrics is not None:
        sides.append((source.tags, source.lyrics))
    of_words = (
        one
        for tags, lyrics in sides
        for one in (tags.states, tags.mask, tags.weak_states, lyrics.ids, lyrics.mask)
    )
    length = None if source is None or source.seconds is None else torch.tensor(source.seconds)
    return (*of_words, None if source is None else source.latent.z, length)


def _equal(first: tuple[Tensor | None, ...], second: tuple[Tensor | None, ...]) -> bool:
    if len(first) != len(second):
        return False
    pairs = zip(first, second, strict=True)
    return all(
        a is b or (a is not None and b is not None and a.shape == b.shape and torch.equal(a, b))
        for a, b in pairs
    )
