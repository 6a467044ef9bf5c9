"""Japanese in Latin letters, by the best of three readers that is installed.

    cutlet                      words, readings, foreign words in their own spelling
    fugashi + a dictionary      words and readings, put in letters by our own table
    the kana table alone        kanji stay as they are, which the model cannot read

cutlet is what the model was trained with. It needs a compiler where no wheel of its parts
exists, hence the second.
"""

# The package does not tell its types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import functools
import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from ..fallbacks import Warn

INSTALL = "pip install cutlet fugashi unidic-lite"

Reader = Callable[[str], str]


@dataclass(frozen=True)
class Kana:
    """japanese.json: spellings of the kana, and the words that decide where spaces go."""

    syllables: dict[str, str]
    small_tsu: str  # doubles the consonant after it
    n: str
    long: str  # repeats the vowel before it
    small_vowels: str  # unheard after the same vowel
    marks: dict[str, str]
    cities: dict[str, str]  # known abroad in a spelling of their own
    particles: dict[str, str]  # said otherwise than written
    particle: str
    auxiliary: str
    prefix: str
    suffix: str
    symbol: str
    inflected: list[str]
    copulas: list[str]
    joined_particles: list[str]


class Features(Protocol):
    pos1: str
    kana: str | None
    lemma: str | None


class Word(Protocol):
    """A word as fugashi gives it with a UniDic dictionary."""

    surface: str
    white_space: str
    feature: Features


@functools.cache
def kana() -> Kana:
    path = Path(__file__).with_name("japanese.json")
    return Kana(**json.loads(path.read_text(encoding="utf-8")))


def normalise(text: str, warn: Warn) -> str:
    reader = _cutlet()
    if reader is None:
        reader = _word_reader()
        if reader:
            warn(f"cutlet is missing: Japanese is spelled by a simpler rule. Install it: {INSTALL}")
        else:
            warn(
                "cutlet and fugashi are missing: in Japanese lines only kana are read and kanji "
                f"are lost to the model. Install them: {INSTALL}"
            )
            reader = _by_table
    return reader(text).lower()


@functools.cache
def _cutlet() -> Reader | None:
    try:
        from cutlet import Cutlet

        return cast("Reader", Cutlet().romaji)
    except (ImportError, RuntimeError):  # RuntimeError: fugashi without a dictionary
        return None


@functools.cache
def _word_reader() -> Reader | None:
    try:
        # Compiled, so its names are not seen.
        from fugashi import Tagger  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

        tagger = cast("Callable[[str], Iterable[Word]]", Tagger())
    except (ImportError, RuntimeError):
        return None
    return lambda text: _spaced(list(tagger(_folded(text))))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _by_table(text: str) -> str:
    return spell_kana(_folded(text))


def _spaced(words: list[Word]) -> str:
    line = ""
    for i, word in enumerate(words):
        if i and not _joins(words[i - 1], word):
            line += " "
        line += _spelled(word)
    return _settled(line)  # only now: a verb's last kana may double what its ending begins with


def _joins(before: Word, word: Word) -> bool:
    """True where no space comes between two words: endings, affixes and closing marks."""
    table = kana()
    first, second = before.feature.pos1, word.feature.pos1
    if before.surface.isascii() and word.surface.isascii():
        return not word.white_space
    if second == table.symbol:
        return unicodedata.category(word.surface[0]) not in ("Ps", "Pi")
    if first == table.symbol:
        return unicodedata.category(before.surface[0]) in ("Ps", "Pi")
    if first == table.prefix or second == table.suffix:
        return True
    if first not in table.inflected:
        return False
    if second == table.auxiliary:
        return word.surface not in table.copulas
    return second == table.particle and word.surface in table.joined_particles


def _spelled(word: Word) -> str:
    table = kana()
    lemma, reading = word.feature.lemma or "", word.feature.kana
    foreign = re.fullmatch(r"[^-]+-([A-Za-z .']+)", lemma)
    if foreign:
        return foreign[1]
    if word.surface in table.cities:
        return table.cities[word.surface]
    if word.feature.pos1 == table.particle and word.surface in table.particles:
        return table.particles[word.surface]
    return _letters(reading if reading and reading != "*" else word.surface)


def spell_kana(text: str) -> str:
    """Kana in Hepburn's letters; every other character stays."""
    return _settled(_letters(text))


def _letters(text: str) -> str:
    """Syllables in letters; kana that change their neighbours are left over."""
    table = kana()
    text = "".join(table.marks.get(char, char) for char in _katakana(text))
    spelled, i = "", 0
    while i < len(text):
        size = 2 if text[i : i + 2] in table.syllables else 1
        piece = text[i : i + size]
        letters = table.syllables.get(piece, piece)
        if piece not in table.small_vowels or not spelled.endswith(letters):
            spelled += letters
        i += size
    return spelled


def _settled(spelled: str) -> str:
    """Kana that change their neighbours, once both neighbours are letters."""
    table = kana()
    spelled = re.sub(f"{table.small_tsu}(?=ch)", "t", spelled)
    spelled = re.sub(f"{table.small_tsu}+([a-z])", r"\1\1", spelled)
    spelled = re.sub(f"{table.n}(?=[aiueoy])", "n'", spelled).replace(table.n, "n")
    spelled = re.sub(f"([aiueo])({table.long}+)", lambda m: m[1] * (1 + len(m[2])), spelled)
    return re.sub(f"[{table.small_tsu}{table.long}]", "", spelled)


def _katakana(text: str) -> str:
    return re.sub("[\u3041-\u3096]", lambda m: chr(ord(m[0]) + 0x60), text)
