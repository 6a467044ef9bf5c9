"""One edit of one source: what is to be sampled, and what is made of its sound.

    clip, recipe -> Job: pieces, each a task on a stretch of at most 240 s
    piece -> source_of -> Source, to be sampled
    what was sampled -> Sounded -> levelled, spliced, compared -> Edited

Outside the regions a result is the source, sample for sample, at its own rate and number of
channels, where the mode splices. Both halves need the job alone, so a host may sample in one
node and decode in another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from torch import Tensor

from ..config import FRAMES_PER_SECOND, MAX_SECONDS, SAMPLE_RATE
from ..networks.memory import give_back
from ..pipeline import Made
from ..sampling.loop import Counter, See
from ..settings import SettingError
from ..sound.flaws import listening
from ..sound.loudness import Loudness, Matching, heat_of, matched, measured, standard, unmatched
from ..sound.tiles import Heard
from ..sound.track import Patch, Patched, Track
from ..tasks.behaviours import BEHAVIOURS
from ..tasks.kit import Behaviour
from ..tasks.region import Window, territories, windows
from ..types import Edit, Latent, Recipe, Region, Source, Task
from .report import Change, EditReport, change_warnings, compared, step_warnings
from .request import Edited, Options, Pipe, SourceClip, Takes
from .splice import as_source, patches, samples_of


@dataclass(frozen=True)
class Piece:
    """A task on the source's samples [first, last), in that stretch's own time."""

    task: Task
    first: int
    last: int
    new: tuple[tuple[float, float], ...] = ()  # seconds of it that are put in; empty = all

    @property
    def heard(self) -> Heard:
        """The latent frames whose sound is needed; one more on each side for another rate."""
        if not self.new:
            return None
        per_second = FRAMES_PER_SECOND
        return [
            (max(math.floor(a * per_second) - 1, 0), math.ceil(b * per_second) + 1)
            for a, b in self.new
        ]


@dataclass(frozen=True, eq=False)
class Job:
    """An edit made ready. Without pieces the result is the source."""

    clip: SourceClip
    recipe: Recipe  # its task as it was asked for
    options: Options  # as far as the mode has them
    regions: tuple[Region, ...] = ()  # resolved
    pieces: tuple[Piece, ...] = ()
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of its task: Inpaint, Extend, Edit, Follow."""
        return type(self.recipe.task).__name__

    @property
    def behaviour(self) -> Behaviour:
        return BEHAVIOURS[self.recipe.compat]

    @property
    def is_long(self) -> bool:
        return self.clip.seconds > MAX_SECONDS

    @cached_property
    def windows(self) -> list[Window]:
        """Stretches around the regions; the whole clip where there are none."""
        whole = Window(0.0, self.clip.seconds, ())
        return windows(self.regions, self.clip.seconds, MAX_SECONDS) or [whole]

    def refuse_long(self, fix: str) -> None:
        if self.is_long:
            raise SettingError(
                f"The source lasts {self.clip.seconds:.1f} s; at most {MAX_SECONDS:g} s can be"
                f" worked on at once. {fix}"
            )


@dataclass(frozen=True, eq=False)
class Sounded:
    """A piece after sampling and decoding."""

    takes: Takes
    latent: Latent
    recipe: Recipe  # with the seeds that were used
    steps: int  # noise levels that were sampled
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()  # of its sound


@dataclass(frozen=True)
class Findings:
    """What was found out beside the sound itself; levels are those of each take."""

    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    levels: tuple[tuple[Matching, ...], ...] = ()

    def __add__(self, other: Findings) -> Findings:
        count = max(len(self.levels), len(other.levels))
        sides = (one.levels or ((),) * count for one in (self, other))
        levels = tuple(mine + others for mine, others in zip(*sides, strict=True))
        notes, warnings = self.notes + other.notes, self.warnings + other.warnings
        return Findings(notes, warnings, levels)


