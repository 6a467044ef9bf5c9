"""Tag texts to begin with, by genre.

    genres.json -> GenrePreset(name, tags, bpm, about) -> genre("Rock")

A preset is a starting point, not a setting: its tags are put into the tag field, where they
can be changed like any others.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from ..settings import SettingError


@dataclass(frozen=True)
class GenrePreset:
    name: str
    tags: str
    bpm: int
    about: str


@functools.cache
def genres() -> tuple[GenrePreset, ...]:
    """All presets; the ten that the original's page has come first."""
    path = Path(__file__).with_name("genres.json")
    return tuple(GenrePreset(**entry) for entry in json.loads(path.read_text(encoding="utf-8")))


def genre(name: str) -> GenrePreset:
    """The preset of this name, in any case."""
    for preset in genres():
        if preset.name.casefold() == name.strip().casefold():
            return preset
    names = ", ".join(preset.name for preset in genres())
    raise SettingError(f"Genre is {name!r}; it must be one of: {names}.")
