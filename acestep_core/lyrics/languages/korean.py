"""Korean: the shared cleaner, then every Hangul syllable in Latin letters.

A syllable's place in Unicode splits into first consonant, vowel and last consonants; each has
one spelling, whatever its neighbours (the "academic" romanisation). A hyphen keeps syllables
apart where their letters could be parted in another way.
"""

from __future__ import annotations

import re
from collections import Counter

from ..fallbacks import Warn
from .cleaner import clean

FIRST = [
    "g",
    "kk",
    "n",
    "d",
    "tt",
    "l",
    "m",
    "b",
    "pp",
    "s",
    "ss",
    "",
    "j",
    "jj",
    "ch",
    "k",
    "t",
    "p",
    "h",
]  # the empty one is silent
VOWEL = [
    "a",
    "ae",
    "ya",
    "yae",
    "eo",
    "e",
    "yeo",
    "ye",
    "o",
    "wa",
    "wae",
    "oe",
    "yo",
    "u",
    "wo",
    "we",
    "wi",
    "yu",
    "eu",
    "ui",
    "i",
]
LAST = [
    "",
    "g",
    "kk",
    "gs",
    "n",
    "nj",
    "nh",
    "d",
    "l",
    "lg",
    "lm",
    "lb",
    "ls",
    "lt",
    "lp",
    "lh",
    "m",
    "b",
    "bs",
    "s",
    "ss",
    "ng",
    "j",
    "ch",
    "k",
    "t",
    "p",
    "h",
]

_WAYS = Counter(last + first for last in LAST for first in FIRST if first)


def normalise(text: str, warn: Warn) -> str:
    return romanise(clean("ko", text, warn))


def romanise(text: str) -> str:
    return re.sub("[\uac00-\ud7a3]+", lambda m: _word(m[0]), text)


def _word(hangul: str) -> str:
    spelled, before = "", None
    for syllable in hangul:
        number, last = divmod(ord(syllable) - 0xAC00, len(LAST))
        first, vowel = divmod(number, len(VOWEL))
        if before is not None and _is_ambiguous(before, FIRST[first]):
            spelled += "-"
        spelled += FIRST[first] + VOWEL[vowel] + LAST[last]
        before = LAST[last]
    return spelled


def _is_ambiguous(last: str, first: str) -> bool:
    return not first or _WAYS[last + first] > 1
