"""Edits of sound in memory: inpaint, extend, edit, audio to audio, vary.

    pipe (an ACEStep), clip, recipe without its task, what to do -> Edited, one take a seed
    the same, a Wish -> assigned -> Assignment, to be sampled here and put together there

Each of them is a task of `types`, done by a Job, which keeps all that was not to change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from torch import Tensor

from ..config import FRAME, FRAMES_PER_SECOND, MAX_SECONDS, SAMPLE_RATE, frames_of, seconds_of
from ..pipeline import unseen
from ..sampling.loop import See
from ..tasks.region import Window, resolve, shortened
from ..types import (
    AudioToAudio,
    Edit,
    Extend,
    Latent,
    Lyrics,
    Recipe,
    Region,
    Repaint,
    Retake,
    SettingError,
    Tags,
    Task,
    TextToMusic,
    checked,
)
from .job import NO_CHANGE_KNOWN, Assignment, Edited, Job, Options, Pipe, SourceClip, Takes
from .report import compared, compared_extension, lyric_warnings
from .splice import as_source, join_extension

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


@dataclass(frozen=True)
class Inpaint:
    """Regions to make new, and how much; variance 0 leaves the source."""

    regions: tuple[Region, ...]
    variance: float = 0.5

    def __post_init__(self) -> None:
        checked("Variance", self.variance, 0, 1)
        if not self.regions:
            raise SettingError("No region was given; name the part to make new.")


@dataclass(frozen=True)
class Follow:
    """A new clip along the lines of the source; strength 1 is the source."""

    strength: float = 0.5

    def __post_init__(self) -> None:
        checked("Reference strength", self.strength, 0, 1)


@dataclass(frozen=True)
class Growth:
    """New music before and after a source, in seconds, and how much of the source it follows."""

    before: float = 0.0
    after: float = 30.0
    context: float = MAX_SECONDS

    def __post_init__(self) -> None:
        checked("Extend before (seconds)", self.before, 0, MAX_SECONDS)
        checked("Extend after (seconds)", self.after, 0, MAX_SECONDS)
        checked("Context (seconds)", self.context, 1, MAX_SECONDS)
        if not self.before and not self.after:
            raise SettingError("Extend adds 0 s before and 0 s after. Ask for some new music.")


@dataclass(frozen=True)
class Flow:
    """What the source is, and how far an edit leads away from it (see `types.Edit`).

    With regions the edit is heard in them alone.
    """

    tags: str
    lyrics: str = ""
    start: float = 0.2
    stop: float = 0.4
    average: int = 1
    extended: bool = False
    regions: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        checked("Edit start (n_min)", self.start, 0, 1)
        # Said before the source is encoded, which may take minutes.
        checked("Edit stop (n_max)", self.stop, self.start, 1, "It cannot be before the start.")


Wish = Inpaint | Growth | Flow | Follow


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
    job.warnings += lyric_warnings(flow.lyrics, recipe.lyrics)
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


def _extend(job: Job, growth: Growth) -> Assignment:
    if job.is_reference:
        return _as_the_original(job, growth)
    if not job.options.splice:
        job.refuse_long("Leave splice on; then new music is fitted to the ends alone.")
    stretches = _stretches(job, growth)

    def finish(made: Iterable[Takes]) -> Edited:
        grown = [
            _grown(job, stretch, waves) for stretch, waves in zip(stretches, made, strict=True)
        ]
        return _joined(job, growth, stretches, grown)

    tasks = [partial(_task_beside, job, stretch, growth.context) for stretch in stretches]
    return Assignment(job, tasks, finish)


def _joined(
    job: Job, growth: Growth, stretches: Sequence[_Stretch], grown: Sequence[Takes]
) -> Edited:
    """The stretches with what was added to them, put to the source's two ends."""
    clip = job.clip
    before, after = (round(seconds * clip.rate) for seconds in (growth.before, growth.after))
    waves = [made[0] for made in zip(*grown, strict=True)]
    if job.options.splice:
        ends = [(made[0][:, :before], made[-1]) for made in zip(*grown, strict=True)]
        waves = [
            join_extension(
                left, clip.wave, last[:, last.shape[-1] - after :], clip.rate, job.options.crossfade
            )
            for left, last in ends
        ]
    is_aligned = len(stretches) == 1 and stretches[0].is_aligned
    return _extended(job, waves, before, job.latent_made if is_aligned else None)


