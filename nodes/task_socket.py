"""ACESUITE_TASK: what is to be done to which source. Nothing is computed until it is sampled.

    TaskAsked -> sampling  -> Sampling, for the Sampler: the recipe with its task
              -> finished  -> Edited, for DCAE Decode: spliced, matched in level, reported

Both make the same Assignment of the core and do one half of it. What the second half has to
know of the first rides along in the LATENT, under a key that other nodes leave alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from ..acestep_core.config import FRAME, MAX_SECONDS, SAMPLE_RATE
from ..acestep_core.editing.edits import Assignment, Edited, Options, SourceClip, assigned
from ..acestep_core.editing.request import Flow, Follow, Wish
from ..acestep_core.editing.splice import CROSSFADE
from ..acestep_core.pipeline import ACEStep, Made, resolved
from ..acestep_core.sampling.loop import See
from ..acestep_core.sampling.noise import derived
from ..acestep_core.settings import SettingError, checked
from ..acestep_core.types import (
    Latent,
    Lyrics,
    Recipe,
    Region,
    Retake,
    Tags,
    TextToMusic,
    checked_latent,
)
from . import sound

KEY = "acesuite"  # of a LATENT: what it was sampled for


@dataclass(frozen=True)
class Vary:
    """A retake: the clip of the source's seed, varied."""

    variance: float = 0.2

    def __post_init__(self) -> None:
        checked("Variance", self.variance, 0, 1)


@dataclass(frozen=True, eq=False)
class Given:
    """The sockets and widgets that every task on a source has."""

    source_audio: sound.Audio | None = None
    source_latent: dict[str, Any] | None = None
    splice: bool = True
    crossfade: float = CROSSFADE
    match_level: bool = True
    source_seed: int | None = None

    def __post_init__(self) -> None:
        if self.source_audio is None and self.source_latent is None:
            raise SettingError("There is no source. Connect source_audio or source_latent.")

    @property
    def options(self) -> Options:
        return Options(self.splice, self.crossfade, self.match_level)

    @property
    def latent(self) -> Latent | None:
        return checked_latent(self.source_latent["samples"]) if self.source_latent else None

    @property
    def seconds(self) -> float:
        """Length of the source."""
        if self.source_audio is not None:
            return self.source_audio["waveform"].shape[-1] / self.source_audio["sample_rate"]
        assert self.latent is not None
        return self.latent.frames * FRAME / SAMPLE_RATE

    def clip(self, model: ACEStep, is_heard: bool) -> SourceClip:
        """The source; one that is a latent alone is decoded only where it is heard."""
        latent = self.latent
        if self.source_audio is not None:
            return SourceClip(*sound.one_clip("source_audio", self.source_audio), latent)
        assert latent is not None
        if is_heard:
            return SourceClip(sound.decoded(model, latent, SAMPLE_RATE)[0], SAMPLE_RATE, latent)
        silence = torch.zeros(1, 1).expand(2, latent.frames * FRAME)
        return SourceClip(silence, SAMPLE_RATE, latent)


@dataclass(frozen=True, eq=False)
class TaskAsked:
    """What goes through an ACESUITE_TASK socket."""

    wish: Wish | Vary
    given: Given | None = None  # nothing for a retake
    source_seed: int | None = None
    words: tuple[Tags, Lyrics] | None = None  # the source's own, for an edit

    def seeded(self, recipe: Recipe) -> Recipe:
        """The recipe's seeds become those of what is new; the source's are given, or derived."""
        new = recipe.seeds
        if isinstance(self.wish, Follow):
            return recipe
        own = self.given.source_seed if self.given else self.source_seed
        seeds = tuple(derived(seed) if own is None else own for seed in new)
        return replace(recipe, seeds=seeds, retake_seeds=new)


@dataclass(frozen=True)
class Sampled:
    """What rides along in a LATENT."""

    wish: Wish | Vary
    seconds: float  # of the source
    recipe: Recipe
    steps_run: int
    frames: int

    def fits(self, task: TaskAsked, latent: Latent) -> bool:
        is_alike = task.given is not None and abs(task.given.seconds - self.seconds) < 1e-6
        same_size = (self.frames, len(self.recipe.seeds)) == (latent.frames, len(latent.z))
        return is_alike and same_size and self.wish == task.wish


