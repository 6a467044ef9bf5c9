"""Guidance and Schedule: every setting of a run, one by one or as a preset.

preset or widgets -> GuidanceSettings -> Sampler
preset or widgets -> Sampling         -> Sampler

The preset auto stands for what the model recommends, which only the Sampler can know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..acestep_core.presets import PRESETS
from ..acestep_core.settings import (
    AUTO,
    COMPATS,
    CUSTOM,
    GUIDANCE_KINDS,
    SOLVER_NAMES,
    SettingError,
    chosen_from,
)
from ..acestep_core.types import Guidance, Sampling
from . import host

CHOICES = (AUTO, *PRESETS, CUSTOM)
ABOUT = " ".join(f"{name}: {preset.about}" for name, preset in PRESETS.items())
PRESET = {
    "default": AUTO,
    "tooltip": "auto takes what the model recommends, custom the values below. Another preset"
    f" brings all of them itself. {ABOUT}",
}


@dataclass(frozen=True)
class GuidanceSettings:
    """What the Guidance node says: the rule, and whose behaviour a run has."""

    guidance: Guidance | None = field(default_factory=Guidance)  # None: what the model recommends
    compat: str = COMPATS[0]

    def __post_init__(self) -> None:
        chosen_from("compat", self.compat, COMPATS)


def _number(default: float, most: float, step: float, tooltip: str) -> tuple[str, dict[str, Any]]:
    options = {"default": default, "min": 0.0, "max": most, "step": step, "round": 0.001}
    return "FLOAT", {**options, "tooltip": tooltip}


def _switch(default: bool, tooltip: str) -> tuple[str, dict[str, Any]]:
    return "BOOLEAN", {"default": default, "tooltip": tooltip}


DEFAULT = Guidance()
GUIDANCE_WIDGETS = {
    "kind": (
        list(GUIDANCE_KINDS),
        {
            "default": DEFAULT.kind,
            "tooltip": "apg is the original's, cfg the classical one, cfg_star cfg with a scaled"
            " null prediction.",
        },
    ),
    "scale": _number(
        DEFAULT.scale,
        200.0,
        0.5,
        "How strongly tags and lyrics count. 15 suits apg, 5 to 7 cfg; 0 and 1 switch it off.",
    ),
    "interval": _number(
        DEFAULT.interval,
        1.0,
        0.05,
        "Share of the steps, in the middle of the run, that is guided; the rest is free.",
    ),
    "decay": _number(
        DEFAULT.decay, 1.0, 0.05, "How far the scale falls over the guided steps; 0 keeps it."
    ),
    "min_scale": _number(DEFAULT.min_scale, 200.0, 0.5, "Where the scale falls to with decay."),
    "text_scale": _number(
        DEFAULT.text_scale,
        10.0,
        0.1,
        "Guides tags apart from lyrics when this and lyric_scale are above 1; takes a third"
        " evaluation per step.",
    ),
    "lyric_scale": _number(
        DEFAULT.lyric_scale, 10.0, 0.1, "Guides lyrics apart from tags; see text_scale."
    ),
    "erg_tag": _switch(
        DEFAULT.erg_tag, "ERG on the tags: guides away from a blurred reading of them."
    ),
    "erg_lyric": _switch(
        DEFAULT.erg_lyric,
        "ERG on the lyrics. Off follows the words more exactly, as the original's web page does.",
    ),
    "erg_diffusion": _switch(DEFAULT.erg_diffusion, "ERG inside the transformer's blocks."),
}
COMPAT = {
    "default": COMPATS[0],
    "tooltip": "corrected mends what the original gets wrong, such as equal clips in a batch."
    " original repeats it number for number; splice and level matching are off then.",
}


class GuidanceNode:
    TITLE = "Guidance (ACE-Step)"
    DESCRIPTION = "All settings of guidance, for the Sampler's guidance_settings."
    SEARCH_ALIASES = ("cfg", "apg", "erg", "guidance scale", "preset")
    CATEGORY = "ACE-Step"
    FUNCTION = "settings"
    RETURN_TYPES = ("ACESUITE_GUIDANCE",)
    RETURN_NAMES = ("guidance_settings",)
    OUTPUT_TOOLTIPS = ("For the Sampler, whose own guidance widgets it replaces.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        return {
            "required": {"preset": (list(CHOICES), PRESET)},
            "optional": {**GUIDANCE_WIDGETS, "compat": (list(COMPATS), COMPAT)},
        }

    def settings(
        self, preset: str, compat: str = COMPATS[0], **widgets: Any
    ) -> tuple[GuidanceSettings]:
        with host.errors_of(self.TITLE):
            chosen_from("preset", preset, CHOICES)
            if preset == AUTO:
                return (GuidanceSettings(None, compat),)
            guidance = Guidance(**widgets) if preset == CUSTOM else PRESETS[preset].guidance
            return (GuidanceSettings(guidance, compat),)


class Schedule:
    TITLE = "Schedule (ACE-Step)"
    DESCRIPTION = "Steps and solver, for the Sampler's schedule."
    SEARCH_ALIASES = ("scheduler", "steps", "sigmas", "solver", "omega", "preset")
    CATEGORY = "ACE-Step"
    FUNCTION = "settings"
    RETURN_TYPES = ("ACESUITE_SCHEDULE",)
    RETURN_NAMES = ("schedule",)
    OUTPUT_TOOLTIPS = ("For the Sampler, whose own steps and solver it replaces.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        return {"required": {"preset": (list(CHOICES), PRESET)}, "optional": SCHEDULE_WIDGETS}

    def settings(
        self, preset: str, chosen_steps: str = "", **widgets: Any
    ) -> tuple[Sampling | str]:
        with host.errors_of(self.TITLE):
            chosen_from("preset", preset, CHOICES)
            if preset == AUTO:
                return (AUTO,)
            if preset != CUSTOM:
                return (PRESETS[preset].sampling,)
            return (Sampling(**widgets, chosen=_whole_numbers(chosen_steps)),)


def _whole_numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise SettingError(
            f"chosen_steps is {text!r}; it must be whole numbers with commas, or empty for all."
        ) from None


SCHEDULE_WIDGETS = {
    "steps": (
        "INT",
        {
            "default": Sampling.steps,
            "min": 1,
            "max": 1000,
            "tooltip": "60 as in the original, 27 for a quicker song.",
        },
    ),
    "solver": (
        list(SOLVER_NAMES),
        {
            "default": Sampling.solver,
            "tooltip": "euler is the usual one. heun asks the model twice per step. pingpong adds"
            " fresh noise at every step.",
        },
    ),
    "granularity": (
        "FLOAT",
        {
            "default": Sampling.granularity,
            "min": -100.0,
            "max": 100.0,
            "step": 0.5,
            "round": 0.001,
            "tooltip": "The original's granularity scale (omega): stretches what each step"
            " changes about its mean, by 0.9 to 1.1. 10, the original's, is 1.046; 0 is 1.",
        },
    ),
    "chosen_steps": (
        "STRING",
        {
            "default": "",
            "tooltip": "Only these steps of a schedule as long as the largest, counted from 1, with"
            " commas: 16, 29, 52, 96 ... They replace steps; empty takes all.",
        },
    ),
}
