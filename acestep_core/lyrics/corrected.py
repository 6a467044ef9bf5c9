"""Language detection without the known mistakes of the original detector.

    lines -> what their script shows
          -> Latin lines: letters, common words and the classifier, weighed together
          -> lines that say little: the language of the rest of the song

Punctuation, digits and emoji have no say, and English is a language like any other. A line
with letters of another script is in that script's language: Latin words survive there, while
the other way round nothing does.
"""

from __future__ import annotations

import functools
import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .languages import LANGUAGES
from .script import by_script

Ranking = Callable[[str], Mapping[str, float]]  # how likely each language of the classifier is

# Weights in nats, set by hand on short lyric lines.
CLASSIFIER = 0.3  # far too sure of short texts to be taken at its word
LEAST_LIKELY = 1e-12
COMMON_WORD = 1.5
OWN_LETTER = 1.5
FOREIGN_LETTER = -4.0
SURELY_FOREIGN = 0.9  # probability at which a language the model does not sing is believed
LEAST_SHARE = 0.02  # of the song, for a language that no other line is in
LEAST_ENGLISH = 0.1  # English lines turn up in songs of every language

Scores = dict[str, float]  # language -> nats; the languages a line can be in


@dataclass(frozen=True)
class Hints:
    """corrected.json: what gives a language with Latin letters away."""

    vocables: frozenset[str]  # sung in every language
    letters: Mapping[str, str]
    words: Mapping[str, frozenset[str]]


@functools.cache
def hints() -> Hints:
    path = Path(__file__).with_name("corrected.json")
    table = json.loads(path.read_text(encoding="utf-8"))
    words = {code: frozenset(text.split()) for code, text in table["words"].items()}
    return Hints(frozenset(table["vocables"].split()), table["letters"], words)


def corrected(lines: Sequence[str], ranking: Ranking) -> list[str]:
    """Language codes of the non-blank lines of one song."""
    scores = [_scores(line, ranking) for line in lines]
    shares = _shares(lines, scores)
    return [max(options, key=lambda code: options[code] + shares[code]) for options in scores]


def _shares(lines: Sequence[str], scores: Iterable[Scores]) -> Scores:
    """How much of the song each language has, in nats."""
    amounts = dict.fromkeys(LANGUAGES, 0.0)
    for line, options in zip(lines, scores, strict=True):
        if len(set(options.values())) == 1 < len(options):
            continue  # says nothing
        best = max(options.values())
        weights = {code: math.exp(score - best) for code, score in options.items()}
        total = sum(weights.values())
        for code, weight in weights.items():
            amounts[code] += len(line) * weight / total
    song = sum(amounts.values()) or 1
    least = {"en": LEAST_ENGLISH}
    return {
        code: math.log(least.get(code, LEAST_SHARE) + amounts[code] / song) for code in LANGUAGES
    }


def _scores(line: str, ranking: Ranking) -> Scores:
    script = by_script(line)
    words = _words(line)
    if script == "zh":
        return _ranked(("zh", "ja"), ranking(" ".join(words)))
    if script:
        return {script: 0.0}
    return _latin_scores(words, ranking) if words else dict.fromkeys(LANGUAGES, 0.0)


def _words(line: str) -> list[str]:
    """Lower-cased; an apostrophe ends a word and stays with it: "don't" -> "don'", "t"."""
    plain = unicodedata.normalize("NFC", line).replace("\u0130", "i").replace("\u2019", "'")
    return re.findall(r"[^\W\d_]+'?", plain.lower())


def _latin_scores(words: list[str], ranking: Ranking) -> Scores:
    known = hints()
    if known.vocables.issuperset(words):
        return dict.fromkeys(known.letters, 0.0)
    ranks = ranking(" ".join(words))
    first = max(ranks, key=lambda code: ranks[code])
    is_common = any(word in common for word in words for common in known.words.values())
    if first not in LANGUAGES and ranks[first] > SURELY_FOREIGN and not is_common:
        return {"en": 0.0}
    scores = _ranked(known.letters, ranks)
    special = {char for word in words for char in word if not char.isascii()}
    for code in scores:
        scores[code] += COMMON_WORD * sum(word in known.words[code] for word in words)
        for char in special:
            scores[code] += OWN_LETTER if char in known.letters[code] else FOREIGN_LETTER
    return scores


def _ranked(codes: Iterable[str], ranks: Mapping[str, float]) -> Scores:
    return {code: CLASSIFIER * math.log(ranks.get(code, 0) + LEAST_LIKELY) for code in codes}
