"""Batches for tests: engines that make a byte a row, workers that are lost, rows of every task."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acestep_core.batch.course import Batch
from acestep_core.batch.generator import COLUMNS, Work
from acestep_core.batch.places import Places
from acestep_core.batch.plan import planned
from acestep_core.batch.pool import Answer, Asked, Columns
from acestep_core.presets import PRESETS
from acestep_core.records.record import record_path

SHORT = {"seconds": 0.3, "steps": 2}


def rows_of(count: int, **columns: Any) -> list[dict[str, Any]]:
    return [{"id": f"song-{i}", "tags": "pop", "seed": i, **SHORT, **columns} for i in range(count)]


def batch_of(out: Path, raws: list[dict[str, Any]], **others: Any) -> Batch:
    kind = others.pop("kind", "flac")
    plan = planned(raws, PRESETS["original"], others.pop("batch", 2), kind, str(out))
    return Batch(plan, Places.for_rows(len(raws), out, out, kind), **others)


def result(name: str, content: bytes, **others: Any) -> dict[str, Any]:
    told = {"id": name, "status": "done", "error": "", "path": name, "bytes": len(content)}
    told |= {"seconds": 1.0, "seed": 0, "sha256": "", "sound": name, "loudness": -20.0}
    told["loudness_range"] = 4.0
    return {**dict.fromkeys(COLUMNS), **told, "peak": -1.0, "gates": [], "warnings": [], **others}


@dataclass
class Stub:
    """Writes each row's id; rows in `bad` fail."""

    places: Places
    bad: tuple[str, ...] = ()
    pause: float = 0.0
    error: str = "no"

    def __call__(self, rows: Columns) -> Columns:
        made = [self._made(str(name)) for name in rows["id"]]
        time.sleep(self.pause)
        return {name: [one[name] for one in made] for name in COLUMNS}

    def _made(self, name: str) -> dict[str, Any]:
        if name in self.bad:
            return result(name, b"", status="failed", error=self.error)
        path, content = self.places.of(name), name.encode()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        record_path(path).write_bytes(b"{}")
        return result(name, content)

    def made(self, todo: Iterable[Asked]) -> Iterator[Answer]:
        """An engine of this process."""
        for group, rows in todo:
            yield group, self(rows), 0.0


@dataclass(frozen=True)
class Starting:
    """Makes a Stub in a worker, which is lost at a row whose file is there, or always."""

    places: Places
    fatal: str = ""
    once: str = ""  # a file: where it is missing the worker makes it and is lost
    work: Work = field(default_factory=lambda: Work(Places("")))  # as a Loading has it

    def sharing(self, device: str, piece: object) -> Starting:
        return self

    def __call__(self, device: str) -> Any:
        stub = Stub(self.places)

        def make(rows: Columns) -> Columns:
            is_first = self.once and not Path(self.once).exists()
            if self.fatal in rows["id"] and (is_first or not self.once):
                if self.once:
                    Path(self.once).touch()
                os._exit(9)
            return stub(rows)

        return make


def refuse(device: str) -> Any:
    raise ValueError("This model is damaged.")


def files_in(out: Path) -> dict[str, bytes]:
    """Everything a batch leaves that is to be the same however it came about."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and not path.name.startswith(("ledger", ".results"))
    }
