"""Tag texts to begin with, by genre.

    genres.json -> GenrePreset(name, tags, bpm, about) -> search("calm piano")

A preset is a starting point, not a setting: its tags are put into the tag field, where they
can be changed like any others.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

from ..settings import SettingError

NAME, TAGS, ABOUT = 4, 2, 1  # what a word counts, by where it is found
START_OF_WORD = 0.5  # against a whole word


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


def search(words: str) -> list[GenrePreset]:
    """Presets that have every word somewhere, best first; all of them for no words."""
    wanted = _words(words)
    scored = [(_score(preset, wanted), preset) for preset in genres()]
    found = [(score, preset) for score, preset in scored if score > 0 or not wanted]
    return [preset for _, preset in sorted(found, key=lambda pair: -pair[0])]


def _score(preset: GenrePreset, wanted: list[str]) -> float:
    """0 where a word is nowhere."""
    places = ((preset.name, NAME), (preset.tags, TAGS), (preset.about, ABOUT))
    total = 0.0
    for word in wanted:
        best = max(_found(word, text) * weight for text, weight in places)
        if not best:
            return 0.0
        total += best
    return total


def _found(word: str, text: str) -> float:
    words = _words(text)
    if word in words:
        return 1.0
    return START_OF_WORD if any(other.startswith(word) for other in words) else 0.0


def _words(text: str) -> list[str]:
    """Words of a text; "hip-hop" and "hip hop" are the same, "r&b" is one word."""
    return re.findall(r"\w+&\w+|\w+", text.casefold())
