"""Sampler: tags and lyrics to a latent.

    model, tags, lyrics, widgets or settings, task -> Recipe -> make -> LATENT, info

`info` is the parameter file of the run: saved as a .json it is what `--replay` reads.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from ..acestep_core.editing.report import step_warnings
from ..acestep_core.editing.request import Request, SourceNamed
from ..acestep_core.pipeline import ACEStep, make
from ..acestep_core.presets import Preset
from ..acestep_core.records.record import OWN_KEY, Record, values_of
from ..acestep_core.records.replay import Run, record_of
from ..acestep_core.sampling.guidance import branches_of
from ..acestep_core.sampling.loop import Counter
from ..acestep_core.settings import AUTO, FROM_MODEL, setting
from ..acestep_core.tasks.behaviours import BEHAVIOURS
from ..acestep_core.types import (
    Follow,
    Guidance,
    Latent,
    Lyrics,
    Recipe,
    Sampling,
    Tags,
    TextToMusic,
)
from . import again, host, shown, sound
from .preview import MelPreview
from .settings import GuidanceSettings
from .task_socket import Ready, Sampled, TaskAsked, digest_of, ready
from .widgets import MODEL, WORDS, Inputs, widgets

log = logging.getLogger(__name__)

T = TypeVar("T", Guidance, Sampling)


@dataclass(frozen=True)
class Asked:
    """The widgets; those an API prompt may leave out are as the model recommends."""

    seed: int
    seconds: float
    batch_size: int
    steps: int = FROM_MODEL
    solver: str = AUTO
    guidance: str = AUTO
    guidance_scale: float = FROM_MODEL
    guidance_settings: GuidanceSettings | None = None  # where connected, in place of the widgets
    schedule: Sampling | str | None = None  # or AUTO
    one_by_one: bool = Recipe.in_turn

    def recipe(self, tags: Tags, lyrics: Lyrics, own: Preset) -> Recipe:
        """The recipe; what nothing is said of is the model's own."""
        setting("batch_size").check(self.batch_size)
        settings = self.guidance_settings or GuidanceSettings(
            _said(own.guidance, kind=self.guidance, scale=self.guidance_scale)
        )
        sampling = self.schedule or _said(own.sampling, steps=self.steps, solver=self.solver)
        return Recipe(
            tags.text,
            lyrics.text,
            TextToMusic(self.seconds),
            guidance=settings.guidance or own.guidance,
            sampling=own.sampling if isinstance(sampling, str) else sampling,
            seeds=BEHAVIOURS[settings.compat].seeds(self.seed, self.batch_size),
            compat=settings.compat,
            language=lyrics.language,
            in_turn=self.one_by_one,
        )

    def left(self, used: Recipe) -> list[str]:
        """What the model's recommendation decided, in words."""
        settings, kind, scale = self.guidance_settings, self.guidance, self.guidance_scale
        guidance = settings.guidance is None if settings else None
        schedule = self.schedule == AUTO if self.schedule else None
        decided = {
            f"steps {used.sampling.steps}": _first(schedule, self.steps == FROM_MODEL),
            f"solver {used.sampling.solver}": _first(schedule, self.solver == AUTO),
            f"guidance {used.guidance.kind}": _first(guidance, kind == AUTO),
            f"guidance_scale {used.guidance.scale:g}": _first(guidance, scale == FROM_MODEL),
        }
        told = [name for name, is_so in decided.items() if is_so]
        return [f"As the model recommends: {', '.join(told)}."] if told else []

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


def _first(connected: bool | None, widget: bool) -> bool:
    return widget if connected is None else connected


def _said(own: T, **values: Any) -> T:
    """The model's own settings but for those that a widget says."""
    given = {name: value for name, value in values.items() if value not in (AUTO, FROM_MODEL)}
    return replace(own, **given)


class Sampler:
    TITLE = "Sampler (ACE-Step)"
    DESCRIPTION = "Makes music: a latent from tags, lyrics and a seed. DCAE Decode makes it sound."
    SEARCH_ALIASES = ("text to music", "generate song", "KSampler", "t2m")
    FUNCTION = "show"
    HAS_INTERMEDIATE_OUTPUT = True
    RETURN_TYPES = ("LATENT", "STRING")
    RETURN_NAMES = ("latent", "info")
    OUTPUT_TOOLTIPS = (
        "The music in the model's own space; native nodes for ACE-Step 1.0 take it as well.",
        "JSON of the run: seeds, seconds really made, every setting, warnings.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                **MODEL,
                **WORDS,
                **widgets("AceSuiteSampler", "seed seconds batch_size"),
            },
            "optional": {
                **widgets("AceSuiteSampler", "steps solver guidance guidance_scale"),
                **SOCKETS,
                **widgets("AceSuiteSampler", "one_by_one"),
            },
        }

    def show(self, **inputs: Any) -> dict[str, Any]:
        results = self.sample(**inputs)
        return shown.shown(results, shown.of_run(results[1]))

    def sample(
        self,
        model: ACEStep,
        tags: Tags,
        lyrics: Lyrics,
        task: TaskAsked | None = None,
        **asked: Any,
    ) -> tuple[sound.Samples, str]:
        with host.errors_of(self.TITLE):
            latent, record = sampled(model, (tags, lyrics), Asked(**asked), task)
            return latent, info_of(record)


