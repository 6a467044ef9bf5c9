"""Solvers: x at one noise level -> x at the next.

    euler      one model evaluation a step
    heun       two: the second at the predicted point
    pingpong   one: to the clean estimate and back up with fresh noise

A solver calls a field and knows nothing of guidance; noise and the rescaling of increments
("granularity") are handed in. All arithmetic is float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from .schedule import Step

Field = Callable[[Tensor, Step], Tensor]  # velocity of x at step.sigma
Solver = Callable[[Field, Tensor, Step], Tensor]  # x at sigma -> x at sigma_next
Rescale = Callable[[Tensor], Tensor]  # an increment, spread about its mean
Draw = Callable[[Tensor], Tensor]  # fresh noise shaped like x


def omega(granularity: float) -> float:
    """The factor granularity stands for: 0 -> 1, 10 -> 1.0462, bounded by 0.9 and 1.1."""
    return 0.9 + 0.2 / (1 + math.exp(-0.1 * granularity))


def mean_shift_batch(granularity: float) -> Rescale:
    """Spread an increment about the mean of the whole batch, as the original does."""
    factor = omega(granularity)

    def rescale(increment: Tensor) -> Tensor:
        mean = increment.mean()
        return mean + factor * (increment - mean)

    return rescale


def mean_shift_item(granularity: float) -> Rescale:
    """Spread each item about its own mean, so that it does not depend on its batch mates."""
    factor = omega(granularity)

    def rescale(increment: Tensor) -> Tensor:
        mean = increment.mean(tuple(range(1, increment.ndim)), keepdim=True)
        return mean + factor * (increment - mean)

    return rescale


def as_they_are(increment: Tensor) -> Tensor:
    """Increments without granularity."""
    return increment


def euler(rescale: Rescale, draw: Draw) -> Solver:
    def solve(field: Field, x: Tensor, step: Step) -> Tensor:
        return x + rescale((step.sigma_next - step.sigma) * field(x, step))

    return solve


def heun(rescale: Rescale, draw: Draw) -> Solver:
    def solve(field: Field, x: Tensor, step: Step) -> Tensor:
        span = step.sigma_next - step.sigma
        first = field(x, step)
        if step.is_last:
            return x + rescale(span * first)
        there = replace(step, index=step.index + 1, sigma=step.sigma_next)
        second = field(x + rescale(span * first), there)
        return x + rescale(span * (first + second) / 2)

    return solve


def pingpong(rescale: Rescale, draw: Draw) -> Solver:
    def solve(field: Field, x: Tensor, step: Step) -> Tensor:
        clean = x - step.sigma * field(x, step)
        return (1 - step.sigma_next) * clean + step.sigma_next * draw(x)

    return solve


SOLVERS: dict[str, Callable[[Rescale, Draw], Solver]] = {
    "euler": euler,
    "heun": heun,
    "pingpong": pingpong,
}


def evaluations(solver: str, steps: int) -> int:
    """How often a solver asks the model on a schedule of so many steps."""
    return 2 * steps - 1 if solver == "heun" and steps else steps
