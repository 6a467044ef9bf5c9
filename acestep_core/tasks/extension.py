"""Extend: new frames before a source, after it, or both, to any length.

    time line   [ new | source | new ]     noise over all of it
    passes      windows of at most 240 s, each with known frames as context

A short clip is one pass. A long one lends its near end as context, and what one pass has
made is known to the next. Nothing is cut off and joined again.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import FRAMES_PER_SECOND, MAX_FRAMES, frames_of
from ..sampling.loop import Enter, Hold, Leave, Plan, Stage
from ..sampling.noise import Streams
from ..sampling.schedule import Step
from ..sampling.solve import evaluations
from ..settings import SettingError
from ..types import Extend, Source
from .kit import Kit, at_level

LEAST_CONTEXT = frames_of(30)  # kept, where the source has it, when much is added


def added_rounded(task: Extend, source: Source) -> tuple[int, int]:
    """Frames to add before and after, each to the nearest."""
    return round(task.before * FRAMES_PER_SECOND), round(task.after * FRAMES_PER_SECOND)


def added_truncated(task: Extend, source: Source) -> tuple[int, int]:
    """As the original counts: the clip's end is rounded down, its frames were rounded up."""
    end = int((source.length + task.after) * FRAMES_PER_SECOND)
    return int(task.before * FRAMES_PER_SECOND), max(0, end - source.latent.frames)


@dataclass(frozen=True)
class Span:
    """Frames [start, end) of the time line that one pass works on; [low, high) are known."""

    start: int
    low: int
    high: int
    end: int

    @property
    def frames(self) -> slice:
        return slice(self.start, self.end)


def windows_of(before: int, frames: int, after: int, context: int) -> list[Span]:
    """Passes that fill a time line of before + frames + after, of which the middle is known."""
    total = before + frames + after
    if total <= MAX_FRAMES and context >= frames:
        return [Span(0, before, before + frames, total)]
    windows, low, high = list[Span](), before, before + frames
    while low > 0:
        added, kept = _shares(low, high - low, context)
        windows.append(Span(low - added, low, low + kept, low + kept))
        low -= added
    while high < total:
        added, kept = _shares(total - high, high - low, context)
        windows.append(Span(high - kept, high - kept, high, high + added))
        high += added
    return windows


def _shares(wanted: int, known: int, context: int) -> tuple[int, int]:
    """(frames one pass adds, frames of context it keeps)."""
    kept = min(known, context)
    added = min(wanted, MAX_FRAMES - min(kept, LEAST_CONTEXT))
    return added, min(kept, MAX_FRAMES - added)


def timeline_noise(streams: Streams, before: int, frames: int, after: int) -> Tensor:
    """(B, 8, 16, before + frames + after): the source's part from the main seeds, new parts
    from the retake seeds, whose first draw is as long as the source."""
    main, new = streams.main.draw(frames), streams.retake.draw(frames)
    left = new[..., :before] if before <= frames else streams.retake.draw(before)
    right = new[..., frames - after :] if after <= frames else streams.retake.draw(after)
    return torch.cat((left, main, right), -1)


def extend(task: Extend, source: Source, kit: Kit) -> Plan:
    known, streams, steps = kit.canvas(source.latent), kit.start(), kit.steps()
    frames = known.shape[-1]
    before, after = kit.behaviour.added_frames(task, source)
    if before + after == 0:
        raise SettingError(
            f"Extend adds nothing: before is {task.before:g} s and after is {task.after:g} s."
            f" Ask for at least one frame ({1 / FRAMES_PER_SECOND:.3f} s)."
        )
    noise = kit.there(timeline_noise(streams, before, frames, after))
    canvas = torch.cat((kit.empty(before), known, kit.empty(after)), -1)
    windows = windows_of(before, frames, after, frames_of(task.context))
    stages = [
        Stage(
            opened(window, noise, steps[0].sigma),
            steps,
            kit.field(len(steps)),
            kit.held_solver(streams.main),
            keep_known(window, noise),
            closed(window),
        )
        for window in windows
    ]
    return Plan(canvas, stages, evaluations(kit.sampling.solver, len(steps)) * len(windows))


def opened(window: Span, noise: Tensor, sigma: float) -> Enter:
    """The window alone, under so much of its noise."""
    return lambda canvas: at_level(canvas[..., window.frames], noise[..., window.frames], sigma)


def keep_known(window: Span, noise: Tensor) -> Hold:
    """Put the frames back that the source had, or a window before."""
    known, here = (slice(window.low - at, window.high - at) for at in (0, window.start))

    def hold(canvas: Tensor, x: Tensor, step: Step) -> Tensor:
        x = x.clone()
        x[..., here] = at_level(canvas[..., known], noise[..., known], step.sigma_next)
        return x

    return hold


def closed(window: Span) -> Leave:
    """The time line with the window as it was made."""

    def leave(canvas: Tensor, x: Tensor) -> Tensor:
        canvas = canvas.clone()
        canvas[..., window.frames] = x
        return canvas

    return leave
