"""Requests that were accepted, kept over a restart: one SQLite file.

    Job <-> row (id, JSON)

Every change is one transaction, so a server that is killed leaves the last whole state. A file
that is damaged is set aside, and a new one begun: old ids are unknown then, new ones are not.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from ..records.record import Json
from ..settings import Value
from .errors import RequestError
from .queue import OutputFile

log = logging.getLogger(__name__)

Done = TypeVar("Done")
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


class StoreError(RequestError):
    """Nothing can be noted: the disk is full, the folder is not writable."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"The server cannot note requests ({reason}).", status=507)


class Store:
    """The file is opened at the first use; every call may come from another thread."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._lock = path, threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def save(self, job: Job) -> None:
        body = json.dumps(asdict(job))

        def work(connection: sqlite3.Connection) -> None:
            with connection:
                _write(connection, job.id, body)

        self._tried(work)

    def get(self, job_id: str) -> Job | None:
        def work(connection: sqlite3.Connection) -> tuple[str] | None:
            return connection.execute("SELECT body FROM jobs WHERE id = ?", (job_id,)).fetchone()

        row = self._tried(work)
        return _job(row[0]) if row else None

    def close(self) -> None:
        with self._lock:
            self._close()

    def _tried(self, work: Callable[[sqlite3.Connection], Done]) -> Done:
        with self._lock:
            try:
                try:
                    return work(self._opened())
                except sqlite3.DatabaseError as error:
                    if type(error) is not sqlite3.DatabaseError:
                        raise
                    self._set_aside(error)  # this kind itself means that the file is damaged
                    return work(self._opened())
            except sqlite3.Error as error:
                self._close()
                raise StoreError(error) from error
            except OSError as error:
                raise StoreError(error.strerror) from error

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _set_aside(self, error: Exception) -> None:
        assert self._path is not None, "memory is never damaged"
        self._close()
        place = self._path.with_name(f"{self._path.name}.damaged-{_stamp()}")
        os.replace(self._path, place)
        for more in ("-journal", "-wal", "-shm"):  # they would be taken for the new one's
            if (rest := Path(f"{self._path}{more}")).exists():
                os.replace(rest, f"{place}{more}")
        log.error("%s is damaged (%s): set aside as %s", self._path, error, place.name)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            if self._path is not None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            place = str(self._path) if self._path is not None else ":memory:"
            connection = sqlite3.connect(place, SECONDS, check_same_thread=False)
            self._connection = connection  # closed with the rest where the next line fails
            with connection:
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS jobs (number INTEGER PRIMARY KEY AUTOINCREMENT,"
                    " id TEXT UNIQUE NOT NULL, body TEXT NOT NULL)"
                )
        return self._connection


def _write(connection: sqlite3.Connection, job_id: str, body: str) -> None:
    changed = connection.execute("UPDATE jobs SET body = ? WHERE id = ?", (body, job_id))
    if changed.rowcount:
        return
    connection.execute("INSERT INTO jobs (id, body) VALUES (?, ?)", (job_id, body))
    connection.execute(
        "DELETE FROM jobs WHERE number <= (SELECT max(number) FROM jobs) - ?", (MOST_KEPT,)
    )


def _stamp() -> str:
    return datetime.now().strftime("%Y%m%d-%H%M%S-%f")


def _job(text: str) -> Job | None:
    """None for a row that another version wrote, or nobody."""
    try:
        body: dict[str, Json] = json.loads(text)
        files = body.pop("files")
        assert isinstance(files, list)
        kept = tuple(OutputFile(**one) for one in files if isinstance(one, dict))  # pyright: ignore[reportArgumentType]
        return Job(**body, files=kept)  # pyright: ignore[reportArgumentType]
    except (ValueError, TypeError, LookupError, AssertionError, AttributeError) as error:
        log.warning("A request that was noted cannot be read: %s", error)
        return None
