"""Which rows are made together: told by the manifest alone, never by what is left to do.

    manifest -> Planned rows -> groups of equal shape -> shards of groups

Rows that share a batch change one another's last digits, so a group is made whole or not at all.
A new clip's group has one length and one set of settings, whatever its words; a retake's one clip;
everything on a source is alone, as it is where a mode's batches share their noise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from ..config import frames_of
from ..faces import offered_at
from ..presets import Preset
from ..settings import WEBDATASET, SettingError
from ..tasks.behaviours import BEHAVIOURS
from ..types import Retake, TextToMusic
from ..weights.lora import file_of
from ..weights.model import Added
from .manifest import Raw
from .rows import Row, row_of

BATCH = int(str(offered_at("batch")["--batch"].default))  # rows made together, at most
MOST_SECONDS = 480.0  # of music made together, at most: eight minutes fit a card of 24 GB
MOST_ERRORS = 100  # rows that may fail before a run gives up
WHOLE = "1/1"  # the shard that is all
ERRORS_SHOWN = 5
SHARD_BYTES = 1_000_000_000  # of a WebDataset's file, about
HOSTED_DOLLARS = 0.0002  # what hosted services take for a second of music
# Bytes a second, about: stereo of 48 kHz; lossless files take what their music takes.
BYTES = {"flac": 110_000, "wav": 192_000, "mp3": 32_000, "opus": 20_000, WEBDATASET: 110_000}
RECORD_BYTES = 3_000
UNKNOWN_SECONDS = 60.0  # of a result on a source, before it is read


@dataclass(frozen=True)
class Planned:
    """A row as the plan keeps it: small, since there may be millions."""

    id: str
    text: str  # the row of the manifest as JSON
    seconds: float = 0.0  # of music; 0 where the source decides
    source: str = ""

    @property
    def raw(self) -> Raw:
        return json.loads(self.text)


@dataclass(frozen=True)
class Group:
    """Rows that are made together, by their places in the manifest."""

    number: int
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    rows: Sequence[Planned]
    groups: Sequence[Group]
    kind: str = "flac"
    adapters: tuple[Added, ...] = ()  # that rows name, each once
    varies: bool = False  # whether rows say which adapters they want, or that they want none

    @cached_property
    def digest(self) -> str:
        """Another one when any row, their order or their groups are others."""
        found = hashlib.sha256()
        for row in self.rows:
            found.update(f"{row.id}\n{row.text}\n".encode())
        for group in self.groups:
            found.update(f"{group.rows}\n".encode())
        return found.hexdigest()

    @cached_property
    def packs(self) -> list[range]:
        """Groups by the file of a WebDataset that holds them; without one each is by itself."""
        if self.kind != WEBDATASET:
            return [range(one.number, one.number + 1) for one in self.groups]
        found, first, size = [], 0, 0.0
        for group in self.groups:
            size += sum(self.bytes_of(row) for row in group.rows)
            if size >= SHARD_BYTES or group.number + 1 == len(self.groups):
                found.append(range(first, group.number + 1))
                first, size = group.number + 1, 0.0
        return found

    def bytes_of(self, row: int) -> float:
        return self.seconds_of(row) * BYTES[self.kind] + RECORD_BYTES

    def seconds_of(self, row: int) -> float:
        return self.rows[row].seconds or UNKNOWN_SECONDS

    def shard(self, index: int, count: int) -> list[Group]:
        """The groups of shard `index` of `count`, from 1; whole files of a WebDataset."""
        return [self.groups[g] for pack in self.packs[index - 1 :: count] for g in pack]

    def columns(self, group: Group) -> dict[str, list[object]]:
        """The rows of a group as a Generator takes them."""
        return columns_of([self.rows[row].raw | {"id": self.rows[row].id} for row in group.rows])


def columns_of(raws: Sequence[Raw]) -> dict[str, list[object]]:
    """Rows as columns; what a row has not is None there."""
    names = dict.fromkeys(name for raw in raws for name in raw)
    return {name: [raw.get(name) for raw in raws] for name in names}


def raws_of(columns: dict[str, list[object]]) -> list[Raw]:
    count = max((len(values) for values in columns.values()), default=0)
    return [
        {name: values[i] for name, values in columns.items() if values[i] is not None}
        for i in range(count)
    ]


def planned(
    raws: Iterable[Raw], recommended: Preset, batch: int = BATCH, kind: str = "flac", base: str = ""
) -> Plan:
    """The plan of a manifest whose sources lie in the folder `base`; all that is wrong with its
    rows is said at once."""
    rows: list[Planned] = []
    shapes: dict[object, list[tuple[object, int]]] = {}
    errors: list[str] = []
    seen: set[str] = set()
    adapters: dict[Added, None] = {}
    varies = False
    for number, raw in enumerate(raws, start=1):
        try:
            row = row_of(raw, number, recommended)
            _check_new(row, number, seen)
            _check_files(row, number, base, adapters)
        except ValueError as error:
            errors.append(str(error))
            continue
        adapters |= dict.fromkeys(row.adapters or ())
        varies |= row.adapters is not None
        text = json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        task = row.task
        seconds = task.seconds if isinstance(task, TextToMusic | Retake) else 0.0
        shapes.setdefault(shape_of(row), []).append((_order(row), len(rows)))
        rows.append(Planned(row.id, text, seconds, str(row.source or "")))
    if errors:
        raise _wrong(errors)
    if not rows:
        raise SettingError("The manifest has no rows. Write one line for each song.")
    groups = list(_groups(rows, shapes.values(), batch))
    return Plan(rows, groups, kind, tuple(adapters), varies)


def _check_new(row: Row, number: int, seen: set[str]) -> None:
    """Some disks do not tell capitals from small letters."""
    if row.id.lower() in seen:
        raise SettingError(f"Row {number} ({row.id}): the id is there already. Give it another.")
    seen.add(row.id.lower())


def _check_files(row: Row, number: int, base: str, adapters: Container[Added]) -> None:
    if row.source and not (place := Path(base) / row.source).is_file():
        raise SettingError(f"Row {number} ({row.id}): the source {place} does not exist.")
    for one in row.adapters or ():
        if one not in adapters and not (place := file_of(Path(base) / one.name)).is_file():
            raise SettingError(f"Row {number} ({row.id}): the LoRA {place} does not exist.")


def _wrong(errors: list[str]) -> SettingError:
    shown = "\n".join(errors[:ERRORS_SHOWN])
    more = len(errors) - ERRORS_SHOWN
    return SettingError(shown + (f"\nand {more} more rows are wrong." if more > 0 else ""))


def shape_of(row: Row) -> object:
    """What rows have in common that can be made together."""
    recipe, task = row.recipe, row.task
    if not BEHAVIOURS[recipe.compat].items_in_turn or not isinstance(task, TextToMusic | Retake):
        return row.id
    if isinstance(task, Retake):
        return replace(recipe, seeds=(0,), retake_seeds=()), row.adapters
    wordless = replace(recipe, tags="", lyrics="", seeds=(0,), task=TextToMusic(), language="auto")
    return frames_of(task.seconds), wordless, row.adapters


def _order(row: Row) -> object:
    """Within a shape: lyrics of like length side by side, and the same words together."""
    return len(row.recipe.lyrics), row.recipe.lyrics, row.recipe.tags


def _groups(
    rows: Sequence[Planned], shapes: Iterable[list[tuple[object, int]]], batch: int
) -> Iterator[Group]:
    """The longest first: what does not fit is known at once, and workers end together."""
    cut: list[tuple[int, ...]] = []
    for places in shapes:
        order = [place for _, place in sorted(places)]  # pyright: ignore[reportArgumentType]
        count = batch
        if seconds := rows[order[0]].seconds:
            count = max(min(batch, int(MOST_SECONDS / seconds)), 1)
        cut += [tuple(order[i : i + count]) for i in range(0, len(order), count)]
    cut.sort(key=lambda places: (-rows[places[0]].seconds, places))
    return (Group(number, places) for number, places in enumerate(cut))


def part_of(text: str) -> tuple[int, int]:
    """A shard as people write it: 2/8 is the second of eight."""
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise SettingError(f"--shard is {text!r}; it must be I/N, from 1/N to N/N, such as 2/8.")
    return int(index), int(count)


def lasting(seconds: float) -> str:
    """A length of much music, for people."""
    minutes = seconds / 60
    return f"{minutes / 60:.1f} hours" if minutes >= 100 else f"{minutes:.1f} minutes"
