"""ACESUITE_TASK: what is to be done to which source. Nothing is computed until it is sampled.

    TaskAsked -> ready    -> Ready, for the Sampler: the recipe with a piece's task, its source
    LATENT    -> finished -> Edited, for DCAE Decode: spliced, matched in level, reported

Both halves make the same Job of the core. What the second has to know of the first rides along
in the LATENT, under a key that other nodes leave alone, with a digest of the samples: a node
that copied the key onto other samples is found out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ..acestep_core.config import FRAME, MAX_SECONDS, SAMPLE_RATE
from ..acestep_core.editing.edits import finished as put_together
from ..acestep_core.editing.edits import prepared
from ..acestep_core.editing.job import Sounded, source_of
from ..acestep_core.editing.request import Edited, Options, SourceClip
from ..acestep_core.networks.memory import give_back
from ..acestep_core.pipeline import ACEStep, Made, resolved
from ..acestep_core.sampling.loop import See
from ..acestep_core.sampling.noise import derived
from ..acestep_core.settings import SettingError
from ..acestep_core.sound.flaws import listening
from ..acestep_core.sound.tiles import Heard
from ..acestep_core.tasks.behaviours import BEHAVIOURS
from ..acestep_core.tasks.region import Window
from ..acestep_core.types import (
    Edit,
    Follow,
    Latent,
    Lyrics,
    Recipe,
    Retake,
    Source,
    Tags,
    Task,
    TextToMusic,
    checked_latent,
)
from ..acestep_core.weights.download import sha256
from . import host, sound


@dataclass(frozen=True, eq=False)
class Given:
    """The source of a task: its sound, its latents, or both."""

    source_audio: sound.Audio | None = None
    source_latent: sound.Samples | None = None
    file: str = ""  # that the sound was loaded from, in ComfyUI's input folder

    def __post_init__(self) -> None:
        if self.source_audio is None and self.source_latent is None:
            raise SettingError("There is no source. Connect source_audio or source_latent.")

    @property
    def named(self) -> tuple[str, str]:
        """Name and SHA-256 of the source's file, where it is one."""
        place = host.input_file(self.file) if self.file else None
        if isinstance(self.source_audio, sound.Streamed):
            place = self.source_audio.path
        return (place.name, sha256(place)) if place else ("", "")

    @property
    def latent(self) -> Latent | None:
        return checked_latent(self.source_latent["samples"]) if self.source_latent else None

    @property
    def seconds(self) -> float:
        """Length of the source."""
        if self.source_audio is not None:
            return sound.seconds_of(self.source_audio)
        assert self.latent is not None
        return self.latent.frames * FRAME / SAMPLE_RATE


@dataclass(frozen=True, eq=False)
class TaskAsked:
    """What goes through an ACESUITE_TASK socket."""

    task: Task  # a retake's length is the Sampler's
    given: Given | None = None  # nothing for a retake
    source_seed: int | None = None
    words: tuple[Tags, Lyrics] | None = None  # the source's own, for an edit

    def recipe(self, recipe: Recipe) -> Recipe:
        """The Sampler's recipe with this task. Its seeds become those of what is new; the
        source's are given, or derived."""
        task, new = self.task, recipe.seeds
        if isinstance(task, Retake):
            assert isinstance(recipe.task, TextToMusic)
            task = replace(task, seconds=recipe.task.seconds)
        if isinstance(task, Follow):
            return replace(recipe, task=task)
        own = self.source_seed
        seeds = tuple(derived(seed) if own is None else own for seed in new)
        return replace(recipe, task=task, seeds=seeds, retake_seeds=new)

    def clip(self, model: ACEStep, is_heard: bool) -> SourceClip:
        """The source; one that is a latent alone is decoded only where it is heard."""
        assert self.given is not None
        latent, audio = self.given.latent, self.given.source_audio
        words = (self.words[0].text, self.words[1].text) if self.words else ("", "")
        if audio is not None:
            return SourceClip(*sound.one_clip("source_audio", audio), latent, *words)
        assert latent is not None
        if is_heard:
            wave = sound.decoded(model, latent, SAMPLE_RATE)[0]
        else:
            wave = torch.zeros(1, 1).expand(2, latent.frames * FRAME)
        return SourceClip(wave, SAMPLE_RATE, latent, *words)

    def sung(self, lyrics: Lyrics) -> Lyrics:
        """The lyrics to sing: an edit without new ones keeps the source's."""
        is_kept = isinstance(self.task, Edit) and self.words and not lyrics.text
        return self.words[1] if self.words and is_kept else lyrics