@dataclass(frozen=True, eq=False)
class Result:
    """The takes of an edit, and all that is said of them."""

    tracks: Sequence[Track]  # each take
    rate: int
    new: Sequence[tuple[float, float]]  # what is new, in seconds of the result
    changes: Sequence[Change]
    latent: Latent | None = None
    findings: Findings = field(default_factory=Findings)


def options_of(recipe: Recipe, options: Options | None) -> Options:
    """How the result is put into its source, as far as the mode does that."""
    options = options or Options()
    if BEHAVIOURS[recipe.compat].splices:
        return options
    return replace(options, splice=False, match_level=False)


def source_of(pipe: Pipe, job: Job, piece: Piece) -> tuple[Source, tuple[str, ...]]:
    """What a piece works on, and how its latents were come by."""
    clip, task = job.clip, piece.task
    latent, notes = _latent_of(pipe, job, piece.first, piece.last)
    seconds = (piece.last - piece.first) / clip.rate
    if not isinstance(task, Edit):
        return Source(latent, seconds=seconds), notes
    lyrics = pipe.lyrics(clip.lyrics, job.recipe.language, job.recipe.compat)
    return Source(latent, pipe.tags(clip.tags), lyrics, seconds), notes


def _latent_of(pipe: Pipe, job: Job, first: int, last: int) -> tuple[Latent, tuple[str, ...]]:
    """Latents of the source's samples [first, last): its own where it brought them."""
    clip, known, notes = job.clip, job.clip.latent, ()
    is_whole = (first, last) == (0, clip.samples)
    if known is not None and is_whole and job.behaviour.reuses_latents:
        if known.frames == clip.frames:
            note = "The source's own latents were used; nothing was encoded again."
            return known, (note,)
        notes = (
            f"The source's latents have {known.frames} frames and its sound {clip.frames}:"
            " they are not of the same clip, so the sound was encoded.",
        )
    return pipe.encode(clip.track.part(first, last), clip.rate), notes


def sounded(pipe: Pipe, job: Job, piece: Piece, see: See) -> Sounded:
    """A piece sampled and decoded here."""
    source, notes = source_of(pipe, job, piece)
    give_back()
    steps = Counter(see)
    made = pipe.generate(replace(job.recipe, task=piece.task), steps, source)
    give_back()
    return decoded(pipe, made, steps.count, notes, piece.heard)


def decoded(
    pipe: Pipe, made: Made, steps: int, notes: tuple[str, ...] = (), heard: Heard = None
) -> Sounded:
    """What was sampled, perhaps elsewhere, in so many steps."""
    with listening() as flaws:
        takes = list(pipe.decode(made.latent, SAMPLE_RATE, heard=heard))
    give_back()
    return Sounded(takes, made.latent, made.recipe, steps, notes, made.warnings, tuple(flaws))


def unchanged(job: Job) -> Edited:
    """The source for every take."""
    source = job.clip.track
    tracks = [Patched(source) for _ in job.recipe.seeds]
    change = compared(source, tracks[0], job.regions)
    result = Result(tracks, job.clip.rate, ends_of(job.regions), [change] * len(tracks))
    return reported(job, result, ())


def ends_of(regions: Sequence[Region]) -> list[tuple[float, float]]:
    """Seconds."""
    return [(region.start, region.end) for region in regions]


def put_back(job: Job, pieces: Iterable[Sounded]) -> Edited:
    """What was made of each window, put into the source."""
    clip, findings, heard = job.clip, Findings(), []
    takes: list[list[Patch]] = [[] for _ in job.recipe.seeds]
    for piece, window, territory in zip(pieces, job.windows, territories(job.windows), strict=True):
        new = window.regions if window.regions and job.options.splice else (territory,)
        findings += _put(job, piece, window, new, takes)
        heard.append(replace(piece, takes=[]))  # their sound is in the result now
    new = job.regions or (Region(0.0, clip.seconds),)
    tracks = [Patched(clip.track, patches) for patches in takes]
    changes = [compared(clip.track, track, new) for track in tracks]
    latent = None if job.is_long else heard[-1].latent
    return reported(job, Result(tracks, clip.rate, ends_of(new), changes, latent, findings), heard)