@dataclass
class NodePipe:
    """What an edit of the core needs of a pipeline, from the sockets of a node."""

    model: ACEStep
    task: TaskAsked

    def tags(self, text: str) -> Tags:
        return self._words[0]

    def lyrics(self, text: str, language: str, compat: str) -> Lyrics:
        return self._words[1]

    def encode(self, wave: Tensor, rate: int) -> Latent:
        held = self.task.given and self.task.given.source_audio
        if not held:
            return sound.encoded(self.model, wave, rate)
        return sound.encoded_once(self.model, held["waveform"], wave, rate)

    def generate(self, recipe: Recipe, see: See) -> Made:
        raise AssertionError("a node samples by itself")

    def decode(self, latent: Latent, rate: int) -> Tensor:
        return sound.decoded(self.model, latent, rate)

    @property
    def _words(self) -> tuple[Tags, Lyrics]:
        assert self.task.words is not None, "only an edit asks for the source's words"
        return self.task.words


def _assignment(model: ACEStep, task: TaskAsked, recipe: Recipe, is_heard: bool) -> Assignment:
    assert task.given is not None
    assert not isinstance(task.wish, Vary)
    # The core encodes again what it cannot take as it is: then the sound is needed, too.
    is_partial = recipe.compat == "reference" or task.given.seconds > MAX_SECONDS
    clip = task.given.clip(model, is_heard or is_partial)
    return assigned(NodePipe(model, task), clip, recipe, task.wish, task.given.options)


@dataclass(frozen=True)
class Ready:
    """What the Sampler is to do: a recipe with its task, or nothing where the source stays."""

    recipe: Recipe
    unchanged: Latent | None = None
    regions: tuple[Region, ...] = ()  # of the source, where parts of it were asked for
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def ready(model: ACEStep, task: TaskAsked, recipe: Recipe) -> Ready:
    """The first half: the source encoded, the task made."""
    recipe = task.seeded(recipe)
    if isinstance(task.wish, Vary):
        assert isinstance(recipe.task, TextToMusic)
        seconds = recipe.task.seconds
        return Ready(resolved(replace(recipe, task=Retake(seconds, task.wish.variance))))
    assignment = _assignment(model, task, recipe, is_heard=False)
    job = assignment.job
    if len(assignment.tasks) > 1:
        raise SettingError(
            f"The source lasts {job.clip.seconds:.0f} s, and what is to be made new lies in"
            f" {len(assignment.tasks)} stretches of at most {MAX_SECONDS:g} s. Make one after the"
            " other: a task for each, the next on the result of the one before."
        )
    if not assignment.tasks:
        source = job.latent_of(0, job.clip.samples)
        latent = Latent(source.z.expand(len(recipe.seeds), -1, -1, -1).clone())
        note = "Nothing is made new: with these settings the result is the source."
        return Ready(job.recipe, latent, job.regions, [*job.notes, note], job.warnings)
    made = resolved(replace(job.recipe, task=assignment.tasks[0]()))
    return Ready(made, None, job.regions, job.notes, job.warnings)


def finished(model: ACEStep, task: TaskAsked, samples: dict[str, Any], latent: Latent) -> Edited:
    """The second half: what was sampled put into its source."""
    sampled = samples.get(KEY)
    if not isinstance(sampled, Sampled) or not sampled.fits(task, latent):
        raise SettingError(
            "The latent was not sampled for this task. Connect the same task to the Sampler and"
            " to DCAE Decode, and the Sampler's latent as it is."
        )
    assignment = _assignment(model, task, sampled.recipe, is_heard=True)
    lyrics = Lyrics(torch.zeros(1, 1, dtype=torch.int64), torch.zeros(1, 1))
    return assignment.sounded(Made(latent, sampled.recipe, lyrics), sampled.steps_run)


def is_edit(task: TaskAsked | None) -> bool:
    """Whether there is a source that a result is put into."""
    return task is not None and not isinstance(task.wish, Vary)


def words_for(task: TaskAsked | None, lyrics: Lyrics) -> Lyrics:
    """The lyrics to sing: an edit without new ones keeps the source's."""
    is_kept = task is not None and isinstance(task.wish, Flow) and task.words and not lyrics.text
    return task.words[1] if task and task.words and is_kept else lyrics
