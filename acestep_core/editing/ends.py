"""New music before and after a source, in stretches where it is long.

    clip, before, after -> stretches of whole frames -> pieces
    what was made of them -> ends cut to the second asked for -> joined to the source

Frames are 92.9 ms, so more is made than was asked for; what is too much is cut off.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ..config import (
    FRAMES_PER_SECOND,
    MAX_SECONDS,
    frames_of,
    samples_at,
    seconds_of,
)
from ..sound.track import Held, Track
from ..types import Extend, Latent
from .job import Findings, Job, Piece, Result, Sounded, heard, level, reported
from .report import compared_extension
from .request import Edited
from .splice import as_source, join_extension


@dataclass(frozen=True)
class Stretch:
    """Samples [first, last) of the source that new music follows, and its seconds."""

    first: int
    last: int
    before: float
    after: float

    @property
    def is_aligned(self) -> bool:
        """Whether frames made of it begin where the result begins."""
        return self.first == 0 and self.before == 0


def extension(task: Extend, job: Job) -> Job:
    """The job with a piece for each stretch."""
    if not job.behaviour.works_in_windows:
        job.refuse_long("Use corrected mode, which follows the ends of longer clips.")
        return replace(job, pieces=(Piece(task, 0, job.clip.samples),))
    if not job.options.splice:
        job.refuse_long("Leave splice on; then new music is fitted to the ends alone.")
    pieces = []
    for stretch in _stretches(task, job):
        left, right = (_seconds(frames) for frames in _frames_beside(job, stretch))
        inner = Extend(left, right, task.context)
        kept = (stretch.last - stretch.first) / job.clip.rate
        ends = ((0.0, left), (left + kept, left + kept + right))
        new = tuple((a, b) for a, b in ends if a < b) if job.options.splice else ()
        pieces.append(Piece(inner, stretch.first, stretch.last, new))
    return replace(job, pieces=tuple(pieces))


def joined(task: Extend, job: Job, pieces: Iterable[Sounded]) -> Edited:
    """The stretches with what was added to them, put to the source's two ends."""
    if not job.behaviour.works_in_windows:
        (piece,) = pieces
        return _whole(task, job, piece)
    clip, findings, grown, made = job.clip, Findings(), [], []
    stretches = _stretches(task, job)
    for piece, stretch in zip(pieces, stretches, strict=True):
        waves, found = _grown(job, stretch, piece)
        grown.append(waves)
        findings += found
        made.append(replace(piece, takes=[]))
    before, after = (round(seconds * clip.rate) for seconds in (task.before, task.after))
    tracks: list[Track] = [Held(takes[0], clip.rate) for takes in zip(*grown, strict=True)]
    if job.options.splice:
        ends = [(takes[0][:, :before], takes[-1]) for takes in zip(*grown, strict=True)]
        tracks = [
            join_extension(
                left, clip.track, last[:, last.shape[-1] - after :], job.options.crossfade
            )
            for left, last in ends
        ]
    is_aligned = len(stretches) == 1 and stretches[0].is_aligned
    return _extended(job, tracks, before, findings, made, made[-1].latent if is_aligned else None)


def _whole(task: Extend, job: Job, piece: Sounded) -> Edited:
    """The whole of what was decoded, as the original gives it."""
    clip, rate = job.clip, job.clip.rate
    length = math.ceil(samples_at(piece.latent.frames, rate))
    source, findings = heard(clip, 0, clip.samples)
    waves = [as_source(take, clip.channels, rate, length).clone() for take in piece.takes]
    levels = tuple((level(job.options, wave, rate, source),) for wave in waves)
    before = round(samples_at(int(task.before * FRAMES_PER_SECOND), rate))
    findings += Findings(levels=levels)
    tracks = [Held(wave, rate) for wave in waves]
    return _extended(job, tracks, before, findings, [piece], piece.latent)


def _stretches(task: Extend, job: Job) -> list[Stretch]:
    """One for both sides, or one for each. With splice they are of whole frames: the silence that
    fills up the last frame would be heard at the join."""
    clip, before, after = job.clip, task.before, task.after
    end = clip.samples
    is_whole = clip.frames == clip.whole_frames or not job.options.splice
    frames = clip.whole_frames
    if job.is_long:
        frames, is_whole = min(frames, frames_of(task.context)), False
    size = end if is_whole else int(samples_at(frames, clip.rate))
    gap = (end - size) / clip.rate
    if not job.is_long and before and (not after or after + gap <= MAX_SECONDS):
        return [Stretch(0, size, before, after)]
    left, right = Stretch(0, size, before, 0.0), Stretch(end - size, end, 0.0, after)
    return [stretch for stretch in (left, right) if stretch.before or stretch.after]


def _frames_beside(job: Job, stretch: Stretch) -> tuple[int, int]:
    """Frames to add before and after a stretch."""
    if not stretch.after:
        return _frames(stretch.before), 0
    gap = (job.clip.samples - stretch.last) / job.clip.rate
    return _frames(stretch.before), _frames(stretch.after + gap)


def _grown(job: Job, stretch: Stretch, made: Sounded) -> tuple[list[Tensor], Findings]:
    """For each take the stretch (C, N) as it was made, with what was added on either side."""
    clip, rate = job.clip, job.clip.rate
    end = clip.samples if stretch.after else stretch.last
    left, _ = _frames_beside(job, stretch)
    before, after = (round(seconds * rate) for seconds in (stretch.before, stretch.after))
    start = max(round(samples_at(left, rate)) - before, 0)
    length = before + end - stretch.first + after
    source, findings = heard(clip, stretch.first, stretch.last)
    takes, levels = [], []
    for take in made.takes:
        wave = as_source(take, clip.channels, rate, start + length)[:, start:].clone()
        parts = (wave[:, :before], wave[:, length - after :]) if job.options.splice else (wave,)
        new = (part for part in parts if part.shape[-1])
        levels.append(tuple(level(job.options, part, rate, source) for part in new))
        takes.append(wave)
    return takes, findings + Findings(levels=tuple(levels))


def _extended(
    job: Job,
    tracks: Sequence[Track],
    before: int,
    findings: Findings,
    made: Sequence[Sounded],
    latent: Latent | None,
) -> Edited:
    """The takes, in which the source begins at sample `before`, with their reports."""
    source, rate = job.clip.track, job.clip.rate
    changes = [compared_extension(source, track, before) for track in tracks]
    after = before + source.samples
    ends = ((0.0, before / rate), (after / rate, tracks[0].samples / rate))
    new = [(a, b) for a, b in ends if a < b]
    return reported(job, Result(tracks, rate, new, changes, latent, findings), made)


def _frames(seconds: float) -> int:
    """Frames that hold so many seconds."""
    return math.ceil(round(seconds * FRAMES_PER_SECOND, 6))


def _seconds(frames: int) -> float:
    """The setting that asks for so many frames; 240 s has part of one."""
    return min(seconds_of(frames), MAX_SECONDS)
