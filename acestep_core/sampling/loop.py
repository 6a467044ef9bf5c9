"""The one sampling loop. Every task is stages of it; see tasks.py.

    for each stage: enter, then for each step: solve with a field, hold what is known; leave

x stays on the device of the network: nothing here asks for its numbers. A Field says which way,
a Solver moves, a Hold puts known frames back. What a stage begins with
is its canvas: `enter` makes x of it, `hold` takes known frames from it, and `leave` puts what
came of x into it for the next stage. Progress, preview and cancelling are one wrapper around the
field (`observe`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ..networks.memory import Pace
from .schedule import Step
from .solve import Field, Solver

Enter = Callable[[Tensor], Tensor]  # canvas -> x
Hold = Callable[[Tensor, Tensor, Step], Tensor]  # canvas, x after a step -> x
Leave = Callable[[Tensor, Tensor], Tensor]  # canvas, x -> the next stage's canvas
See = Callable[[Step, Tensor, Tensor], None]  # step, x, velocity; an exception cancels


def as_it_is(canvas: Tensor) -> Tensor:
    return canvas


def hold_nothing(canvas: Tensor, x: Tensor, step: Step) -> Tensor:
    return x


def leave_all(canvas: Tensor, x: Tensor) -> Tensor:
    return x


@dataclass(frozen=True)
class Stage:
    enter: Enter
    steps: Sequence[Step]
    field: Field
    solve: Solver
    hold: Hold = hold_nothing
    leave: Leave = leave_all


@dataclass(frozen=True)
class Plan:
    """A task made ready: where it starts, and its stages."""

    canvas: Tensor  # (B, 8, 16, T) float32
    stages: Sequence[Stage]
    evaluations: int  # of the model, for the progress bar


def run(stages: Iterable[Stage], canvas: Tensor) -> Tensor:
    """Carry a canvas (B, 8, 16, T) through the stages of a task."""
    for stage in stages:
        x = stage.enter(canvas)
        for step in stage.steps:
            x = stage.hold(canvas, stage.solve(stage.field, x, step), step)
        canvas = stage.leave(canvas, x)
    return canvas


def observe(field: Field, see: See) -> Field:
    """The field, watched: x - sigma * v is the current clean estimate."""

    pace: Pace | None = None

    def observed(x: Tensor, step: Step) -> Tensor:
        nonlocal pace
        velocity = field(x, step)
        # The one moment at which a device is waited for: until the evaluation before is done.
        pace = pace or Pace(velocity.device)
        pace.wait()
        see(step, x, velocity)
        return velocity

    return observed


def by_step(field: Field) -> Field:
    """Guidance windows count schedule steps."""
    return field


def by_evaluation(field: Field) -> Field:
    """Guidance windows count model evaluations, as the original does: Heun's come too early."""
    count = -1

    def counted(x: Tensor, step: Step) -> Tensor:
        nonlocal count
        count += 1
        return field(x, replace(step, index=count))

    return counted


class Counter:
    """Passes steps on, and counts the noise levels that were sampled."""

    def __init__(self, see: See, before: int = 0) -> None:
        self._see, self._before, self._levels = see, before, set[float]()

    def __call__(self, step: Step, x: Tensor, velocity: Tensor) -> None:
        # Heun's second look is at the next step's level, and windows repeat them all.
        self._levels.add(step.sigma)
        self._see(step, x, velocity)

    @property
    def count(self) -> int:
        return self._before + len(self._levels)
