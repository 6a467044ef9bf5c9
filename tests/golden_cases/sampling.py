"""Final latents of whole runs: text-to-music, and the editing tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from acestep_core.conditions.branches import branches, predicting
from acestep_core.config import FRAMES_PER_SECOND
from acestep_core.networks.transformer import Transformer
from acestep_core.sampling.loop import run
from acestep_core.sampling.noise import Noise
from acestep_core.settings import ORIGINAL
from acestep_core.tasks.behaviours import BEHAVIOURS
from acestep_core.tasks.kit import Kit
from acestep_core.tasks.plans import plan
from acestep_core.types import (
    Extend,
    Follow,
    Guidance,
    Inpaint,
    Latent,
    Lyrics,
    Region,
    Retake,
    Sampling,
    Source,
    Tags,
    Task,
    TextToMusic,
)

from .outcome import LIMITS, Outcome, compare
from .recipe import network
from .record import load
from .where import HERE, Where


def cases(directory: Path) -> list[str]:
    return [f"sampling.{c['case']}" for c in load(directory, "sampling").info["cases"]]


def check(directory: Path, case: str, where: Where = HERE) -> Outcome:
    settings, given = load(directory, "sampling").case(case.removeprefix("sampling."))
    model = network("transformer", load(directory, "transformer"), where)
    assert isinstance(model, Transformer)
    with torch.inference_mode():
        result = latents(model, settings, given, where)
    return compare(result, given["latents"], LIMITS["sampling"])


def latents(
    model: Transformer, settings: dict[str, Any], given: dict[str, Tensor], where: Where
) -> Tensor:
    guidance = guidance_of(settings)
    text, ids = where.cast(given["text"]), where.placed(given["lyric_ids"])
    weak = where.cast(given.get("text_null", torch.zeros_like(given["text"])))
    tags = Tags(text, text.new_ones(text.shape[:2], dtype=torch.float32), weak)
    lyrics = Lyrics(ids, torch.ones_like(ids))
    prepared = branches(model, tags, lyrics, guidance, settings["batch"])
    made = plan(
        task_of(settings, given),
        Kit(
            predicting(model, prepared, where.dtype),
            guidance,
            sampling_of(settings),
            Noise(tuple(settings["seeds"]), tuple(settings["retake_seeds"])),
            BEHAVIOURS[ORIGINAL],
            lambda step, x, velocity: None,
        ),
        source_of(settings, given),
    )
    return run(made.stages, made.canvas)


def guidance_of(settings: dict[str, Any]) -> Guidance:
    return Guidance(
        settings["cfg_type"],
        settings["guidance_scale"],
        settings["guidance_interval"],
        settings["guidance_interval_decay"],
        settings["min_guidance_scale"],
        settings.get("guidance_scale_text", 0.0),
        settings.get("guidance_scale_lyric", 0.0),
        # The recorded null tags are used as they are wherever they stand.
        erg_tag="use_erg_lyric" in settings,
        erg_lyric=settings.get("use_erg_lyric", False),
        erg_diffusion=settings.get("use_erg_diffusion", False),
    )


def sampling_of(settings: dict[str, Any]) -> Sampling:
    return Sampling(
        settings["infer_steps"],
        settings["scheduler_type"],
        settings["omega_scale"],
        tuple(settings.get("oss_steps", ())),
    )


def task_of(settings: dict[str, Any], given: dict[str, Tensor]) -> Task:
    """The task that the settings stand for: the original decides it from frames."""
    seconds = settings["seconds"]
    if settings.get("audio2audio_enable"):
        return Follow(settings["ref_audio_strength"])
    if not settings.get("add_retake_noise"):
        return TextToMusic(seconds)
    start, end = settings["repaint_start"], settings["repaint_end"]
    variance = settings["retake_variance"]
    if "source" not in given:
        return Retake(seconds, variance)
    first, last = int(start * FRAMES_PER_SECOND), int(end * FRAMES_PER_SECOND)
    if first < 0 or last > given["source"].shape[-1]:
        return Extend(before=-min(start, 0.0), after=max(end - seconds, 0.0))
    return Inpaint((Region(start, end),), variance)


def source_of(settings: dict[str, Any], given: dict[str, Tensor]) -> Source | None:
    if "reference" in given:
        return Source(Latent(given["reference"]))
    return (
        Source(Latent(given["source"]), seconds=settings["seconds"]) if "source" in given else None
    )
