"""Seeds and noise: one CPU generator per item, so that a seed means the same everywhere.

    Noise(seeds, retake_seeds).start() -> Streams: main and retake draws, in order

Draws are float32 on the CPU and moved afterwards. An item's stream never depends on the
batch around it.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..config import LATENT_CHANNELS, LATENT_HEIGHT
from ..networks.memory import sent
from ..settings import LARGEST_SEED, SettingError


@dataclass(frozen=True)
class Noise:
    """The seeds of a run, one per item; retake seeds make what is made anew."""

    seeds: tuple[int, ...]
    retake_seeds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for seed in (*self.seeds, *self.retake_seeds):
            if not 0 <= seed <= LARGEST_SEED:
                raise SettingError(f"Seed {seed} must be between 0 and {LARGEST_SEED}.")

    def start(self) -> Streams:
        return Streams(Stream(self.seeds), Stream(self.retake_seeds))


class Stream:
    """Generators that were started once; every draw goes on where the last one ended."""

    def __init__(self, seeds: tuple[int, ...]) -> None:
        self._generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]

    def draw(self, frames: int) -> Tensor:
        """(B, 8, 16, frames), each item from its own generator."""
        shape = (1, LATENT_CHANNELS, LATENT_HEIGHT, frames)
        return torch.cat([torch.randn(shape, generator=g) for g in self._generators])

    def draw_from_first(self, items: int, frames: int) -> Tensor:
        """(items, 8, 16, frames), all from the first generator."""
        shape = (items, LATENT_CHANNELS, LATENT_HEIGHT, frames)
        return torch.randn(shape, generator=self._generators[0])


@dataclass(frozen=True)
class Streams:
    main: Stream
    retake: Stream


def step_noise_first(stream: Stream) -> Callable[[Tensor], Tensor]:
    """Pingpong's noise as the original draws it: the whole batch from the first generator."""
    return lambda x: sent(stream.draw_from_first(len(x), x.shape[-1]), x.device)


def step_noise_item(stream: Stream) -> Callable[[Tensor], Tensor]:
    """Pingpong's noise from each item's own generator."""
    return lambda x: sent(stream.draw(x.shape[-1]), x.device)


def mixed(first: Tensor, second: Tensor, variance: Tensor | float) -> Tensor:
    """Between two noises by angle: variance 0 is the first, 1 the second, all of unit size."""
    angle = torch.as_tensor(variance, dtype=torch.float64) * (math.pi / 2)
    return angle.cos().to(first.dtype) * first + angle.sin().to(first.dtype) * second


def mixed_single(first: Tensor, second: Tensor, variance: Tensor | float) -> Tensor:
    """The same with the angle in float32, as the original rounds it."""
    angle = torch.as_tensor(variance, dtype=torch.float32) * (math.pi / 2)
    return angle.cos() * first + angle.sin() * second


def derived(seed: int) -> int:
    """Another seed for the same item, far from those that count up."""
    return (seed + 2**31) % (LARGEST_SEED + 1)


def as_given(noise: Noise) -> Noise:
    """Retake seeds as they were given; derived ones where none were."""
    if noise.retake_seeds:
        return _filled(noise)
    return replace(noise, retake_seeds=tuple(derived(seed) for seed in noise.seeds))


def never_equal(noise: Noise) -> Noise:
    """Retake seeds that differ from the main ones: mixing a noise with itself makes it louder."""
    given = as_given(noise)
    pairs = zip(given.seeds, given.retake_seeds, strict=True)
    return replace(given, retake_seeds=tuple(derived(a) if _same(a, b) else b for a, b in pairs))


def _same(first: int, second: int) -> bool:
    """The CPU generator reads the lower 32 bits of a seed and nothing else."""
    return first % 2**32 == second % 2**32


def _filled(noise: Noise) -> Noise:
    """As many retake seeds as seeds: the last one is repeated, further ones are dropped."""
    given, count = noise.retake_seeds, len(noise.seeds)
    return replace(noise, retake_seeds=(*given, *given[-1:] * count)[:count])


def same_seed(seed: int, items: int) -> tuple[int, ...]:
    """One number for every item, as the original does: identical clips."""
    return (seed,) * items


def counted_seeds(seed: int, items: int) -> tuple[int, ...]:
    """seed, seed + 1, ... so that the items of a batch differ."""
    return tuple((seed + i) % (LARGEST_SEED + 1) for i in range(items))


def drawn_seed() -> int:
    """A seed for someone who asked for none; 31 bits, as the hosted services use."""
    return secrets.randbelow(2**31)


def parsed_seeds(text: str | int | None) -> tuple[int, ...]:
    """What a user typed: a number, or several with commas; -1, "" and None draw one."""
    if text is None or (isinstance(text, str) and not text.strip()):
        return (drawn_seed(),)
    try:
        seeds = tuple(int(part) for part in str(text).split(","))
    except ValueError:
        raise SettingError(
            f"Seed {text!r} is not a whole number. Give one number, several with commas,"
            " or -1 to have one drawn."
        ) from None
    seeds = tuple(drawn_seed() if seed == -1 else seed for seed in seeds)
    Noise(seeds)  # checks their range
    return seeds
