"""Edits of sound in memory: inpaint, extend, edit, audio to audio, vary.

    pipe (an ACEStep), clip, recipe without its task, what to do -> Edited, one take a seed
    the same, a Wish -> assigned -> Assignment, to be sampled here and put together there

Each of them is a task of `types`, done by a Job, which keeps all that was not to change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from ..config import FRAME, SAMPLE_RATE
from ..lyrics.compare import compare
from ..pipeline import unseen
from ..sampling.loop import See
from ..settings import SettingError
from ..tasks.region import Window, resolve, shortened
from ..types import (
    AudioToAudio,
    Edit,
    Latent,
    Lyrics,
    Recipe,
    Region,
    Repaint,
    Retake,
    Tags,
    Task,
    TextToMusic,
)
from .ends import _extend
from .job import NO_CHANGE_KNOWN, Assignment, Job
from .report import compared
from .request import Edited, Flow, Follow, Growth, Inpaint, Options, Pipe, SourceClip, Wish
from .splice import as_source

__all__ = [
    "Assignment",
    "Edited",
    "Flow",
    "Follow",
    "Growth",
    "Inpaint",
    "Options",
    "Pipe",
    "SourceClip",
    "Wish",
    "assigned",
    "audio_to_audio",
    "edit",
    "extend",
    "inpaint",
    "vary",
]


def assigned(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    wish: Wish,
    options: Options | None = None,
    see: See = unseen,
) -> Assignment:
    """What is to be done to the source: the tasks to sample, and what is made of their sound."""
    if isinstance(wish, Flow):  # empty tags or lyrics stay the source's
        recipe = replace(recipe, tags=recipe.tags or wish.tags, lyrics=recipe.lyrics or wish.lyrics)
        return _edit(Job("Edit", pipe, clip, recipe, options, see), wish)
    if isinstance(wish, Inpaint):
        return _inpaint(Job("Inpaint", pipe, clip, recipe, options, see), wish)
    if isinstance(wish, Growth):
        return _extend(Job("Extend", pipe, clip, recipe, options, see), wish)
    return _follow(Job("Audio to audio", pipe, clip, recipe, options, see), wish)


def inpaint(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    regions: Sequence[Region],
    variance: float = 0.5,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """The regions made new; variance 0 returns the source."""
    wish = Inpaint(tuple(regions), variance)
    return assigned(pipe, clip, recipe, wish, options, see).done()


def _inpaint(job: Job, wish: Inpaint) -> Assignment:
    clip = job.clip
    job.regions = resolve(wish.regions, clip.seconds)
    job.notes += shortened(wish.regions, clip.seconds)
    if wish.variance == 0:
        nothing = Repaint(Latent.none(), job.regions, 0)
        return job.unchanged(nothing, "Variance is 0, so nothing is made new: this is the source.")

    def task(source: Latent, window: Window) -> Task:
        return Repaint(source, window.regions, wish.variance, window.end)

    return job.in_windows(task)


def edit(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    flow: Flow,
    regions: Sequence[Region] = (),
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """The source under the recipe's tags and lyrics; an empty one stays the source's.

    With regions the edit is heard in them alone; without, the whole clip is edited.
    """
    wish = replace(flow, regions=tuple(regions) or flow.regions)
    return assigned(pipe, clip, recipe, wish, options, see).done()


def _edit(job: Job, flow: Flow) -> Assignment:
    clip, recipe, pipe = job.clip, job.recipe, job.pipe
    job.notes += shortened(flow.regions, clip.seconds)
    job.warnings += compare(flow.lyrics, recipe.lyrics, language=recipe.language).problems
    job.regions = resolve(flow.regions, clip.seconds)
    if not job.regions:
        job.refuse_long("Name a region: it is edited with the music around it as context.")

    @cache
    def words() -> tuple[Tags, Lyrics]:
        lyrics = pipe.lyrics(flow.lyrics, recipe.language, recipe.compat)
        return pipe.tags(flow.tags), lyrics

    def task(source: Latent, window: Window) -> Task:
        share = (flow.start, flow.stop, flow.average)
        return Edit(source, *words(), *share, flow.extended)

    return job.in_windows(task)


def audio_to_audio(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    strength: float = 0.5,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """A new clip along the lines of the source; strength 1 returns it."""
    return assigned(pipe, clip, recipe, Follow(strength), options, see).done()


def _follow(job: Job, wish: Follow) -> Assignment:
    job.refuse_long("Cut it, or make a part of it new with inpaint or edit.")
    if wish.strength == 1:
        nothing = AudioToAudio(Latent.none(), 1)
        return job.unchanged(nothing, "Strength is 1: this is the source.")
    return job.in_windows(lambda source, window: AudioToAudio(source, wish.strength))


def vary(
    pipe: Pipe,
    recipe: Recipe,
    variance: float = 0.2,
    clip: SourceClip | None = None,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """Retakes of the clip that this recipe makes: its seed is needed, not its sound.

    Where the sound is given all the same, they get its rate, channels and level.
    """
    if not isinstance(recipe.task, TextToMusic | Retake):
        raise SettingError("Only a clip made from tags and lyrics alone can be varied by its seed.")
    job = Job("Retake", pipe, clip, recipe, options, see)
    made = job.make(Retake(recipe.task.seconds, variance))
    latent = job.latent_made
    length = math.ceil(latent.frames * FRAME * job.rate / SAMPLE_RATE)
    source = job.hear(0, clip.samples) if clip else None
    whole, waves, changes = (Region(0.0, length / job.rate),), [], []
    for index, wave in enumerate(made):
        wave = as_source(wave, len(clip.wave) if clip else 2, job.rate, length)
        wave = wave * job.level(index, wave, source) if source else wave
        waves.append(wave)
        is_alike = clip is not None and clip.samples == length
        alike = compared(job.clip.wave, wave, whole, job.rate) if is_alike else None
        changes.append(alike or NO_CHANGE_KNOWN)
    return job.finish(waves, whole, changes, latent)


def extend(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    growth: Growth,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """New music before and after the source, which stays as it is between.

    Of a source over 240 s each side is made apart, following what `context` says of that end.
    """
    return assigned(pipe, clip, recipe, growth, options, see).done()
