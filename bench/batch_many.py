"""A manifest of very many rows with a stub in place of the model: what planning alone takes."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from acestep_core.batch.course import Batch, Course
from acestep_core.batch.generator import COLUMNS
from acestep_core.batch.places import Places
from acestep_core.batch.plan import planned
from acestep_core.batch.pool import Answer, Asked
from acestep_core.presets import PRESETS

from .measure import Memory, last_line

MEGABYTE = 2**20


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench batch-many", description=about)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        figures = many(Path(folder), options.rows)
    last_line("batch-many", **figures)
    return 0


def many(folder: Path, count: int) -> dict[str, Any]:
    """Plan, run and resume; every row is one byte."""
    out = folder / "many"
    with Memory() as memory:
        began, worked = time.perf_counter(), time.process_time()
        plan = planned(_raws(count), PRESETS["original"])
        batch = Batch(plan, Places.for_rows(count, out, folder, "flac"))
        planning = time.perf_counter() - began
        Course(batch, lambda todo: stub(batch, todo)).run()
        running = time.perf_counter() - began - planning
        for row in plan.rows[: count // 100]:  # one in a hundred is lost, and made again
            batch.places.of(row.id).unlink()
        course = Course(batch, lambda todo: stub(batch, todo))
        again = time.perf_counter()
        course.run()
        resuming = time.perf_counter() - again
    whole, cpu = planning + running + resuming, time.process_time() - worked
    size = sum(path.stat().st_size for path in out.glob("ledger*"))
    print(
        f"{count} rows, each one byte of a stub: {len(plan.groups)} batches;"
        f" plan {planning:.1f} s, run {running:.1f} s, resume with 1 % lost {resuming:.1f} s,"
        f" together {whole:.1f} s ({cpu:.1f} s of the processor); ledger {size / MEGABYTE:.0f} MiB,"
        f" peak {memory.rise / MEGABYTE:.0f} MiB over {memory.start / MEGABYTE:.0f}",
        flush=True,
    )
    return {
        "plan_s": round(planning, 1),
        "run_s": round(running, 1),
        "resume_s": round(resuming, 1),
        "cpu_s": round(cpu, 1),
        "rise_bytes": memory.rise,
        "ledger_bytes": size,
    }


def _raws(count: int) -> Iterator[dict[str, Any]]:
    chance = random.Random(0)
    for i in range(count):
        yield {
            "id": f"clip-{i:07}",
            "tags": f"pop, piano, {60 + i % 90} bpm",
            "lyrics": "[verse]\nla la la\n" * chance.randrange(6),
            "seed": i,
            "seconds": (10, 20, 30, 60)[i % 4],
            "guidance_scale": 5 + i % 3,
        }


def stub(batch: Batch, todo: Iterable[Asked]) -> Iterator[Answer]:
    """A byte for each row; its folders are made once."""
    made: set[Path] = set()
    blank = {**dict.fromkeys(COLUMNS), "gates": [], "warnings": []}
    usual = {"status": "done", "error": "", "bytes": 1, "seconds": 1.0, "loudness": -20.0}
    for group, rows in todo:
        results = []
        for name in rows["id"]:
            place = batch.places.of(name)
            if place.parent not in made:
                place.parent.mkdir(parents=True, exist_ok=True)
                made.add(place.parent)
            place.write_bytes(b"x")
            found = {"id": name, "path": batch.places.told(name), "sound": name, "sha256": ""}
            results.append({**blank, **usual, **found})
        yield group, {column: [one[column] for one in results] for column in COLUMNS}, 0.0
