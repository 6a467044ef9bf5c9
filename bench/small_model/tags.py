"""Do clips sound like their tags? 200 drawn by script, judged by the probe.

    seeds 0..199 -> tags -> clip at guidance 3 and at 1 -> probe -> right or wrong, by group

The probe is easily pleased, so the first clips are also listened to for clean notes and a
steady beat, beside as many real ones.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from acestep_core.networks.transformer import Transformer
from acestep_core.pipeline import ACEStep
from acestep_core.weights.model import Model
from acestep_core.weights.small import GUIDANCE
from training.heard import Heard, heard
from training.probe import saved

from .clips import GROUPS, Wanted, interval, latent, listened, mel, named, scaled, wanted

COUNT = 200
PLAIN = 1.0  # guidance scale: none
LISTENED = 40
BOUNDS = (0.8, 1.25)  # of the real clips' mean, set before measuring
RANDOM = 20


def measured(pipe: ACEStep, place: Path) -> dict[str, Any]:
    """At the usual guidance, with the confusion of genres and what is heard."""
    found = judged(pipe, COUNT, GUIDANCE.scale)
    kinds = sorted({one["wanted"]["genre"] for one in found})
    confusion = {
        genre: {
            other: sum(
                one["wanted"]["genre"] == genre and one["heard"]["genre"] == other for one in found
            )
            for other in kinds
        }
        for genre in kinds
    }
    made = [listened(pipe, latent(pipe, wanted(seed))) for seed in range(LISTENED)]
    return {
        "scale": GUIDANCE.scale,
        "clips": COUNT,
        "right": {group: hits(found, group) for group in GROUPS},
        "confusion": confusion,
        "listened": {"made": character(made), "real": character(real()), "clips": LISTENED},
    }


def measured_plain(pipe: ACEStep, place: Path) -> dict[str, Any]:
    found = judged(pipe, COUNT, PLAIN)
    return {
        "scale": PLAIN,
        "clips": COUNT,
        "right": {group: hits(found, group) for group in GROUPS},
    }


def measured_random(pipe: ACEStep, place: Path) -> dict[str, Any]:
    """The same with starting weights in place of the trained ones."""
    found = judged(untrained(pipe), RANDOM, GUIDANCE.scale)
    shares = {group: share(hits(found, group)) for group in GROUPS}
    return {"clips": RANDOM, "right": shares}


def untrained(pipe: ACEStep) -> ACEStep:
    """The same pipeline around a transformer that has learned nothing."""
    from training.initial import fresh

    network = fresh("transformer", pipe.model.config, 0).eval().requires_grad_(False)
    part = pipe.model.transformer.of(cast(Transformer, network))
    model: Model = replace(pipe.model, transformer=part)
    return pipe.with_model(model)


def judged(pipe: ACEStep, count: int, scale: float) -> list[dict[str, dict[str, str]]]:
    """Of each clip: what was wanted, and what the probe hears."""
    probes, found = saved(), []
    for seed in range(count):
        one: Wanted = wanted(seed)
        log_mel = mel(pipe, latent(pipe, one, scaled(GUIDANCE, scale)))
        found.append({"wanted": one.tags, "heard": named(probes, log_mel)})
        if seed % 20 == 19:
            print(f"guidance {scale:g}: {seed + 1} clips", file=sys.stderr, flush=True)
    return found


def hits(found: list[dict[str, dict[str, str]]], group: str) -> list[int]:
    return [int(one["wanted"][group] == one["heard"][group]) for one in found]


def share(right: list[int]) -> float:
    return round(sum(right) / len(right), 3)


def better(tags: dict[str, Any], plain: dict[str, Any], group: str) -> tuple[float, float, float]:
    """By how much guidance helps: mean over the same clips, 95 % interval."""
    pairs = zip(tags["right"][group], plain["right"][group], strict=True)
    return interval([float(a - b) for a, b in pairs])


def real() -> list[Heard]:
    """Held-out clips of the training data."""
    from training.data import Clips
    from training.places import Places
    from training.probe import short

    clips = Clips(Places.usual().data)
    return [heard(clips.wave(clip)) for clip in short(clips.held_out, clips)[:LISTENED]]


def character(clips: list[Heard]) -> dict[str, float]:
    """How clean the notes and how steady the beat is, mean over clips."""
    return {
        "peakiness": round(statistics.mean(one.peakiness for one in clips), 3),
        "regularity": round(statistics.mean(one.regularity for one in clips), 3),
    }
