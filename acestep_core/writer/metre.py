"""Stress and rhyme of English lines, from our own table of the words that our lines use.

    line -> stresses, x where a syllable may go either way -> distance from a steady beat

Words of the user's are not in the table: their stress is guessed from their form.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

from ..lyrics.estimate import syllables

UNSTRESSED_STARTS = ("a", "be", "de", "re", "un", "pre", "con", "com", "for")
WEAK = frozenset(re.findall(r"\w+", "a an the of to in and or but is it at on my your i you we"))


@functools.cache
def _table() -> tuple[dict[str, str], dict[str, str]]:
    """word -> stress pattern, word -> rhyme."""
    path = Path(__file__).with_name("words_en.json")
    table = json.loads(path.read_text(encoding="utf-8"))
    stresses = {w: pattern for pattern, words in table["stress"].items() for w in words.split()}
    rhymes = {w: sound for sound, words in table["rhymes"].items() for w in words.split()}
    return stresses, rhymes


def words_of(line: str) -> list[str]:
    return re.findall(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*", line.lower())


def rhyme(line: str) -> str:
    """The sound a line ends on; "" where the table does not know its last word."""
    words = words_of(line)
    return _table()[1].get(words[-1], "") if words else ""


def stress(word: str) -> str:
    """ "10" for summer, "x" for most words of one syllable, which follow the beat."""
    known = _table()[0].get(word)
    if known:
        return known
    count = syllables(word)
    if count == 1:
        return "0" if word in WEAK else "x"
    if count == 2:
        return "xx" if word.startswith(UNSTRESSED_STARTS) else "10"
    return ("0" if word.startswith(UNSTRESSED_STARTS) else "1") + "x" * (count - 1)


def pattern(line: str) -> str:
    return "".join(stress(word) for word in words_of(line))


@functools.lru_cache(maxsize=16_384)
def unevenness(line: str) -> float:
    """How far a line is from every second syllable stressed; 0 for a steady one."""
    found = pattern(line)
    return min(_distance(found, 0), _distance(found, 1))


def _distance(found: str, first: int) -> float:
    """Against a beat on syllables first, first + 2, ...; a turned first foot is common practice."""
    off = [i for i, s in enumerate(found) if s == "1" and i % 2 != first]
    weak = sum(s == "0" and i % 2 == first for i, s in enumerate(found))
    if off[:1] == [0] and found[1:2] == "0":
        off = off[1:]
        weak -= 1
    return len(off) + max(0, weak) * 0.25
