"""Sources of a batch by their contents: each is read once, however many rows work on it.

    folder, names of sources -> Sources -> a digest of all of them; .sources.json remembers each

A file whose size and time of change are as they were has the digest it had.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ..atomic import FileError, reason, replaced
from ..weights.download import sha256

NAME = ".sources.json"  # in the folder of the results

State = tuple[int, int]  # bytes, and when it was last changed (ns)


def digest_at(place: Path) -> str:
    """SHA-256 of a source."""
    return _digest(place, _state_of(place))


@lru_cache(4096)
def _digest(place: Path, state: State) -> str:
    return sha256(place)


def _state_of(place: Path) -> State:
    try:
        found = os.stat(place)
    except OSError as error:
        raise FileError(
            f"The source {place} cannot be read ({reason(error)}). Put it back."
        ) from error
    return found.st_size, found.st_mtime_ns


class Sources:
    """The sources that a manifest names, from the folder `base`; `out` has the results."""

    def __init__(self, names: Iterable[str], base: Path, out: Path) -> None:
        self.names, self.base, self.out = sorted({*names} - {""}), base, out

    def digests(self) -> dict[str, str]:
        """Of every source by its name: read where nothing is known of it as it is."""
        known, found = self._known(), dict[str, tuple[State, str]]()
        for name in self.names:
            place = self.base / name
            state = _state_of(place)
            before, digest = known.get(name, ((0, 0), ""))
            found[name] = state, digest if before == state else _digest(place, state)
        if found.items() - known.items():
            self._write(known | found)
        return {name: digest for name, (_, digest) in found.items()}

    def check(self, before: dict[str, str]) -> None:
        """FileError if a source is another than when the songs were begun."""
        now = self.digests()
        if changed := [name for name in self.names if now[name] != before[name]]:
            raise FileError(
                f"The source {changed[0]} was changed while songs were made from it, so that"
                f" {self.out} holds songs from both. Put it back as it was, or give another folder"
                " with --out."
            )

    def _known(self) -> dict[str, tuple[State, str]]:
        """What was written down; nothing where that cannot be read: it is found out again."""
        with suppress(OSError, ValueError, TypeError, AttributeError):
            told = json.loads((self.out / NAME).read_text(encoding="utf-8"))
            return {
                name: ((int(size), int(changed)), str(digest))
                for name, (size, changed, digest) in told.items()
            }
        return {}

    def _write(self, found: dict[str, tuple[State, str]]) -> None:
        told = {name: [*state, digest] for name, (state, digest) in found.items()}
        self.out.mkdir(parents=True, exist_ok=True)
        with replaced(self.out / NAME) as place:
            place.write_text(json.dumps(told), encoding="utf-8")
