"""Which network is on the compute device while it is used.

    with part.use() as network: ...      brings it there, gives the place back afterwards

Networks, tasks and solvers never move anything; this file and a host's own Part do.
"""

from __future__ import annotations

import copy
import ctypes
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from typing_extensions import Self

M = TypeVar("M", bound=nn.Module)
R = TypeVar("R")

CPU = torch.device("cpu")
MEMORY_FILE = Path("/proc/meminfo")  # Linux alone


@dataclass(frozen=True)
class Part(Generic[M]):
    """A network, the dtype of its inputs, and the device it computes on."""

    module: M
    dtype: torch.dtype
    device: torch.device

    @contextmanager
    def use(self, memory: int = 0) -> Generator[M, None, None]:
        """The network, ready to run; `memory` bytes are what the work will need beside it."""
        yield self.module

    def wide(self, network: M) -> M:
        """The network for inputs in float32: for work that 16 bits cannot hold."""
        return copy.deepcopy(network).float()

    def of(self, module: M) -> Self:
        """As this part, with another network in it."""
        return replace(self, module=module)

    def room(self) -> int | None:
        """Bytes that the work may take on the device; None where that cannot be told."""
        return free_memory(self.device)


@dataclass(frozen=True)
class Resident(Part[M]):
    """Always on its device."""


@dataclass(frozen=True)
class Visiting(Part[M]):
    """Kept in main memory, on the device only while it is used."""

    @contextmanager
    def use(self, memory: int = 0) -> Generator[M, None, None]:
        self.module.to(self.device)
        try:
            yield self.module
        finally:
            self.module.to("cpu")


def sent(x: Tensor, device: torch.device) -> Tensor:
    """x on a device, without waiting until that has done what it was given before."""
    if device.type != "cuda" or x.device.type != "cpu" or not torch.cuda.is_available():
        return x.to(device)
    return x.pin_memory().to(device, non_blocking=True)


class Pace:
    """Keeps the host one piece of work ahead of a device that computes by itself: what is said
    of a piece is then true of the one before it, and the device is never left waiting."""

    def __init__(self, device: torch.device) -> None:
        # torch.cuda, torch.xpu and torch.mps have events; a CPU is done when a call returns.
        kind = getattr(torch, device.type, None)
        self._kind = kind.Event if kind is not None and kind.is_available() else None
        self._before: Any = None

    def wait(self) -> None:
        """A piece of work was handed out: wait for the one before it."""
        if self._kind is None:
            return
        event = self._kind()
        event.record()
        if self._before is not None:
            self._before.synchronize()
        self._before = event


def give_back() -> None:
    """Hand memory that was freed back to the system: glibc keeps much of it, and an edit's steps
    need theirs one after the other."""
    trim = getattr(_c_library(), "malloc_trim", None)
    if trim is not None:
        trim(0)


def nothing() -> None:
    """Between the levels of a network, where its memory need not be spared."""


def sparing(pieces: int, device: torch.device) -> Callable[[], None]:
    """What to call between the levels of a network that computes so many pieces: levels that
    differ in size leave holes in main memory that those of the next piece do not fit into."""
    return give_back if pieces > 1 and device.type == "cpu" else nothing


@lru_cache(1)
def _c_library() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if sys.platform == "linux" else None


def free_memory(device: torch.device) -> int | None:
    """Bytes that could be taken now; None where that cannot be told."""
    if device.type == "cuda" and torch.cuda.is_available():
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return torch.cuda.mem_get_info(device)[0] + kept
    if device.type == "cpu" and MEMORY_FILE.is_file():
        lines = MEMORY_FILE.read_text(encoding="ascii").splitlines()
        found = [int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")]
        return 1024 * found[0] if found else None
    return None


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
