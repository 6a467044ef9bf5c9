"""Final latents of flow-edits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from acestep_core.conditions.branches import edit_branches, predicting
from acestep_core.networks.transformer import Transformer
from acestep_core.sampling.guidance import Predict
from acestep_core.sampling.loop import run
from acestep_core.sampling.noise import Noise
from acestep_core.settings import ORIGINAL
from acestep_core.tasks.behaviours import BEHAVIOURS
from acestep_core.tasks.kit import Kit
from acestep_core.tasks.plans import plan
from acestep_core.types import Edit, Guidance, Latent, Lyrics, Sampling, Source, Tags

from .outcome import LIMITS, Outcome, compare
from .recipe import network
from .record import load
from .where import HERE, Where


def cases(directory: Path) -> list[str]:
    return [f"edit.{c['case']}" for c in load(directory, "edit").info["cases"]]


def check(directory: Path, case: str, where: Where = HERE) -> Outcome:
    settings, given = load(directory, "edit").case(case.removeprefix("edit."))
    model = network("transformer", load(directory, "transformer"), where)
    assert isinstance(model, Transformer)
    with torch.inference_mode():
        result = latents(model, settings, given, where)
    return compare(result, given["latents"], LIMITS["edit"])


def latents(
    model: Transformer, settings: dict[str, Any], given: dict[str, Tensor], where: Where
) -> Tensor:
    conditions = {side: _conditions(given, side, where) for side in ("source", "target")}

    def predict(side: str) -> Predict:
        prepared = edit_branches(model, *conditions[side])
        return predicting(model, prepared, where.dtype)

    task = Edit(settings["n_min"], settings["n_max"], settings["n_avg"])
    source = Source(Latent(given["source"]), *conditions["source"])
    seeds = tuple(settings["seeds"])
    made = plan(
        task,
        Kit(
            predict("target"),
            Guidance(scale=settings["guidance_scale"]),
            Sampling(settings["infer_steps"]),
            Noise(seeds, seeds),
            BEHAVIOURS[ORIGINAL],
            lambda step, x, velocity: None,
            predict("source"),
        ),
        source,
    )
    return run(made.stages, made.canvas)


def _conditions(given: dict[str, Tensor], side: str, where: Where) -> tuple[Tags, Lyrics]:
    text, ids = where.cast(given[f"{side}_text"]), where.placed(given[f"{side}_lyric_ids"])
    mask = text.new_ones(text.shape[:2], dtype=torch.float32)
    return Tags(text, mask), Lyrics(ids, torch.ones_like(ids))
