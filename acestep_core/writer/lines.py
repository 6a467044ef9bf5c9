"""The stock of lines of one language.

    lines_xx.json -> themes, couplets, bridges, and frames with a place for the subject

In a frame {X} is the subject with its article, {B} without. English frames are put together
here, every first line with every second one that rhymes; other languages list whole couplets.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

from ..lyrics.estimate import syllables
from . import metre
from .style import LETTER

LANGUAGES = ("en", "de", "fr", "es", "zh", "ja")

Couplet = tuple[str, str]


@dataclass(frozen=True)
class Theme:
    name: str
    keys: re.Pattern[str]  # words of a prompt that lead here
    moods: frozenset[str]
    about: tuple[str, ...]  # subjects for a prompt that names none
    couplets: tuple[Couplet, ...]


@dataclass(frozen=True)
class Lines:
    language: str
    beat: int  # syllables of a usual line
    themes: tuple[Theme, ...]
    couplets: tuple[Couplet, ...]
    bridges: tuple[Couplet, ...]
    calls: tuple[Couplet, ...]  # speak to the subject
    tells: tuple[Couplet, ...]  # speak of it
    dative_tells: tuple[Couplet, ...]  # German: of a subject in the dative
    lone: tuple[str, ...]  # after a line that the subject fills alone

    def unevenness(self, line: str) -> float:
        """How badly a line fits the beat; 0 for one that is sung by itself."""
        off = abs(syllables(line, self.language) - self.beat)
        return off + (metre.unevenness(line) if self.language == "en" else 0.0)


@functools.cache
def lines_of(language: str) -> Lines:
    path = Path(__file__).with_name(f"lines_{language}.json")
    table = json.loads(path.read_text(encoding="utf-8"))
    if language == "en":
        table["calls"] = _rhymed(table["calls"], table["call_answers"])
        table["tells"] = _rhymed(table["tells"], table["tell_answers"])
    return Lines(
        language,
        table.get("beat", 8),
        tuple(_theme(name, entry) for name, entry in table["themes"].items()),
        _couplets(table["couplets"]),
        _couplets(table["bridges"]),
        _couplets(table["calls"]),
        _couplets(table["tells"]),
        _couplets(table.get("dative_tells", [])),
        tuple(table["lone"]),
    )


def _rhymed(firsts: list[str], seconds: list[str]) -> list[str]:
    return [
        f"{first} / {second}"
        for first in firsts
        for second in seconds
        if metre.rhyme(first) == metre.rhyme(second) != ""
        and metre.words_of(first)[-1] != metre.words_of(second)[-1]
    ]


def _couplets(texts: list[str]) -> tuple[Couplet, ...]:
    pairs = [text.split(" / ") for text in texts]
    return tuple((first, second) for first, second in pairs)


def _theme(name: str, entry: dict[str, object]) -> Theme:
    keys = "|".join(_key(key) for key in str(entry["keys"]).split("|") if key)
    couplets = entry["couplets"]
    assert isinstance(couplets, list), name
    return Theme(
        name,
        re.compile(keys or r"(?!)", re.IGNORECASE),
        frozenset(str(entry.get("moods", "")).split("|")) - {""},
        tuple(str(entry["about"]).split("|")),
        _couplets(couplets),
    )


def _key(key: str) -> str:
    """A whole word where words are parted by spaces; "*" stands for any ending."""
    stem = re.escape(key.strip("*"))
    if not re.match(LETTER, key):
        return stem
    before = "" if key.startswith("*") else f"(?<!{LETTER})"
    return before + stem + ("" if key.endswith("*") else f"(?!{LETTER})")
