"""Edits of sound in memory: inpaint, extend, edit, follow, vary.

    pipe (an ACEStep), clip, recipe with its task -> edited -> Edited, one take a seed
    the same in two halves: prepared -> Job, to be sampled here and `finished` there

Each of them is a task of `types`, done by a Job, which keeps all that was not to change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import torch

from ..config import FRAME, OUTPUT_RATE, SAMPLE_RATE
from ..lyrics.compare import compare
from ..pipeline import delivered, unseen
from ..sampling.loop import Counter, See
from ..settings import SettingError
from ..sound.track import Held
from ..tasks.region import moved, resolve, shortened
from ..types import Edit, Extend, Follow, Inpaint, Recipe, Region, Retake, TextToMusic
from .ends import extension, joined
from .job import (
    Findings,
    Job,
    Piece,
    Result,
    Sounded,
    decoded,
    ends_of,
    heard,
    level,
    options_of,
    put_back,
    sounded,
    unchanged,
    with_reports,
)
from .report import Change, compared
from .request import Edited, Options, Pipe, SourceClip
from .splice import as_source, samples_of

NO_CHANGE_KNOWN = Change(None, (), None, None)


def edited(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """The recipe's task done to a clip, one stretch after the other."""
    job = prepared(clip, recipe, options)
    return finished(job, (sounded(pipe, job, piece, see) for piece in job.pieces))


def prepared(clip: SourceClip, recipe: Recipe, options: Options | None = None) -> Job:
    """What is to be done to the source. Nothing is encoded or sampled yet."""
    task = recipe.task
    if isinstance(task, Inpaint):
        return _inpaint(task, Job(clip, recipe, options_of(recipe, options)))
    if isinstance(task, Extend):
        return extension(task, Job(clip, recipe, options_of(recipe, options)))
    if isinstance(task, Follow):
        return _follow(task, Job(clip, recipe, options_of(recipe, options)))
    if isinstance(task, Edit):  # empty tags or lyrics stay the source's
        tags, lyrics = recipe.tags or clip.tags, recipe.lyrics or clip.lyrics
        recipe = replace(recipe, tags=tags, lyrics=lyrics)
        return _edit(task, Job(clip, recipe, options_of(recipe, options)))
    raise SettingError(f"{type(task).__name__} works on no source.")


def finished(job: Job, pieces: Iterable[Sounded]) -> Edited:
    """What was sampled of each piece, in their order, put together."""
    if not job.pieces:
        return unchanged(job)
    if isinstance(job.recipe.task, Extend):
        return joined(job.recipe.task, job, pieces)
    return put_back(job, pieces)


def inpaint(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    regions: Sequence[Region],
    variance: float = Inpaint.variance,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """The regions made new; variance 0 returns the source."""
    task = Inpaint(tuple(regions), variance)
    return edited(pipe, clip, replace(recipe, task=task), options, see)


def _inpaint(task: Inpaint, job: Job) -> Job:
    regions = resolve(task.regions, job.clip.seconds)
    notes = tuple(shortened(task.regions, job.clip.seconds))
    job = replace(job, regions=regions, notes=notes)
    if task.variance == 0:
        note = "Variance is 0, so nothing is made new: this is the source."
        return replace(job, notes=(*notes, note))
    return _in_windows(job)


def edit(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    task: Edit | None = None,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """The source under the recipe's tags and lyrics; an empty one stays the source's.

    What the source is now stands in its clip. With regions the edit is heard in them alone.
    """
    return edited(pipe, clip, replace(recipe, task=task or Edit()), options, see)


def _edit(task: Edit, job: Job) -> Job:
    clip = job.clip
    if not clip.tags.strip():
        raise SettingError("The source's tags are empty. Say what the song is now.")
    job = replace(
        job,
        regions=resolve(task.regions, clip.seconds),
        notes=tuple(shortened(task.regions, clip.seconds)),
        warnings=tuple(
            compare(clip.lyrics, job.recipe.lyrics, language=job.recipe.language).problems
        ),
    )
    if not job.regions:
        job.refuse_long("Name a region: it is edited with the music around it as context.")
    return _in_windows(job)


def follow(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    strength: float = Follow.strength,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """A new clip along the lines of the source; strength 1 returns it."""
    return edited(pipe, clip, replace(recipe, task=Follow(strength)), options, see)


def _follow(task: Follow, job: Job) -> Job:
    job.refuse_long("Cut it, or make a part of it new with inpaint or edit.")
    if task.strength == 1:
        return replace(job, notes=("Strength is 1: this is the source.",))
    return _in_windows(job)


def _in_windows(job: Job) -> Job:
    """The task on stretches around the regions; on the whole clip where there are none."""
    if not job.behaviour.works_in_windows:
        job.refuse_long("Use corrected mode, which works on the part around a region.")
    clip, task, pieces = job.clip, job.recipe.task, []
    for window in job.windows:
        first, last = samples_of(Region(window.start, window.end), clip.rate, clip.samples)
        inner = task
        if isinstance(task, Inpaint):
            inner = replace(task, regions=moved(window.regions, first / clip.rate))
        begins = first / clip.rate
        is_put = window.regions and job.options.splice
        new = [(one.start - begins, one.end - begins) for one in window.regions if is_put]
        pieces.append(Piece(inner, first, last, tuple(new)))
    return replace(job, pieces=tuple(pieces))


def extend(
    pipe: Pipe,
    clip: SourceClip,
    recipe: Recipe,
    task: Extend,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """New music before and after the source, which stays as it is between.

    Of a source over 240 s each side is made apart, following what `context` says of that end.
    """
    return edited(pipe, clip, replace(recipe, task=task), options, see)


def vary(
    pipe: Pipe,
    recipe: Recipe,
    variance: float = Retake.variance,
    clip: SourceClip | None = None,
    options: Options | None = None,
    see: See = unseen,
) -> Edited:
    """Retakes of the clip that this recipe makes: its seed is needed, not its sound.

    Where the sound is given all the same, they get its rate, channels and level.
    """
    if not isinstance(recipe.task, TextToMusic | Retake):
        raise SettingError("Only a clip made from tags and lyrics alone can be varied by its seed.")
    recipe = replace(recipe, task=Retake(recipe.task.seconds, variance))
    options, steps = options_of(recipe, options), Counter(see)
    piece = decoded(pipe, pipe.generate(recipe, steps), steps.count)
    rate = clip.rate if clip else OUTPUT_RATE
    length = math.ceil(piece.latent.frames * FRAME * rate / SAMPLE_RATE)
    whole, tracks, changes, levels = (Region(0.0, length / rate),), [], [], []
    source, findings = heard(clip, 0, clip.samples) if clip else (None, Findings())
    made = torch.stack(
        [as_source(take, clip.channels if clip else 2, rate, length) for take in piece.takes]
    )
    if source is None:
        made, said = delivered(made)
        findings += Findings(notes=tuple(said))
    for wave in made:
        if source:
            levels.append((level(options, wave, rate, source),))
        is_alike = clip is not None and clip.samples == length
        track = Held(wave, rate)
        alike = compared(clip.track, track, whole) if clip and is_alike else NO_CHANGE_KNOWN
        changes.append(alike)
        tracks.append(track)
    findings += Findings(levels=tuple(levels))
    result = Result(tracks, rate, ends_of(whole), changes, piece.latent, findings)
    return with_reports("Retake", recipe, result, [piece])
