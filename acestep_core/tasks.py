"""The tasks, each a Plan: a canvas, stages, and what is joined back at the end.

    task           canvas   enter        steps   field     hold
    text to music  empty    noised to 1  all     guided    -

`Behaviour` names the parts in which the original and its corrected form differ; which of the
two runs is decided in presets.py, and nothing here asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .config import LATENT_CHANNELS, LATENT_HEIGHT, frames_of
from .guidance import Predict, Window, branches_of, guided, rule_of
from .noise import Noise, Stream
from .sample import Plan, See, Stage, as_it_is, hold_nothing, observe
from .schedule import sigmas, steps_of
from .solve import SOLVERS, Draw, Field, Rescale, Solver, evaluations
from .types import Guidance, Sampling, Task, TextToMusic


@dataclass(frozen=True)
class Behaviour:
    """The parts that a compat mode chooses."""

    rescale: Callable[[float], Rescale]
    step_noise: Callable[[Stream], Draw]
    window_index: Callable[[Field], Field]
    chosen_sigmas: Callable[[Sequence[int]], Tensor]
    seeds: Callable[[int, int], tuple[int, ...]]


@dataclass(frozen=True)
class Kit:
    """What every task is built with."""

    predict: Predict
    guidance: Guidance
    sampling: Sampling
    noise: Noise
    behaviour: Behaviour
    see: See

    def levels(self) -> Tensor:
        """The schedule's noise levels (N + 1,)."""
        if self.sampling.chosen:
            return self.behaviour.chosen_sigmas(self.sampling.chosen)
        return sigmas(self.sampling.steps)

    def field(self, count: int) -> Field:
        """A guided field with fresh memory, for a schedule of `count` steps."""
        window = Window.of(self.guidance, count)
        rule, branches = rule_of(self.guidance), branches_of(self.guidance)
        return self.behaviour.window_index(
            observe(guided(self.predict, rule, window, branches), self.see)
        )

    def solver(self, stream: Stream) -> Solver:
        rescale = self.behaviour.rescale(self.sampling.granularity)
        return SOLVERS[self.sampling.solver](rescale, self.behaviour.step_noise(stream))


def plan(task: Task, kit: Kit) -> Plan:
    """The one place where tasks are told apart."""
    return text_to_music(task, kit)


def text_to_music(task: TextToMusic, kit: Kit) -> Plan:
    streams = kit.noise.start()
    frames = frames_of(task.seconds)
    start = streams.main.draw(frames)
    steps = steps_of(kit.levels())
    stage = Stage(
        lambda x: start, steps, kit.field(len(steps)), kit.solver(streams.main), hold_nothing
    )
    return Plan(empty(start), [stage], as_it_is, evaluations(kit.sampling.solver, len(steps)))


def empty(like: Tensor) -> Tensor:
    """A canvas with nothing known."""
    return torch.zeros(like.shape[0], LATENT_CHANNELS, LATENT_HEIGHT, like.shape[-1])
