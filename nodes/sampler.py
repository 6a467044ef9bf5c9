"""Sampler: tags and lyrics to a latent.

    model, tags, lyrics, widgets -> Recipe -> make -> LATENT, info

`info` is the parameter file of the run: saved as a .json it is what `--replay` reads.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..acestep_core.config import MAX_SECONDS
from ..acestep_core.model import Model
from ..acestep_core.noise import LARGEST_SEED
from ..acestep_core.pipeline import ACEStep, Made, make
from ..acestep_core.presets import BEHAVIOURS, PRESETS
from ..acestep_core.replay import Output, record_of
from ..acestep_core.types import (
    GUIDANCE_KINDS,
    SOLVER_NAMES,
    Lyrics,
    Recipe,
    Sampling,
    Tags,
    TextToMusic,
    checked,
)
from . import host
from .settings import GuidanceSettings

log = logging.getLogger(__name__)

DEFAULT = PRESETS["original"]
MAX_BATCH = 64


@dataclass(frozen=True)
class Asked:
    """The widgets; those an API prompt may leave out have the original's values."""

    seed: int
    seconds: float
    batch_size: int
    steps: int = DEFAULT.sampling.steps
    solver: str = DEFAULT.sampling.solver
    guidance: str = DEFAULT.guidance.kind
    guidance_scale: float = DEFAULT.guidance.scale
    guidance_settings: GuidanceSettings | None = None  # where connected, in place of the widgets
    schedule: Sampling | None = None

    def recipe(self, tags: Tags, lyrics: Lyrics) -> Recipe:
        checked("batch_size", self.batch_size, 1, MAX_BATCH)
        settings = self.guidance_settings or GuidanceSettings(
            replace(DEFAULT.guidance, kind=self.guidance, scale=self.guidance_scale)
        )
        own = replace(DEFAULT.sampling, steps=self.steps, solver=self.solver)
        return Recipe(
            tags.text,
            lyrics.text,
            TextToMusic(self.seconds),
            guidance=settings.guidance,
            sampling=self.schedule or own,
            seeds=BEHAVIOURS[settings.compat].seeds(self.seed, self.batch_size),
            compat=settings.compat,
        )

    def overridden(self) -> list[str]:
        """Which widgets a connected node replaces, in words."""
        replaced = (
            ("guidance and guidance_scale", "Guidance", self.guidance_settings),
            ("steps and solver", "Schedule", self.schedule),
        )
        return [
            f"{widgets} come from the connected {node}, not from the widgets."
            for widgets, node, given in replaced
            if given is not None
        ]


class Sampler:
    TITLE = "Sampler (ACE-Step)"
    DESCRIPTION = "Makes music: a latent from tags, lyrics and a seed. DCAE Decode makes it sound."
    SEARCH_ALIASES = ("text to music", "generate song", "KSampler", "t2m")
    CATEGORY = "ACE-Step"
    FUNCTION = "sample"
    RETURN_TYPES = ("LATENT", "STRING")
    RETURN_NAMES = ("latent", "info")
    OUTPUT_TOOLTIPS = (
        "The music in the model's own space; native nodes for ACE-Step 1.0 take it as well.",
        "JSON of the run: seeds, seconds really made, every setting, warnings.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        return {
            "required": {
                "model": ("ACESUITE_MODEL", {"tooltip": "From Load ACE-Step."}),
                "tags": ("ACESUITE_TAGS", {"tooltip": "From Tag Encode."}),
                "lyrics": ("ACESUITE_LYRICS", {"tooltip": "From Lyric Encode."}),
                **WIDGETS,
            },
            "optional": {**SETTINGS, **SOCKETS},
        }

    def sample(
        self, model: ACEStep, tags: Tags, lyrics: Lyrics, **asked: Any
    ) -> tuple[dict[str, Tensor | str], str]:
        began = time.perf_counter()
        with host.errors_of(self.TITLE):
            wanted = Asked(**asked)
            recipe = wanted.recipe(tags, lyrics)
            bar = host.Bar(model.evaluations(recipe))
            latent = make(model.model, tags, lyrics, recipe, bar.see)
        took = time.perf_counter() - began
        log.info("Sampled %.3f s of music in %.1f s", latent.seconds, took)
        made = Made(latent, recipe, lyrics, warnings=lyrics.warnings)
        info = _info(made, model.model, wanted.overridden())
        return {"samples": host.handed_on(latent.z), "type": "audio"}, info


def _info(made: Made, model: Model, notes: list[str]) -> str:
    record = asdict(record_of(made, model, Output(Path("song.flac"))))
    of_a_file = ("format", "audio_path", "extra", "timecosts")
    values = {key: value for key, value in record.items() if key not in of_a_file}
    values["actual_seeds"] = made.recipe.seeds
    del values["ace_core"]["rate"]
    values["ace_core"]["notes"] = notes
    return json.dumps(values, indent=1, ensure_ascii=False)


WIDGETS = {
    "seed": (
        "INT",
        {
            "default": 0,
            "min": 0,
            "max": LARGEST_SEED,
            "control_after_generate": True,
            "tooltip": "The same seed and settings give the same music on every machine. Further"
            " clips of a batch take the seeds after it.",
        },
    ),
    "seconds": (
        "FLOAT",
        {
            "default": 60.0,
            "min": 0.1,
            "max": MAX_SECONDS,
            "step": 0.1,
            "round": 0.001,
            "tooltip": "Length asked for. What is made is a whole number of frames of 92.9 ms,"
            " rounded down: 60 s asked, 59.907 s made; info tells.",
        },
    ),
    "batch_size": (
        "INT",
        {"default": 1, "min": 1, "max": MAX_BATCH, "tooltip": "How many clips at once."},
    ),
}
SETTINGS = {
    "steps": (
        "INT",
        {
            "default": Asked.steps,
            "min": 1,
            "max": 1000,
            "tooltip": "60 as in the original, 27 for a quicker song.",
        },
    ),
    "solver": (
        list(SOLVER_NAMES),
        {
            "default": Asked.solver,
            "tooltip": "euler is the usual one. heun asks the model twice per step. pingpong adds"
            " fresh noise at every step.",
        },
    ),
    "guidance": (
        list(GUIDANCE_KINDS),
        {
            "default": Asked.guidance,
            "tooltip": "How strongly tags and lyrics count: apg is the original's, cfg the"
            " classical one, cfg_star cfg with a scaled null prediction.",
        },
    ),
    "guidance_scale": (
        "FLOAT",
        {
            "default": Asked.guidance_scale,
            "min": 0.0,
            "max": 200.0,
            "step": 0.5,
            "round": 0.01,
            "tooltip": "Higher follows tags and lyrics more closely. 15 suits apg, 5 to 7 cfg."
            " 0 and 1 switch guidance off, which takes half the time.",
        },
    ),
}
SOCKETS = {
    "guidance_settings": (
        "ACESUITE_GUIDANCE",
        {"tooltip": "From Guidance: replaces guidance and guidance_scale; info says so."},
    ),
    "schedule": (
        "ACESUITE_SCHEDULE",
        {"tooltip": "From Schedule: replaces steps and solver; info says so."},
    ),
}
