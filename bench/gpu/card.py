"""The device that is tried: its clock, its memory, its name.

    mark() ... mark() -> between: seconds on the card (events), or by the clock on the CPU

Everything else asks this file, so that the same lines run with and without a card.
"""

from __future__ import annotations

import gc
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from bench.measure import Memory, Timing, timing

Mark = torch.cuda.Event | float


@dataclass
class Peak:
    """Bytes at the highest point; None where nothing can tell."""

    bytes: int | None = None
    rise: int | None = None  # beyond what was held before

    @property
    def said(self) -> str:
        if self.bytes is None or self.rise is None:
            return "not known"
        return f"{self.bytes / 1e9:.2f} GB, of it {self.rise / 1e9:.2f} GB for the work"


@dataclass(frozen=True)
class Card:
    device: torch.device

    @classmethod
    def found(cls) -> Card:
        return cls(torch.device("cuda" if torch.cuda.is_available() else "cpu"))

    @property
    def is_cuda(self) -> bool:
        return self.device.type == "cuda"

    @property
    def name(self) -> str:
        if self.is_cuda:
            return torch.cuda.get_device_name()
        return f"CPU, {platform.machine()}"

    def about(self) -> dict[str, object]:
        """What a figure's reader wants to know."""
        found: dict[str, object] = {"python": platform.python_version(), "cuda": torch.version.cuda}
        if self.is_cuda:
            facts = torch.cuda.get_device_properties(0)
            found |= {
                "memory_GB": round(facts.total_memory / 1e9, 1),
                "capability": f"{facts.major}.{facts.minor}",
                "multiprocessors": facts.multi_processor_count,
                "cudnn": torch.backends.cudnn.version(),
            }
        return found

    # --- time ------------------------------------------------------------------------

    def wait(self) -> None:
        if self.is_cuda:
            torch.cuda.synchronize()

    def mark(self) -> Mark:
        """This moment, as the card's queue of work reaches it."""
        if not self.is_cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def between(self, first: Mark, second: Mark) -> float:
        """Seconds."""
        if isinstance(first, float):
            assert isinstance(second, float)
            return second - first
        assert isinstance(first, torch.cuda.Event)
        assert isinstance(second, torch.cuda.Event)
        second.synchronize()
        return first.elapsed_time(second) / 1000

    def timed(self, work: Callable[[], object], repeats: int) -> Timing:
        """Each repeat by itself, after one that only warms up."""
        work()
        times = []
        for _ in range(repeats):
            first = self.mark()
            work()
            times.append(self.between(first, self.mark()))
        return timing(times)

    # --- memory ----------------------------------------------------------------------

    @contextmanager
    def memory(self) -> Iterator[Peak]:
        """The peak of what happens inside."""
        found = Peak()
        if self.is_cuda:
            torch.cuda.synchronize()
            before = torch.cuda.memory_allocated()
            torch.cuda.reset_peak_memory_stats()
            yield found
            torch.cuda.synchronize()
            found.bytes = torch.cuda.max_memory_allocated()
            found.rise = found.bytes - before
        elif Path("/proc/self/status").exists():
            with Memory() as memory:
                yield found
            found.bytes, found.rise = memory.peak, memory.rise
        else:
            yield found

    def tidy(self) -> None:
        """Give back what is no longer used."""
        gc.collect()
        if self.is_cuda:
            torch.cuda.empty_cache()


@contextmanager
def one_thread() -> Iterator[None]:
    """For networks so small that a processor's further threads would only wait."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def exact() -> Iterator[None]:
    """Float32 as float32: no TF32, which convolutions otherwise use by default."""
    products, convolutions = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = products
        torch.backends.cudnn.allow_tf32 = convolutions