@dataclass(frozen=True, eq=False)
class Sampled:
    """What rides along in a LATENT."""

    asked: TaskAsked
    recipe: Recipe  # its task as it was asked for, its seeds as they were used
    steps: int
    digest: str  # of the samples
    notes: tuple[str, ...] = ()


def digest_of(samples: Tensor) -> str:
    """SHA-256 of samples (B, 8, 16, T), wherever they lie."""
    plain = samples.detach().to("cpu", torch.float32).contiguous()
    return hashlib.sha256(plain.numpy().tobytes()).hexdigest()


def seeds_of(samples: sound.Samples) -> tuple[int, ...]:
    """The seeds of what is new in a LATENT, where it says so."""
    seeds = samples.get(sound.SEEDS, ())
    return seeds if len(seeds) == len(samples["samples"]) else ()


@dataclass(frozen=True)
class NodePipe:
    """What an edit of the core needs of a pipeline, from the sockets of a node."""

    model: ACEStep
    asked: TaskAsked

    def tags(self, text: str) -> Tags:
        return self._words[0]

    def lyrics(self, text: str, language: str, compat: str) -> Lyrics:
        return self._words[1]

    def encode(self, wave: Tensor, rate: int) -> Latent:
        held, stretch = self.asked.given and self.asked.given.source_audio, [wave]
        del wave
        if not held:
            return sound.encoded(self.model, stretch, rate)
        return sound.encoded_once(self.model, held, stretch, rate)

    def generate(self, recipe: Recipe, see: See, source: Source | None = None) -> Made:
        raise AssertionError("a node samples by itself")

    def decode(self, latent: Latent, rate: int, *, heard: Heard = None) -> Tensor:
        return sound.decoded(self.model, latent, rate, heard)

    @property
    def _words(self) -> tuple[Tags, Lyrics]:
        assert self.asked.words is not None, "only an edit asks for the source's words"
        return self.asked.words


@dataclass(frozen=True, eq=False)
class Ready:
    """What the Sampler is to do."""

    asked: Recipe  # as it was asked for, with the seeds that are used
    sampled: Recipe  # with the task of the piece
    source: Source | None = None
    unchanged: bool = False  # nothing is new: the result is the source
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())


def ready(model: ACEStep, asked: TaskAsked | None, recipe: Recipe) -> Ready:
    """The first half: the source encoded, the task made."""
    recipe = resolved(asked.recipe(recipe) if asked else recipe)
    if asked is None or asked.given is None:
        return Ready(recipe, recipe)
    # The core encodes again what it cannot take as it is: then the sound is needed, too.
    is_whole = asked.given.seconds <= MAX_SECONDS and BEHAVIOURS[recipe.compat].reuses_latents
    job = prepared(asked.clip(model, is_heard=not is_whole), recipe)
    recipe, pipe = job.recipe, NodePipe(model, asked)
    if len(job.pieces) > 1:
        raise SettingError(
            f"The source lasts {job.clip.seconds:.0f} s, and what is to be made new lies in"
            f" {len(job.pieces)} stretches of at most {MAX_SECONDS:g} s. Make one after the"
            " other: a task for each, the next on the result of the one before."
        )
    if not job.pieces:
        # Of a source that cannot be worked on at once, what is around the first region.
        end = job.clip.samples / job.clip.rate
        window = job.windows[0] if job.is_long else Window(0.0, end, ())
        first, last = (round(one * job.clip.rate) for one in (window.start, window.end))
        part = job.clip.track.part(first, last)
        known = asked.given.latent or pipe.encode(part, job.clip.rate)
        note = "Nothing is made new: with these settings the result is the source."
        return Ready(recipe, recipe, Source(known), True, (*job.notes, note), job.warnings)
    source, notes = source_of(pipe, job, job.pieces[0])
    give_back()
    sampled = replace(recipe, task=job.pieces[0].task)
    return Ready(recipe, sampled, source, False, (*job.notes, *notes), job.warnings)


def finished(
    model: ACEStep, sampled: Sampled, latent: Latent, options: Options | None = None
) -> Edited:
    """The second half: what was sampled put into its source."""
    pipe = NodePipe(model, sampled.asked)
    job = prepared(sampled.asked.clip(model, is_heard=True), sampled.recipe, options)
    if not job.pieces:
        return put_together(job, ())
    give_back()
    with listening() as flaws:
        takes = list(pipe.decode(latent, SAMPLE_RATE, heard=job.pieces[0].heard))
    give_back()
    told = sampled.notes, (), tuple(flaws)
    piece = Sounded(takes, latent, sampled.recipe, sampled.steps, *told)
    return put_together(job, [piece])