def _put(
    job: Job, made: Sounded, window: Window, new: Sequence[Region], takes: list[list[Patch]]
) -> Findings:
    """Add what was made of `new` on a window to the patches of every take."""
    clip = job.clip
    first, last = samples_of(Region(window.start, window.end), clip.rate, clip.samples)
    around, findings = heard(clip, first, last)
    if job.is_long:
        place = f"{window.start:.2f}-{window.end:.2f} s of {clip.seconds:.2f} s"
        findings = Findings((f"Worked on {place}.",)) + findings
    spans = [samples_of(region, clip.rate, clip.samples) for region in new]
    wanted = [standard(measured(clip.track.part(*span), clip.rate), around) for span in spans]
    levels = []
    for take, wave in zip(takes, made.takes, strict=True):
        wave = as_source(wave, clip.channels, clip.rate, last - first)
        own = []
        for region, (start, end), source in zip(new, spans, wanted, strict=True):
            part = wave[:, start - first : end - first].clone()
            own.append(level(job.options, part, clip.rate, source))
            take += patches(clip.track, part, start, [region], job.options.crossfade)
        levels.append(tuple(own))
    return findings + Findings(levels=tuple(levels))


def heard(clip: SourceClip, first: int, last: int) -> tuple[Loudness, Findings]:
    """The source's loudness from sample to sample, and what is wrong with it."""
    source = measured(clip.track.part(first, last), clip.rate)
    notes, warnings = [], []
    if source.is_hot:
        (warnings if source.is_clipped else notes).append(heat_of(source))
    if source.is_silent:
        notes.append(f"The source is silent ({source.rms:.0f} dB RMS).")
    return source, Findings(tuple(notes), tuple(warnings))


def level(options: Options, part: Tensor, rate: int, source: Loudness) -> Matching:
    """Bring a new part (C, n) to the source's level, in place."""
    match = (matched if options.match_level else unmatched)(part, rate, source)
    part *= match.factor
    return match


def reported(job: Job, result: Result, pieces: Sequence[Sounded]) -> Edited:
    """The takes with their reports."""
    known = Findings(job.notes, job.warnings)
    for piece in pieces:
        known += Findings(piece.notes, piece.flaws)
    return with_reports(
        job.name, job.recipe, replace(result, findings=known + result.findings), pieces
    )


def with_reports(name: str, recipe: Recipe, result: Result, pieces: Sequence[Sounded]) -> Edited:
    """The takes of an edit of that name; `pieces` are what was sampled for it."""
    steps, findings = max((piece.steps for piece in pieces), default=0), result.findings
    asked = len(recipe.sampling.chosen) or recipe.sampling.steps
    used = replace(pieces[-1].recipe, task=recipe.task) if pieces else recipe
    # What is new comes from the retake seeds, where the task has both kinds.
    seeds, reports = recipe.retake_seeds or recipe.seeds, []
    for index, track in enumerate(result.tracks):
        levels = findings.levels[index] if findings.levels else ()
        of_levels = (note for one in levels for note in one.notes)
        warnings = list(findings.warnings)
        if pieces:  # unless nothing was asked for
            warnings += pieces[-1].warnings
            warnings += step_warnings(steps, asked)
            warnings += change_warnings(result.changes[index])
        reports.append(
            EditReport(
                task=name,
                seed=seeds[index],
                seconds=track.samples / result.rate,
                regions=tuple(result.new),
                change=result.changes[index],
                steps_run=steps,
                steps=asked,
                levels=levels,
                notes=tuple(dict.fromkeys([*findings.notes, *of_levels])),
                warnings=tuple(dict.fromkeys(warnings)),
            )
        )
    return Edited(list(result.tracks), result.rate, result.latent, tuple(reports), used)
