"""New music before and after a source, in stretches where it is long."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from ..config import FRAME, FRAMES_PER_SECOND, MAX_SECONDS, SAMPLE_RATE, frames_of, seconds_of
from ..types import (
    Extend,
    Latent,
    Region,
    Task,
)
from .job import Assignment, Job
from .report import compared_extension
from .request import Edited, Growth, Takes
from .splice import as_source, join_extension


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