@dataclass(frozen=True)
class _Stretch:
    """Samples [first, last) of the source that new music follows, and its seconds."""

    first: int
    last: int
    before: float
    after: float

    @property
    def is_aligned(self) -> bool:
        """Whether frames made of it begin where the result begins."""
        return self.first == 0 and self.before == 0


def _stretches(job: Job, growth: Growth) -> list[_Stretch]:
    """One for both sides, or one for each. With splice they are of whole frames: the silence that
    fills up the last frame would be heard at the join."""
    clip, before, after = job.clip, growth.before, growth.after
    end = clip.samples
    is_whole = clip.frames == clip.whole_frames or not job.options.splice
    frames = clip.whole_frames
    if job.is_long:
        frames, is_whole = min(frames, frames_of(growth.context)), False
    size = end if is_whole else frames * FRAME * clip.rate // SAMPLE_RATE
    gap = (end - size) / clip.rate
    if not job.is_long and before and (not after or after + gap <= MAX_SECONDS):
        return [_Stretch(0, size, before, after)]
    left, right = _Stretch(0, size, before, 0.0), _Stretch(end - size, end, 0.0, after)
    return [stretch for stretch in (left, right) if stretch.before or stretch.after]


def _frames_beside(job: Job, stretch: _Stretch) -> tuple[int, int]:
    """Frames to add before and after a stretch."""
    if not stretch.after:
        return _frames(stretch.before), 0
    gap = (job.clip.samples - stretch.last) / job.clip.rate
    return _frames(stretch.before), _frames(stretch.after + gap)


def _task_beside(job: Job, stretch: _Stretch, context: float) -> Task:
    known = job.latent_of(stretch.first, stretch.last)
    left, right = (_seconds(frames) for frames in _frames_beside(job, stretch))
    return Extend(known, left, right, context, known.seconds)


def _grown(job: Job, stretch: _Stretch, waves: Takes) -> list[Tensor]:
    """For each take the stretch (C, N) as it was made, with what was added on either side."""
    clip, rate = job.clip, job.clip.rate
    end = clip.samples if stretch.after else stretch.last
    left, _ = _frames_beside(job, stretch)
    before, after = (round(seconds * rate) for seconds in (stretch.before, stretch.after))
    start = max(round(left * FRAME * rate / SAMPLE_RATE) - before, 0)
    length = before + end - stretch.first + after
    source = job.hear(stretch.first, stretch.last)
    takes = []
    for index, wave in enumerate(waves):
        wave = as_source(wave, len(clip.wave), rate, start + length)[:, start:]
        if not job.options.splice:
            takes.append(wave * job.level(index, wave, source))
            continue
        wave = wave.clone()
        for part in (wave[:, :before], wave[:, length - after :]):
            if part.shape[-1]:
                part *= job.level(index, part, source)
        takes.append(wave)
    return takes


def _as_the_original(job: Job, growth: Growth) -> Assignment:
    """The whole of what was decoded."""
    job.refuse_long("Use corrected mode, which follows the ends of longer clips.")
    clip, rate = job.clip, job.clip.rate

    def task() -> Task:
        known = job.latent_of(0, clip.samples)
        return Extend(known, growth.before, growth.after, growth.context, clip.seconds)

    def finish(made: Iterable[Takes]) -> Edited:
        waves = []
        for takes in made:
            length = math.ceil(job.latent_made.frames * FRAME * rate / SAMPLE_RATE)
            source = job.hear(0, clip.samples)
            for index, wave in enumerate(takes):
                waves.append(as_source(wave, len(clip.wave), rate, length))
                job.level(index, waves[-1], source)
        before = round(int(growth.before * FRAMES_PER_SECOND) * FRAME * rate / SAMPLE_RATE)
        return _extended(job, waves, before, job.latent_made)

    return Assignment(job, [task], finish)


def _extended(job: Job, waves: list[Tensor], before: int, latent: Latent | None) -> Edited:
    """The takes, in which the source begins at sample `before`, with their reports."""
    source, rate = job.clip.wave, job.rate
    changes = [compared_extension(source, wave, before, rate) for wave in waves]
    after = before + source.shape[-1]
    ends = ((0.0, before / rate), (after / rate, waves[0].shape[-1] / rate))
    return job.finish(waves, [Region(a, b) for a, b in ends if a < b], changes, latent)


def _frames(seconds: float) -> int:
    """Frames that hold so many seconds."""
    return math.ceil(round(seconds * FRAMES_PER_SECOND, 6))


def _seconds(frames: int) -> float:
    """The setting that asks for so many frames; 240 s has part of one."""
    return min(seconds_of(frames), MAX_SECONDS)
