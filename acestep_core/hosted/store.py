"""Requests that were accepted, kept over a restart: one SQLite file.

    Job <-> row (id, JSON)

Every change is one transaction, so a server that is killed leaves the last whole state.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, TypeAlias

from ..records.record import Json
from ..settings import Value
from .queue import OutputFile

Status: TypeAlias = Literal["created", "processing", "completed", "failed"]

MOST_KEPT = 10_000  # older requests are forgotten
SECONDS = 10.0  # to wait for another process that holds the file


def now() -> str:
    """As the services write times: UTC, milliseconds, Z."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True)
class Job:
    """One accepted request and what became of it."""

    id: str
    endpoint: str
    asked: Mapping[str, Value]  # seeds resolved; audio as the name of its file
    session: str  # of the server that accepted it
    created_at: str = field(default_factory=now)
    status: Status = "created"
    files: tuple[OutputFile, ...] = ()
    error: str = ""
    milliseconds: int = 0

    @property
    def is_over(self) -> bool:
        return self.status in ("completed", "failed")


class Store:
    """The file is opened at the first use; every call may come from another thread."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def save(self, job: Job) -> None:
        with self._lock, self._opened() as connection:
            body = json.dumps(asdict(job))
            changed = connection.execute("UPDATE jobs SET body = ? WHERE id = ?", (body, job.id))
            if changed.rowcount:
                return
            connection.execute("INSERT INTO jobs (id, body) VALUES (?, ?)", (job.id, body))
            connection.execute(
                "DELETE FROM jobs WHERE number <= (SELECT max(number) FROM jobs) - ?", (MOST_KEPT,)
            )

    def get(self, job_id: str) -> Job | None:
        with self._lock, closing(self._opened().cursor()) as cursor:
            row = cursor.execute("SELECT body FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return _job(json.loads(row[0])) if row else None

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            place = str(self._path) if self._path is not None else ":memory:"
            connection = sqlite3.connect(place, SECONDS, check_same_thread=False)
            with connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS jobs (number INTEGER PRIMARY KEY AUTOINCREMENT,"
                    " id TEXT UNIQUE NOT NULL, body TEXT NOT NULL)"
                )
            self._connection = connection
        return self._connection


def _job(body: dict[str, Json]) -> Job:
    files = body.pop("files")
    assert isinstance(files, list)
    kept = tuple(OutputFile(**one) for one in files if isinstance(one, dict))  # pyright: ignore[reportArgumentType]
    return Job(**body, files=kept)  # pyright: ignore[reportArgumentType]
