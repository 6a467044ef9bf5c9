"""Guidance and Schedule: every setting of a run, one by one or as a preset.

preset or widgets -> GuidanceSettings -> Sampler
preset or widgets -> Sampling         -> Sampler

The preset auto stands for what the model recommends, which only the Sampler can know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..acestep_core.faces import offered_at
from ..acestep_core.presets import PRESETS
from ..acestep_core.settings import (
    AUTO,
    COMPATS,
    CUSTOM,
    SettingError,
    chosen_from,
)
from ..acestep_core.types import Guidance, Sampling
from . import host
from .widgets import widgets

CHOICES = (AUTO, *PRESETS, CUSTOM)


@dataclass(frozen=True)
class GuidanceSettings:
    """What the Guidance node says: the rule, and whose behaviour a run has."""

    guidance: Guidance | None = field(default_factory=Guidance)  # None: what the model recommends
    compat: str = COMPATS[0]

    def __post_init__(self) -> None:
        chosen_from("compat", self.compat, COMPATS)


class GuidanceNode:
    TITLE = "Guidance (ACE-Step)"
    DESCRIPTION = "All settings of guidance, for the Sampler's guidance_settings."
    SEARCH_ALIASES = ("cfg", "apg", "erg", "guidance scale", "preset")
    FUNCTION = "settings"
    RETURN_TYPES = ("ACESUITE_GUIDANCE",)
    RETURN_NAMES = ("guidance_settings",)
    OUTPUT_TOOLTIPS = ("For the Sampler, whose own guidance widgets it replaces.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        names = [name for name in offered_at("AceSuiteGuidance") if name != "preset"]
        return {
            "required": widgets("AceSuiteGuidance", "preset"),
            "optional": widgets("AceSuiteGuidance", " ".join(names)),
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
    FUNCTION = "settings"
    RETURN_TYPES = ("ACESUITE_SCHEDULE",)
    RETURN_NAMES = ("schedule",)
    OUTPUT_TOOLTIPS = ("For the Sampler, whose own steps and solver it replaces.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteSchedule", "preset"),
            "optional": widgets("AceSuiteSchedule", "steps solver granularity chosen_steps"),
        }

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
