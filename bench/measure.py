"""What every benchmark shares: the machine, repeated timing, peak memory, the last line.

theory first, then warm-up, then medians; the last line is one JSON object
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch


@dataclass
class Timing:
    median: float
    spread: float  # (largest - smallest) / median
    times: list[float]


def side_by_side(works: dict[str, Callable[[], object]], repeats: int) -> dict[str, Timing]:
    """Median seconds of each piece of work. They take turns, so that whatever else the machine
    does meanwhile slows them all alike and their ratios hold."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for round_ in range(repeats + 1):  # the first round only warms up
        for name, work in works.items():
            began = time.perf_counter()
            work()
            if round_:
                times[name].append(time.perf_counter() - began)
    return {name: timing(found) for name, found in times.items()}


def timing(times: list[float]) -> Timing:
    median = statistics.median(times)
    return Timing(median, (max(times) - min(times)) / median, times)


def in_fresh_processes(program: str, times: int = 5) -> float:
    """Median of what a Python program prints; each run pays for its own imports."""
    printed = []
    for _ in range(times):
        answer = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        if answer.returncode:
            raise SystemExit(f"A measurement failed:\n{answer.stderr}")
        printed.append(float(answer.stdout))
    return statistics.median(printed)


class Memory:
    """Highest anonymous memory of this process, sampled every 10 ms."""

    def __init__(self) -> None:
        self.start = self.peak = anonymous()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._stop.wait(0.01):
            self.peak = max(self.peak, anonymous())

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self.peak = max(self.peak, anonymous())

    @property
    def rise(self) -> int:
        return self.peak - self.start


def anonymous() -> int:
    """RssAnon in bytes: memory of our own, without mapped files."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("This benchmark reads RssAnon, which only Linux reports.")


def filled(
    module: torch.nn.Module, dtype: torch.dtype, device: torch.device | str = "cpu"
) -> torch.nn.Module:
    """A meta module with small random weights of this dtype."""
    module = module.to(dtype).to_empty(device=device)  # this way round: nothing is ever wider
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in module.parameters():
            # Drawn once and repeated: a billion normal numbers would take longer than the work.
            piece = torch.randn(min(parameter.numel(), 1 << 20), generator=generator) * 0.02
            piece = piece.to(parameter)
            flat = parameter.view(-1)
            for start in range(0, flat.numel(), len(piece)):
                end = min(start + len(piece), flat.numel())
                flat[start:end] = piece[: end - start]
    return module.eval().requires_grad_(False)


def commit() -> str:
    """Of the checkout; empty where nobody can tell."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return ""


def last_line(name: str, **figures: object) -> None:
    """The one JSON object that tables are made from."""
    about = {
        "bench": name,
        "device": f"cpu, {os.cpu_count()} cores, {platform.machine()}",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "commit": commit(),
    }
    print(json.dumps({**about, **figures}))
