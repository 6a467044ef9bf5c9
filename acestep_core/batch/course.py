"""The course of a batch: what is left to do, done by an engine, written into the ledger.

    Batch (plan, places, shard) + engine -> groups -> ledger -> results.jsonl, in manifest order

An engine is a function that takes groups and yields their results in any order: `Pool.made`, or
that of `rays`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from ..atomic import replaced, sweep
from ..settings import SettingError
from .gates import DUPLICATE
from .ledger import DONE, Entry, Known, Ledger, entry_at, known_in
from .packs import Packs
from .places import Places
from .plan import MOST_ERRORS, Group, Plan
from .pool import Answer, Asked

Engine: TypeAlias = "Callable[[Iterable[Asked]], Iterator[Answer]]"
See: TypeAlias = "Callable[[Entry], None]"

RESULTS = "results.jsonl"
LOCK = ".results.lock"


class TooManyError(SettingError):
    """More rows failed than were allowed."""


@dataclass(frozen=True)
class Batch:
    plan: Plan
    places: Places
    shard: tuple[int, int] = (1, 1)
    is_retrying: bool = False  # rows that failed before are made again, with their groups
    most_errors: int = MOST_ERRORS

    @property
    def out(self) -> Path:
        return Path(self.places.out)

    @cached_property
    def packs(self) -> Packs:
        return Packs(self.plan, self.places)

    @cached_property
    def mine(self) -> list[Group]:
        return self.plan.shard(*self.shard)

    def known(self) -> dict[int, Known]:
        """What the ledgers say of each group, as far as its files are really there."""
        return known_in(self.out, self._is_there)

    def _is_there(self, entry: Entry) -> bool:
        done = (row for row in entry.rows if row["status"] == DONE)
        return all(self.packs.has(entry.group, row["id"], row["bytes"]) for row in done)

    def left(self, known: dict[int, Known]) -> list[Group]:
        return [
            group
            for group in self.mine
            if group.number not in known or (self.is_retrying and known[group.number].failed)
        ]


@dataclass
class Course:
    """One run of a batch."""

    batch: Batch
    engine: Engine
    see: See = lambda entry: None
    known: dict[int, Known] = field(default_factory=dict)

    def run(self) -> None:
        """Everything that is left, then the results of all that is there."""
        batch, errors = self.batch, 0
        batch.out.mkdir(parents=True, exist_ok=True)
        with Ledger(batch.out, batch.shard) as ledger:
            self.known = batch.known()
            left = batch.left(self.known)
            self._pack(group.number for group in batch.mine)
            asked = ((group.number, batch.plan.columns(group)) for group in left)
            for number, results, took in self.engine(asked) if left else ():
                entry = Entry(number, tuple(_rows(results)), took)
                self.known[number] = ledger.add(entry)
                self._pack([number])
                self.see(entry)
                errors += entry.failed
                if errors > batch.most_errors:
                    first = next(row for row in entry.rows if row["status"] != DONE)
                    raise TooManyError(
                        f"{errors} rows failed, more than --max-errors {batch.most_errors}; the"
                        f" last one ({first['id']}): {first['error']} What is done stays done."
                    )
        self._tidy()
        with locked(batch.out):
            self.known = batch.known()
            write_results(batch, self.known)

    def _pack(self, groups: Iterable[int]) -> None:
        packs = self.batch.packs
        if not packs.is_used:
            return
        for group in groups:
            beside = packs.groups_beside(group)
            if all(one in self.known for one in beside):
                done = {one: entry_at(self.known[one]).done for one in beside}
                packs.packed(group, done)

    def _tidy(self) -> None:
        """What killed runs left under temporary names."""
        for folder in {self.batch.places.of(row.id).parent for row in self.batch.plan.rows}:
            sweep(folder, again=True)


def _rows(results: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    names = list(results)
    for values in zip(*results.values(), strict=True):
        yield dict(zip(names, values, strict=True))


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Of shards that end at once the last one sees what all of them did."""
    if os.name == "nt":
        yield
        return
    import fcntl

    with (out / LOCK).open("ab") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def results(batch: Batch, known: dict[int, Known]) -> Iterator[dict[str, Any]]:
    """Of every row that was made or failed, in the order of the manifest."""
    group_of = _groups_of(batch.plan)
    read = lru_cache(1024)(lambda group: entry_at(known[group]).rows)
    first: dict[str, str] = {}
    for place, row in enumerate(batch.plan.rows):
        group = batch.plan.groups[group_of[place]]
        if group.number not in known:
            continue
        found = dict(read(group.number)[group.rows.index(place)])
        if found["status"] == DONE:
            found["path"] = batch.packs.told(group.number, row.id)
            earlier = first.setdefault(found["sound"], row.id)
            if earlier != row.id:
                found["gates"] = [*found["gates"], DUPLICATE]
                found["duplicate_of"] = earlier
        yield found


def _groups_of(plan: Plan) -> Sequence[int]:
    found = [0] * len(plan.rows)
    for group in plan.groups:
        for row in group.rows:
            found[row] = group.number
    return found


def write_results(batch: Batch, known: dict[int, Known]) -> Path:
    path = batch.out / RESULTS
    with replaced(path) as place, place.open("w", encoding="utf-8", newline="\n") as file:
        for row in results(batch, known):
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
    return path
