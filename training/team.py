"""Several processes that take each step together: a batch each, one mean of their gradients.

    python -m training denoiser --processes 2
        process 0 (yours): trains, measures, saves, is interrupted
        process 1, ...:    train along, and end when process 0 does

Two cores share one step badly when its tensors are small; two steps side by side lose nothing.
"""

from __future__ import annotations

import logging
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import multiprocessing, nn

PATIENCE = timedelta(minutes=15)  # that the others wait while process 0 measures or has died


@dataclass(frozen=True)
class Member:
    """One process of a team; alone, sharing does nothing."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def draw_of(self, step: int) -> int:
        """Which of all batches is this member's at a step."""
        return step * self.size + self.rank

    def share(self, parameters: list[nn.Parameter]) -> None:
        """Every member's gradients become the mean of all."""
        if self.size == 1:
            return
        slopes = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([slope.flatten() for slope in slopes])
        dist.all_reduce(flat)
        parts = (flat / self.size).split([slope.numel() for slope in slopes])
        for slope, part in zip(slopes, parts, strict=True):
            slope.copy_(part.view_as(slope))


ALONE = Member()


@contextmanager
def team_of(size: int, work: Callable[[Member], None]) -> Iterator[Member]:
    """Process 0 of a team whose other members run `work`, a function at a module's top level."""
    if size == 1:
        yield ALONE
        return
    with tempfile.TemporaryDirectory() as folder:
        meeting = Path(folder, "meeting").as_uri()
        spawning = multiprocessing.get_context("spawn")
        others = [
            spawning.Process(target=_joined, args=(work, Member(rank, size), meeting), daemon=True)
            for rank in range(1, size)
        ]
        for other in others:
            other.start()
        with _met(Member(0, size), meeting) as member:
            try:
                yield member
            finally:
                for other in others:
                    other.join(1)  # after the last step they end by themselves
                    other.terminate()


def _joined(work: Callable[[Member], None], member: Member, meeting: str) -> None:
    # Ctrl-C reaches every process of a terminal; process 0 tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    with _met(member, meeting):
        work(member)


@contextmanager
def _met(member: Member, meeting: str) -> Iterator[Member]:
    dist.init_process_group(
        "gloo", init_method=meeting, rank=member.rank, world_size=member.size, timeout=PATIENCE
    )
    try:
        yield member
    finally:
        dist.destroy_process_group()
