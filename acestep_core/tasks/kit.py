"""What every task is built with: the run's settings, its noise, and the parts a mode chooses.

`Behaviour` names the parts in which the original and its corrected form differ. Which of the
two runs is decided in presets.py; no task asks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import LATENT_CHANNELS, LATENT_HEIGHT
from ..networks.memory import CPU, sent
from ..sampling.guidance import GuidanceWindow, Predict, Rule, branches_of, guided, rule_of
from ..sampling.loop import Enter, Hold, See, observe
from ..sampling.noise import Noise, Stream, Streams
from ..sampling.schedule import Step, sigmas, steps_of
from ..sampling.solve import SOLVERS, Draw, Field, Rescale, Solver
from ..settings import SettingError
from ..types import Extend, Guidance, Inpaint, Latent, Sampling, Source

Mix = Callable[[Tensor, Tensor, Tensor | float], Tensor]  # first noise, second, variance


@dataclass(frozen=True)
class Behaviour:
    """The parts that a compat mode chooses."""

    rescale: Callable[[float], Rescale]
    step_noise: Callable[[Stream], Draw]
    window_index: Callable[[Field], Field]
    chosen_sigmas: Callable[[Sequence[int]], Tensor]
    lowered_sigmas: Callable[[int, float], Tensor]
    seeds: Callable[[int, int], tuple[int, ...]]
    noise: Callable[[Noise], Noise]
    mix: Mix
    regenerate: Callable[[Inpaint, Source], Tensor]
    whole_is_retake: Callable[[Tensor], bool]
    held_solver: Callable[[Solver], Solver]
    added_frames: Callable[[Extend, Source], tuple[int, int]]
    edit_rules: Callable[[], tuple[Rule, Rule]]
    detector: str  # of the language of a lyric line
    items_in_turn: bool  # whether the items of a batch can run one by one
    reuses_latents: bool  # whether a source's own latents are taken as they are
    works_in_windows: bool  # on stretches of a source that is too long for the model
    splices: bool  # whether what was not to change stays the source


@dataclass(frozen=True)
class Kit:
    """What every task is built with."""

    predict: Predict
    guidance: Guidance
    sampling: Sampling
    noise: Noise
    behaviour: Behaviour
    see: See
    predict_source: Predict | None = None  # under the source's tags and lyrics, for edits
    device: torch.device = CPU  # that the network runs on, and everything between its answers

    @property
    def items(self) -> int:
        return len(self.noise.seeds)

    def there(self, x: Tensor) -> Tensor:
        """Made in main memory, where numbers are the same everywhere, and moved once."""
        return sent(x, self.device)

    def start(self) -> Streams:
        """The generators of this run, at their beginning."""
        return self.behaviour.noise(self.noise).start()

    def steps(self) -> list[Step]:
        if self.sampling.chosen:
            return steps_of(self.behaviour.chosen_sigmas(self.sampling.chosen))
        return steps_of(sigmas(self.sampling.steps))

    def field(self, count: int) -> Field:
        """A guided field with fresh memory, for a schedule of `count` steps."""
        window = GuidanceWindow.of(self.guidance, count)
        rule, branches = rule_of(self.guidance), branches_of(self.guidance)
        return observe(guided(self.predict, rule, window, branches), self.see)

    def solver(self, stream: Stream) -> Solver:
        rescale = self.behaviour.rescale(self.sampling.granularity)
        return SOLVERS[self.sampling.solver](rescale, self.behaviour.step_noise(stream))

    def held_solver(self, stream: Stream) -> Solver:
        """The solver of a task that keeps known frames."""
        return self.behaviour.held_solver(self.solver(stream))

    def canvas(self, source: Latent) -> Tensor:
        """The source (items, 8, 16, T), once for each item."""
        if len(source.z) not in (1, self.items):
            raise SettingError(
                f"The source has {len(source.z)} clips, and {self.items} are asked for."
                " Give one source clip, or as many as there are seeds."
            )
        return self.there(source.z.float()).expand(self.items, -1, -1, -1)

    def empty(self, frames: int) -> Tensor:
        """A canvas with nothing known."""
        shape = (self.items, LATENT_CHANNELS, LATENT_HEIGHT, frames)
        return torch.zeros(shape, device=self.device)


def at_level(known: Tensor, noise: Tensor, sigma: float) -> Tensor:
    """Known frames under so much noise."""
    return (1 - sigma) * known + sigma * noise


def begin_with(x: Tensor) -> Enter:
    return lambda _: x


def keep_outside(regenerate: Tensor, noise: Tensor) -> Hold:
    """Put known frames back after each step; regenerate (1, 1, 1, T) may be soft."""

    def hold(known: Tensor, x: Tensor, step: Step) -> Tensor:
        return regenerate * x + (1 - regenerate) * at_level(known, noise, step.sigma_next)

    return hold