def sampled(
    model: ACEStep,
    words: tuple[Tags, Lyrics],
    asked: Asked,
    task: TaskAsked | None = None,
) -> tuple[sound.Samples, Record]:
    """The LATENT that the settings make of tags and lyrics, and the record of the run."""
    tags, lyrics = words[0], task.sung(words[1]) if task else words[1]
    plan = ready(model, task, asked.recipe(tags, lyrics, model.model.card.recommended))
    picture = None
    if host.is_preview_wanted():
        picture = MelPreview(model, branches=branches_of(plan.sampled.guidance))
    began = time.perf_counter()
    latent, steps = _latent(model, (tags, lyrics), plan, picture)
    log.info("Sampled %.3f s of music in %.1f s", latent.seconds, time.perf_counter() - began)
    warnings = [*lyrics.warnings, *plan.warnings, *model.cautions(plan.asked)]
    warnings += step_warnings(steps, _steps(plan.asked)) if task else []
    samples, source = sound.latent_out(latent), None
    samples[sound.SEEDS] = plan.asked.retake_seeds or plan.asked.seeds
    if task and task.given:
        digest = digest_of(samples["samples"])
        samples[sound.KEY] = Sampled(task, plan.asked, steps, digest, plan.notes)
        own = (task.words[0].text, task.words[1].text) if task.words else ("", "")
        source = SourceNamed(*task.given.named, *own, task.given.source_latent is not None)
    request = Request(plan.asked, source, adapters=model.model.adapters)
    run = Run(
        model.model,
        Path(),
        seconds=latent.seconds,
        source_seconds=task.given.seconds if task and task.given else None,
        lyrics=lyrics,
        warnings=tuple(warnings),
    )
    notes = [*asked.overridden(), *asked.left(plan.asked), *_about(task), *plan.notes]
    return samples, with_notes(record_of(request, run), notes)


def _latent(
    model: ACEStep, words: tuple[Tags, Lyrics], plan: Ready, picture: host.Picture | None
) -> tuple[Latent, int]:
    """The latent, and how many noise levels it took."""
    if plan.unchanged:
        assert plan.source is not None
        z = plan.source.latent.z.expand(len(plan.asked.seeds), -1, -1, -1).clone()
        return Latent(z), 0
    asked = (model.model, words, plan.sampled, plan.source)
    if past := again.kept(*asked):
        log.info("Nothing that decides the result has changed: the latent was kept")
        return Latent(past.latent.z.clone()), past.steps
    total = model.evaluations(plan.sampled, plan.source)
    steps = Counter(host.Bar(total, picture).see)
    latent = make(model.model, *words, plan.sampled, steps, plan.source)
    again.keep(*asked, made=(latent, steps.count))
    return latent, steps.count


def _steps(recipe: Recipe) -> int:
    return len(recipe.sampling.chosen) or recipe.sampling.steps


def _about(task: TaskAsked | None) -> list[str]:
    """What a connected task does to the widgets, and whose seeds the info names."""
    if task is None:
        return []
    notes = [] if task.given is None else [shown.SECONDS_NOTE]
    if not isinstance(task.task, Follow):
        notes.append(shown.SEEDS_NOTE)
    return notes


def notes_of(record: Record) -> list[str]:
    """What the info says beside the settings."""
    notes = record.ace_core.get("notes", [])
    return [str(note) for note in notes] if isinstance(notes, list) else []


def with_notes(record: Record, notes: list[str]) -> Record:
    return replace(record, ace_core={**record.ace_core, "notes": [*notes]})


def info_of(record: Record) -> str:
    """A record before there is a file of it."""
    of_a_file = ("format", "audio_path", "extra", "timecosts")
    values = {key: value for key, value in values_of(record).items() if key not in of_a_file}
    own = {key: value for key, value in record.ace_core.items() if key != "rate"}
    return json.dumps({**values, OWN_KEY: own}, indent=1, ensure_ascii=False)


SOCKETS: Inputs = {
    "guidance_settings": (
        "ACESUITE_GUIDANCE",
        {"tooltip": "From Guidance: replaces guidance and guidance_scale; info says so."},
    ),
    "schedule": (
        "ACESUITE_SCHEDULE",
        {"tooltip": "From Schedule: replaces steps and solver; info says so."},
    ),
    "task": (
        "ACESUITE_TASK",
        {
            "tooltip": "From Inpaint Mask, Extend, Retake, Remix / Edit or Audio Reference: works"
            " on their source, whose length replaces seconds. DCAE Decode puts the result into it."
        },
    ),
}
