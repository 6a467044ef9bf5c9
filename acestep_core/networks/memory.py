"""Which network is on the compute device while it is used.

    with part.use() as network: ...      brings it there, gives the place back afterwards

Networks, tasks and solvers never move anything; this file and a host's own Part do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)
R = TypeVar("R")


@dataclass(frozen=True)
class Part(Generic[M]):
    """A network, the dtype of its inputs, and the device it computes on."""

    module: M
    dtype: torch.dtype
    device: torch.device

    @contextmanager
    def use(self, memory: int = 0) -> Iterator[M]:
        """The network, ready to run; `memory` bytes are what the work will need beside it."""
        yield self.module


@dataclass(frozen=True)
class Resident(Part[M]):
    """Always on its device."""


@dataclass(frozen=True)
class Visiting(Part[M]):
    """Kept in main memory, on the device only while it is used."""

    @contextmanager
    def use(self, memory: int = 0) -> Iterator[M]:
        self.module.to(self.device)
        try:
            yield self.module
        finally:
            self.module.to("cpu")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device ran out of memory, however its driver says so."""
    if isinstance(error, torch.OutOfMemoryError):
        return True
    said = str(error).lower()
    # The second is how the CPU says it.
    return isinstance(error, RuntimeError) and ("out of memory" in said or "tried to alloc" in said)


def first_that_fits(attempts: list[Callable[[], R]], told: Callable[[str], None]) -> R:
    """The result of the first attempt that does not run out of memory; the last one may raise."""
    for attempt in attempts[:-1]:
        try:
            return attempt()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            told(f"Not enough memory ({error}); trying again in smaller pieces.")
        # Outside the except block: the traceback held the tensors of the failed attempt.
    return attempts[-1]()


def attention_bytes(frames: int, tokens: int, width: int, dtype: torch.dtype) -> int:
    """Forecast of one transformer forward's peak beyond its weights, per item.

    Per frame the feed-forward's two wide buffers and a dozen of the model's width, per token
    the cross-attention's; the constants were fitted to traces at 60 and 240 s.
    """
    size = torch.finfo(dtype).bits // 8
    return int(size * width * (36 * frames + 12 * tokens))
