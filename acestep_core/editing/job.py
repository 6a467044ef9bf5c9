"""One edit of one source: its latents, its takes, and what is said about them.

    clip -> stretches of at most 240 s -> latents -> task        Assignment.tasks
    what was sampled -> decode -> level -> splice -> report      Assignment.finish

Outside the regions a result is the source, sample for sample, at its own rate and number of
channels. In reference mode splice and level matching are off and latents are never reused.
The two halves of an Assignment may be done in two places: a host samples in one node and
decodes in another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from torch import Tensor

from ..config import MAX_SECONDS, SAMPLE_RATE
from ..pipeline import OUTPUT_RATE, Made, unseen
from ..sampling.loop import Counter, See
from ..settings import SettingError
from ..sound.loudness import (
    Loudness,
    Matching,
    heat_of,
    matched,
    measured,
    standard,
    unmatched,
)
from ..tasks.region import Window, moved, territories, windows
from ..types import Latent, Recipe, Region, Task
from .report import Change, EditReport, change_warnings, compared, step_warnings
from .request import Edited, Options, Pipe, SourceClip, Takes
from .splice import as_source, put, samples_of

NO_CHANGE_KNOWN = Change(None, (), None, None)

TaskOf = Callable[[Latent, Window], Task]  # the window in its own time, from 0


class Job:
    """What one edit is done with, and what it has found so far."""

    def __init__(
        self,
        name: str,
        pipe: Pipe,
        clip: SourceClip | None,
        recipe: Recipe,
        options: Options | None,
        see: See,
    ) -> None:
        self.name, self.pipe, self._clip, self.recipe = name, pipe, clip, recipe
        self.rate = clip.rate if clip else OUTPUT_RATE
        self.made: Made | None = None
        self.is_reference = recipe.compat == "reference"
        self.options = options or Options()
        if self.is_reference:
            self.options = replace(self.options, splice=False, match_level=False)
        self.steps = Counter(see)
        self.regions: tuple[Region, ...] = ()  # resolved
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.levels: list[list[Matching]] = [[] for _ in recipe.seeds]

    @property
    def clip(self) -> SourceClip:
        assert self._clip is not None, f"{self.name} needs a source"
        return self._clip

    @property
    def is_long(self) -> bool:
        return self.clip.seconds > MAX_SECONDS

    def refuse_long(self, fix: str) -> None:
        if self.is_long:
            raise SettingError(
                f"The source lasts {self.clip.seconds:.1f} s; at most {MAX_SECONDS:g} s can be"
                f" worked on at once. {fix}"
            )

    def unchanged(self, task: Task, note: str) -> Assignment:
        """The source for every take; the task is only recorded."""
        self.recipe = replace(self.recipe, task=task)

        def finish(made: Iterable[Takes]) -> Edited:
            self.notes.append(note)
            waves = [self.clip.wave.clone() for _ in self.recipe.seeds]
            change = compared(self.clip.wave, waves[0], self.regions, self.clip.rate)
            return self.finish(waves, self.regions, [change] * len(waves), None)

        return Assignment(self, (), finish)

    def in_windows(self, task_of: TaskOf) -> Assignment:
        """The task on stretches around the regions; on the whole clip where there are none."""
        clip, regions = self.clip, self.regions
        if self.is_reference:
            self.refuse_long("Use corrected mode, which works on the part around a region.")
        stretches = windows(regions, clip.seconds, MAX_SECONDS) or [Window(0.0, clip.seconds, ())]

        def finish(made: Iterable[Takes]) -> Edited:
            takes = [clip.wave.clone() for _ in self.recipe.seeds]
            parts = zip(made, stretches, territories(stretches), strict=True)
            for waves, stretch, territory in parts:
                new = stretch.regions if stretch.regions and self.options.splice else (territory,)
                self._put(waves, stretch, new, takes)
            new = regions or (Region(0.0, clip.seconds),)
            changes = [compared(clip.wave, take, new, clip.rate) for take in takes]
            latent = self.made.latent if self.made and not self.is_long else None
            return self.finish(takes, new, changes, latent)

        return Assignment(
            self, [partial(self._task_on, stretch, task_of) for stretch in stretches], finish
        )

    def _task_on(self, stretch: Window, task_of: TaskOf) -> Task:
        clip = self.clip
        first, last = self._samples(stretch)
        inner = Window(0.0, (last - first) / clip.rate, moved(stretch.regions, first / clip.rate))
        return task_of(self.latent_of(first, last), inner)

    def _samples(self, stretch: Window) -> tuple[int, int]:
        clip = self.clip
        return samples_of(Region(stretch.start, stretch.end), clip.rate, clip.samples)

    def _put(
        self, made: Takes, stretch: Window, new: Sequence[Region], takes: list[Tensor]
    ) -> None:
        """Put what was made of `new` on a stretch into every take."""
        clip = self.clip
        first, last = self._samples(stretch)
        if self.is_long:
            self.notes.append(
                f"Worked on {stretch.start:.2f}-{stretch.end:.2f} s of {clip.seconds:.2f} s."
            )
        around = self.hear(first, last)
        spans = [samples_of(region, clip.rate, clip.samples) for region in new]
        wanted = [standard(measured(clip.wave[:, a:b], clip.rate), around) for a, b in spans]
        for index, wave in enumerate(made):
            wave = as_source(wave, len(clip.wave), clip.rate, last - first).clone()
            for (start, end), source in zip(spans, wanted, strict=True):
                part = wave[:, start - first : end - first]
                part *= self.level(index, part, source)
            put(takes[index], wave, first, new, clip.rate, self.options.crossfade)

    def latent_of(self, first: int, last: int) -> Latent:
        """Latents of the source's samples [first, last): its own where it brought them."""
        clip, known = self.clip, self.clip.latent
        is_whole = (first, last) == (0, clip.samples)
        if known is not None and is_whole and not self.is_reference:
            if known.frames == clip.frames:
                self.notes.append("The source's own latents were used; nothing was encoded again.")
                return known
            self.notes.append(
                f"The source's latents have {known.frames} frames and its sound {clip.frames}:"
                " they are not of the same clip, so the sound was encoded."
            )
        return self.pipe.encode(clip.wave[:, first:last], clip.rate)

    def make(self, task: Task) -> Takes:
        self.made = self.pipe.generate(replace(self.recipe, task=task), self.steps)
        return list(self.pipe.decode(self.made.latent, SAMPLE_RATE))

    @property
    def latent_made(self) -> Latent:
        assert self.made is not None, "nothing was made yet"
        return self.made.latent

    def hear(self, first: int, last: int) -> Loudness:
        """The source's loudness from sample to sample; what is wrong with it is noted."""
        source = measured(self.clip.wave[:, first:last], self.clip.rate)
        if source.is_hot:
            (self.warnings if source.is_clipped else self.notes).append(heat_of(source))
        if source.is_silent:
            self.notes.append(f"The source is silent ({source.rms:.0f} dB RMS).")
        return source

    def level(self, index: int, part: Tensor, source: Loudness) -> float:
        """The factor that brings a new part to the source's level, and a line in the report."""
        match = matched if self.options.match_level else unmatched
        found = match(part, self.rate, source)
        self.levels[index].append(found)
        return found.factor

    def finish(
        self,
        waves: list[Tensor],
        regions: Sequence[Region],
        changes: Sequence[Change],
        latent: Latent | None,
    ) -> Edited:
        """The takes with their reports; regions (seconds of the result) are what is new."""
        made = self.made
        # What is new comes from the retake seeds, where the task has both kinds.
        new_seeds = self.recipe.retake_seeds or self.recipe.seeds
        reports = tuple(
            EditReport(
                task=self.name,
                seed=new_seeds[index],
                seconds=wave.shape[-1] / self.rate,
                regions=tuple((region.start, region.end) for region in regions),
                change=changes[index],
                steps_run=self.steps.count,
                steps=self._steps_asked,
                levels=tuple(self.levels[index]),
                notes=self._notes_of(index),
                warnings=self._warnings_of(changes[index]),
            )
            for index, wave in enumerate(waves)
        )
        recipe = made.recipe if made else self.recipe
        return Edited(waves, self.rate, latent, reports, recipe, self.regions)

    @property
    def _steps_asked(self) -> int:
        return len(self.recipe.sampling.chosen) or self.recipe.sampling.steps

    def _notes_of(self, index: int) -> tuple[str, ...]:
        of_levels = (note for level in self.levels[index] for note in level.notes)
        return tuple(dict.fromkeys([*self.notes, *of_levels]))

    def _warnings_of(self, change: Change) -> tuple[str, ...]:
        found = list(self.warnings)
        if self.made:  # unless nothing was asked for
            found += self.made.warnings
            found += step_warnings(self.steps.count, self._steps_asked)
            found += change_warnings(change)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, eq=False)
class Assignment:
    """An edit made ready: what is to be sampled, and how its sound becomes the result.

    `tasks` are made when they are asked for, since each may encode a stretch of the source;
    there is none where the source is to stay as it is.
    """

    job: Job
    tasks: Sequence[Callable[[], Task]]
    finish: Callable[[Iterable[Takes]], Edited]  # takes of every task, in their order

    def done(self) -> Edited:
        """Sampled, decoded and put together, one stretch after the other."""
        return self.finish(self.job.make(task()) for task in self.tasks)

    def sounded(self, made: Made, steps_run: int) -> Edited:
        """The result of the one task that was sampled elsewhere, in so many steps."""
        assert len(self.tasks) <= 1, "stretches of a long source are sampled one by one"
        if not self.tasks:
            return self.finish(())
        self.job.made, self.job.steps = made, Counter(unseen, steps_run)
        return self.finish([list(self.job.pipe.decode(made.latent, SAMPLE_RATE))])
