"""What the figures and the musical tests share: clips drawn by script, made, and listened to.

seed -> tags by script -> text -> pipe -> latent, log-mel, wave
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from acestep_core.config import SAMPLE_RATE
from acestep_core.pipeline import ACEStep, items_of, make
from acestep_core.types import Guidance, Latent, Recipe, Sampling, TextToMusic
from acestep_core.weights.small import GUIDANCE, LYRICS, SAMPLING
from training import prompts
from training.features import features
from training.heard import Heard, heard
from training.probe import Probe

SECONDS = 10.0
GROUPS = ("genre", "ensemble", "tempo", "density")


@dataclass(frozen=True)
class Wanted:
    """What a clip should be."""

    seed: int
    tags: dict[str, str]
    text: str


def wanted(seed: int) -> Wanted:
    """Tags drawn by script: genre and one of its ensembles, tempo band, density."""
    found, _ = prompts.anything(random.Random(f"clip {seed}"))
    return Wanted(seed, found, prompts.full(found, GROUPS))


def recipe(one: Wanted, guidance: Guidance = GUIDANCE, sampling: Sampling = SAMPLING) -> Recipe:
    return Recipe(one.text, LYRICS, TextToMusic(SECONDS), guidance, sampling, seeds=(one.seed,))


def latent(pipe: ACEStep, one: Wanted, guidance: Guidance = GUIDANCE) -> Latent:
    return pipe.generate(recipe(one, guidance)).latent


def mel(pipe: ACEStep, made: Latent) -> Tensor:
    """Log-mel (2, 128, M)."""
    return pipe.codec.decode_mel(made)[0]


def wave(pipe: ACEStep, made: Latent) -> Tensor:
    """(2, N) at 44.1 kHz."""
    return pipe.decode(made, SAMPLE_RATE)[0]


def listened(pipe: ACEStep, made: Latent) -> Heard:
    return heard(wave(pipe, made))


def named(probes: dict[str, Probe], log_mel: Tensor) -> dict[str, str]:
    """What the probes hear in a log-mel."""
    x = features(log_mel)[None]
    return {group: probes[group].name(x)[0] for group in GROUPS}


def other_genre(one: Wanted) -> Wanted:
    """The same tempo and density in another style: what a remix should lead to."""
    draw = random.Random(f"remix {one.seed}")
    while True:
        tags, _ = prompts.anything(draw)
        if tags["genre"] != one.tags["genre"]:
            kept = {group: one.tags[group] for group in ("tempo", "density", "mode")}
            tags = {**tags, **kept}
            return Wanted(one.seed, tags, prompts.full(tags, GROUPS))


def takes(pipe: ACEStep, recipe: Recipe) -> Iterator[Latent]:
    """The items of a batch, one by one."""
    tags, lyrics = pipe.tags(recipe.tags), pipe.lyrics(recipe.lyrics)
    for one in items_of(recipe):
        yield make(pipe.model, tags, lyrics, one)


def scaled(guidance: Guidance, scale: float) -> Guidance:
    return replace(guidance, scale=scale)


def mean_error(a: Tensor, b: Tensor) -> float:
    """Mean absolute difference, over the shorter."""
    length = min(a.shape[-1], b.shape[-1])
    return float((a[..., :length] - b[..., :length]).abs().mean())


def interval(differences: list[float]) -> tuple[float, float, float]:
    """Mean and its 95 % interval, by the normal approximation."""
    values = torch.tensor(differences, dtype=torch.float64)
    half = 1.96 * float(values.std()) / len(values) ** 0.5
    mean = float(values.mean())
    return mean, mean - half, mean + half
