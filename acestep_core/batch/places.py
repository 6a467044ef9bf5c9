"""Where the results of a batch lie.

songs/ID.flac, or songs/3f/ID.flac where there are very many; one record beside each
shards/000012.tar of a WebDataset; its rows lie in staged/ until they are all there
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from ..settings import WEBDATASET

MANY = 10_000  # rows from which a folder of all of them is slow
INSIDE = "flac"  # of a WebDataset


@dataclass(frozen=True)
class Places:
    out: str
    base: str = ""  # folder that sources are named from
    kind: str = "flac"
    is_fanned: bool = False  # in 256 folders, by the id

    @classmethod
    def for_rows(cls, count: int, out: Path, base: Path, kind: str) -> Places:
        return cls(str(out), str(base), kind, count >= MANY)

    def of(self, name: str) -> Path:
        """The sound file of a row."""
        return Path(self.out) / self.told(name)

    def told(self, name: str) -> str:
        """The same, from the folder of the batch."""
        is_set = self.kind == WEBDATASET
        fan = f"{hashlib.sha256(name.encode()).hexdigest()[:2]}/" if self.is_fanned else ""
        return f"{'staged' if is_set else 'songs'}/{fan}{name}.{INSIDE if is_set else self.kind}"
