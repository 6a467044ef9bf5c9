"""Generators in processes of this machine; one that is lost is started again.

    groups -> Pool.made -> (group, results, seconds), as they are ready

Each worker loads the model once. A group whose worker was lost is given to another, three times
in all. Workers end with the process that started them, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, TypeAlias

from ..weights.checkpoint import CheckpointError

Columns: TypeAlias = "dict[str, list[Any]]"
# A group's number and its rows, and what became of them in how many seconds.
Asked: TypeAlias = "tuple[int, Columns]"
Answer: TypeAlias = "tuple[int, Columns, float]"
Make: TypeAlias = "Callable[[Columns], Columns]"

TRIES = 3
PATIENCE = 10.0  # seconds that a worker has to end
LOST = "Its worker was lost {count} times (last with exit code {code}). Is there enough memory?"


@dataclass
class Worker:
    process: Any  # of the spawning context
    line: Connection
    device: str
    group: int | None = None


class Pool:
    """`start(device)` makes a Generator in the worker; it must be importable, not a closure."""

    def __init__(self, start: Callable[[str], Make], devices: list[str]) -> None:
        """A worker for each of `devices`, of which some may be the same."""
        self.start, self.devices = start, devices
        self.context = multiprocessing.get_context("spawn")
        self.lost = 0  # workers, so far

    def made(self, todo: Iterable[Asked]) -> Iterator[Answer]:
        waiting, tries = deque[Asked](), dict[int, int]()
        given: dict[int, Asked] = {}
        source = iter(todo)

        def give(worker: Worker) -> None:
            asked = waiting.popleft() if waiting else next(source, None)
            worker.group = asked[0] if asked else None
            if asked:
                given[asked[0]] = asked
                _send(worker, asked)

        workers = [self._worker(device) for device in self.devices]
        try:
            for worker in workers:
                give(worker)
            while busy := [worker for worker in workers if worker.group is not None]:
                lines = {worker.line: worker for worker in busy}
                for line in wait(list(lines)):
                    worker = lines[line]  # pyright: ignore[reportArgumentType]
                    group = worker.group
                    assert group is not None
                    answer = _heard(worker)
                    if answer is not None:
                        give(worker)
                        del given[group]
                        yield answer
                        continue
                    self.lost += 1
                    tries[group] = tries.get(group, 0) + 1
                    code = worker.process.exitcode
                    fresh = self._worker(worker.device)
                    workers[workers.index(worker)] = fresh
                    if tries[group] < TRIES:
                        waiting.append(given[group])
                    else:
                        yield _lost(given.pop(group), code)
                    give(fresh)
        finally:
            _end(workers)

    def _worker(self, device: str) -> Worker:
        ours, theirs = self.context.Pipe()
        args = (theirs, self.start, device, os.getpid())
        process = self.context.Process(target=_serve, args=args, daemon=True)
        process.start()
        theirs.close()
        return Worker(process, ours, device)


def _send(worker: Worker, asked: Asked) -> None:
    try:
        worker.line.send(asked)
    except OSError:  # it is gone already, which is heard when its answer is waited for
        return


def _heard(worker: Worker) -> Answer | None:
    """What a worker says; None where it was lost."""
    try:
        said = worker.line.recv()
    except (EOFError, OSError):
        worker.process.join(PATIENCE)
        return None
    if isinstance(said, str):
        raise CheckpointError(said)
    return said


def _lost(asked: Asked, code: int | None) -> Answer:
    from .generator import failed

    group, rows = asked
    error = ValueError(LOST.format(count=TRIES, code=code))
    results = [failed(name, error) for name in rows["id"]]
    return group, {name: [one[name] for one in results] for name in results[0]}, 0.0


def _end(workers: list[Worker]) -> None:
    for worker in workers:
        worker.line.close()  # which ends one that waits
        if worker.group is not None and worker.process.is_alive():
            worker.process.terminate()
    for worker in workers:
        worker.process.join(PATIENCE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(line: Connection, start: Callable[[str], Make], device: str, parent: int) -> None:
    """A worker's life. Ctrl-C is its parent's matter; asked to end, it tidies up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    try:
        make = start(device)
    except (CheckpointError, ValueError) as error:
        line.recv()  # what it was asked for
        line.send(str(error))
        return
    while True:
        try:
            group, rows = line.recv()
        except (EOFError, OSError):
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            return
        began = time.perf_counter()
        results = make(rows)
        line.send((group, results, time.perf_counter() - began))


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
