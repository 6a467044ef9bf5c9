"""What Ray costs beside a pool of processes: the same songs by the same workers, timed apart.

rows of all six tasks, of a usual length -> pool, Ray -> until a worker begins | songs | end

The interpreter that runs this needs Ray.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from acestep_core.batch.course import Batch
from acestep_core.batch.generator import Loading, Work
from acestep_core.batch.places import Places
from acestep_core.batch.plan import planned
from acestep_core.batch.pool import Pool
from acestep_core.batch.rays import Rays
from acestep_core.weights import small
from acestep_core.weights.shared import InMemory

from .batch import ROWS, rows_of, write_source
from .measure import last_line

WORKERS, SECONDS = 2, 10.0


@dataclass(frozen=True)
class Course:
    """Seconds of one way through a batch."""

    start: float  # until the first group was begun
    songs: float  # from then on until the last one was there
    end: float  # until all processes were gone
    worked: float  # of all workers together, in their groups

    @property
    def whole(self) -> float:
        return self.start + self.songs + self.end

    @property
    def making(self) -> float:
        """What the songs themselves took, with all workers busy."""
        return self.worked / WORKERS


def alike(one: Course, other: Course) -> float:
    """How many times as long `other` would take if songs took as long in both: on a busy machine
    the system gives one way's processes more of the processor than the other's."""
    making = min(one.making, other.making)
    return (other.whole - other.making + making) / (one.whole - one.making + making)


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench batch-overhead", description=about)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of the shorter songs")
    options = parser.parse_args(words)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        figures = compared(Path(folder), options.rows, options.seconds)
    last_line("batch-overhead", **figures)
    return 0


def compared(folder: Path, count: int, seconds: float) -> dict[str, Any]:
    write_source(folder, seconds)
    plan = planned(rows_of(count, seconds), small.card().recommended, base=str(folder))
    print(
        f"{count} rows of all six tasks, {seconds:g} to {2 * seconds:g} s, the small model,"
        f" {WORKERS} workers of one thread:"
    )
    found, sounds = {}, []
    for name, engine in ENGINES.items():
        batch = Batch(plan, Places.for_rows(count, folder / name, folder, "flac"))
        course, heard = timed(batch, engine)
        sounds.append(heard)
        found[name] = course
        print(
            f"  {name:5} {course.whole:6.1f} s: {course.start:4.1f} until a worker begins,"
            f" {course.songs:5.1f} of songs (the workers are busy"
            f" {course.worked / course.songs / WORKERS:.1%} of it), {course.end:.1f} to the end;"
            f" load average {os.getloadavg()[0]:.1f}",
            flush=True,
        )
    if sounds[0] != sounds[1]:
        raise SystemExit("Ray made other songs.")
    pool, ray = found["pool"], found["ray"]
    whole, songs = ray.whole / pool.whole, ray.songs / pool.songs
    fair = alike(pool, ray)
    print(
        f"  Ray takes {whole:.3f} x the pool's time with start and end, {songs:.3f} x without;"
        f" {fair:.3f} x with start and end where the songs take as long in both"
    )
    return {
        "whole": round(whole, 4),
        "songs": round(songs, 4),
        "alike": round(fair, 4),
        **{name: {k: round(v, 2) for k, v in vars(one).items()} for name, one in found.items()},
    }


def timed(batch: Batch, engine: Callable[..., Any]) -> tuple[Course, dict[str, str]]:
    """The course, and the sound of every row."""
    work = Work(batch.places, 1)
    loading = Loading((str(small.FOLDER),), "auto", work)
    todo = ((group.number, batch.plan.columns(group)) for group in batch.mine)
    began, first, last, worked = time.perf_counter(), 0.0, 0.0, 0.0
    heard: dict[str, str] = {}
    for _, rows, took in engine(loading, todo):
        last = time.perf_counter()
        first = min(first or last, last - took)
        worked += took
        heard |= zip(rows["id"], rows["sound"], strict=True)
        if failed := [error for error in rows["error"] if error]:
            raise SystemExit(f"A row failed: {failed[0]}")
    return Course(first - began, last - first, time.perf_counter() - last, worked), heard


def by_pool(loading: Loading, todo: Any) -> Any:
    with InMemory() as memory:
        yield from Pool(loading.sharing("cpu", memory), ["cpu"] * WORKERS).made(todo)


def by_ray(loading: Loading, todo: Any) -> Any:
    yield from Rays(loading, ["cpu"] * WORKERS).made(todo)


ENGINES = {"pool": by_pool, "ray": by_ray}
