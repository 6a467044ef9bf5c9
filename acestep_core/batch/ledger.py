"""What is done: a line for each group, appended when its files are whole.

    group made -> Entry -> ledger.jsonl
    killed anywhere -> read -> groups that are done; a line that was cut off never counts

A shard has a file of its own, so that machines never write to the same one; all are read.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..anonymous import sentence
from ..atomic import FileError, reason

NAMES = re.compile(r"ledger(\.\d+-of-\d+)?\.jsonl")
DONE, FAILED = "done", "failed"
SYNCED = 1.0  # seconds between two waits for the disk; only a fall of the power can lose them

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """A group that was made, with what is said of each of its rows."""

    group: int
    rows: tuple[Result, ...]
    took: float = 0.0  # seconds

    @property
    def failed(self) -> int:
        return sum(row["status"] == FAILED for row in self.rows)

    @property
    def done(self) -> list[str]:
        """Ids."""
        return [row["id"] for row in self.rows if row["status"] == DONE]

    def line(self) -> bytes:
        """As it is written, and all files of a batch repeat it: no error in it names a folder."""
        rows = [{**row, "error": sentence(row["error"])} for row in self.rows]
        told = {"group": self.group, "took": round(self.took, 3), "rows": rows}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class Ledger:
    """The ledger of one run: read whole, then appended to. Two runs never hold the same one."""

    def __init__(self, out: Path, shard: tuple[int, int] = (1, 1)) -> None:
        index, count = shard
        self.path = out / ("ledger.jsonl" if count == 1 else f"ledger.{index}-of-{count}.jsonl")
        self._file: IO[bytes] | None = None
        self._synced = 0.0

    def __enter__(self) -> Ledger:
        try:
            self._file = self.path.open("ab+")
            self._hold(self._file)
            self._mend(self._file)
        except OSError as error:
            raise FileError(f"{self.path} cannot be written ({reason(error)}).") from error
        return self

    def __exit__(self, *error: object) -> None:
        if self._file:
            self._sync(self._file, 0.0)
            self._file.close()

    def _sync(self, file: IO[bytes], seconds: float) -> None:
        now = time.monotonic()
        if now - self._synced >= seconds:
            self._synced = now
            with suppress(OSError):  # some network drives cannot
                os.fsync(file.fileno())

    def _hold(self, file: IO[bytes]) -> None:
        if os.name == "nt":
            return
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileError(
                f"{self.path} is written by another run. Wait for it, or give each run a shard of"
                " its own with --shard I/N."
            ) from None
        except OSError:  # some network drives know no locks
            return

    def _mend(self, file: IO[bytes]) -> None:
        """Cut off what a killed run left of its last line."""
        size = end = file.seek(0, os.SEEK_END)
        while end:
            first = max(end - (1 << 16), 0)
            file.seek(first)
            newline = file.read(end - first).rfind(b"\n")
            if newline >= 0:
                end = first + newline + 1
                break
            end = first
        if end != size:
            file.truncate(end)

    def add(self, entry: Entry) -> Known:
        """Out of this process when this returns, and on the disk within a second or so."""
        assert self._file, "a ledger is added to while it is open"
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(entry.line())
        self._file.flush()
        self._sync(self._file, SYNCED)
        return Known(self.path, offset, entry.failed)


@dataclass(frozen=True)
class Known:
    """Where the entry of a group stands: all of them would be too many to hold."""

    path: Path
    offset: int
    failed: int


def entry_at(known: Known) -> Entry:
    with known.path.open("rb") as file:
        file.seek(known.offset)
        return _entry(known.path, known.offset, file.readline())


def known_in(out: Path, is_there: Callable[[Entry], bool]) -> dict[int, Known]:
    """The entry that counts of each group: of those whose files are there the one with the
    fewest failures, and the last of them."""
    known: dict[int, Known] = {}
    for entry, place in _entries(out):
        before = known.get(entry.group)
        if (before is None or place.failed <= before.failed) and is_there(entry):
            known[entry.group] = place
    return known


def _entries(out: Path) -> Iterator[tuple[Entry, Known]]:
    """All that stands in the ledgers of a folder."""
    for path in sorted(path for path in out.glob("ledger*.jsonl") if NAMES.fullmatch(path.name)):
        with path.open("rb") as file:
            offset = 0
            for line in file:
                if line.endswith(b"\n"):
                    entry = _entry(path, offset, line)
                    yield entry, Known(path, offset, entry.failed)
                offset += len(line)


def _entry(path: Path, offset: int, line: bytes) -> Entry:
    try:
        told = json.loads(line)
        return Entry(int(told["group"]), tuple(told["rows"]), float(told["took"]))
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(
            f"{path} is damaged at byte {offset} ({error!r}). Delete that line: its rows are made"
            " again."
        ) from error
