"""Files of a WebDataset: rows that are done, in tar files of about a gigabyte.

    staged/ID.flac and its record, of all groups of a pack -> shards/000012.tar: ID.flac, ID.json

A tar file is written whole when the last of its groups is there, and again when a row that had
failed is made after all. Which rows it holds, and every byte of it, is decided by the plan.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from ..atomic import check_place, replaced
from ..records.record import record_path
from ..settings import WEBDATASET
from .places import Places
from .plan import Plan


class Packs:
    """The files of one batch."""

    def __init__(self, plan: Plan, places: Places) -> None:
        self.plan, self.places = plan, places
        self.is_used = plan.kind == WEBDATASET
        self._pack_of = {g: number for number, pack in enumerate(plan.packs) for g in pack}

    def file_of(self, group: int) -> Path:
        return Path(self.places.out) / "shards" / f"{self._pack_of[group]:06}.tar"

    def groups_beside(self, group: int) -> range:
        return self.plan.packs[self._pack_of[group]]

    def told(self, group: int, name: str) -> str:
        """Where a row lies, from the folder of the batch."""
        if not self.is_used:
            return self.places.told(name)
        return f"shards/{self.file_of(group).name}/{self.places.of(name).name}"

    def has(self, group: int, name: str, size: int) -> bool:
        """Whether the sound of a row that is done is there, with as many bytes."""
        place = self.places.of(name)
        try:
            return place.stat().st_size == size
        except OSError:
            return self.is_used and self.file_of(group).is_file()

    @contextmanager
    def sound(self, told: str, name: str) -> Iterator[Path]:
        """The sound file of a row that lies where `told` says: out of its tar file for a while,
        where it is in one."""
        staged, place = self.places.of(name), Path(self.places.out) / told
        if not self.is_used or staged.is_file():
            yield staged
            return
        with tarfile.open(place.parent) as pack, tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / place.name
            with copy.open("wb") as file:
                shutil.copyfileobj(pack.extractfile(place.name), file)  # pyright: ignore[reportArgumentType]
            yield copy

    def packed(self, group: int, done: Mapping[int, Iterable[str]]) -> bool:
        """Write the file that holds a group, where all its groups are there: `done` has the ids of
        each group's rows that are done. Whether there was anything to write."""
        groups = self.groups_beside(group)
        if not self.is_used or any(one not in done for one in groups):
            return False
        names = [name for one in groups for name in done[one]]
        staged = [name for name in names if self.places.of(name).is_file()]
        if not staged:
            return False
        path = check_place(self.file_of(group))
        with ExitStack() as stack:
            old = stack.enter_context(tarfile.open(path)) if path.is_file() else None
            place = stack.enter_context(replaced(path))
            new = stack.enter_context(tarfile.open(place, "w", format=tarfile.USTAR_FORMAT))
            for name in names:
                self._add(new, old, name)
        for name in staged:
            self.places.of(name).unlink()
            record_path(self.places.of(name)).unlink()
        return True

    def _add(self, new: tarfile.TarFile, old: tarfile.TarFile | None, name: str) -> None:
        sound = self.places.of(name)
        for place, member in ((sound, sound.name), (record_path(sound), f"{name}.json")):
            if place.is_file():
                with place.open("rb") as file:
                    _put(new, member, place.stat().st_size, file)
            else:
                assert old, f"{member} is neither staged nor packed"
                info = old.getmember(member)
                _put(new, member, info.size, old.extractfile(info))


def _put(file: tarfile.TarFile, name: str, size: int, stream: IO[bytes] | None) -> None:
    """A member without owner or time, so that the same content gives the same file."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    file.addfile(info, stream)
