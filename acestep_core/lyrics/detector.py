"""The language detector the model's lyrics were made with, line by line and flaw by flaw.

    line -> placeholders for what one rule recognises -> words with languages -> characters
    counted per language -> winner

Only the counts matter. English loses to any other language that was counted at all, and text
without letters counts as Chinese: that is why "99 lanterns" comes out as Chinese. Correcting
it here would change tokens; see corrected.py for that.
"""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .languages.chinese import spell_numbers

# Guess for a text: code and probability. The 97 codes it may answer.
Classify = Callable[[str], tuple[str, float]]

# Anatolian hieroglyphs are word characters, but neither digits nor letters of any rule.
_BASE, _RADIX = 0x14400, 512
_PLACEHOLDER = "[\U00014400-\U00014646]"
_STAND_IN = "\U00013000"  # for a hieroglyph that the user really wrote

_HAN = re.compile("[\u4e00-\u9fff]")
_KANA = re.compile("[\u3040-\u30ff]")
_AMBIGUOUS_HAN = ("zh|ja", "ja|zh")
_NUMERAL_MARKUP = ("telephone", "number", "currency", "date")
_UNLISTED = ("", "a", "f")  # names of markup that are counted although no language has them


def original(line: str, classify: Classify, codes: Collection[str]) -> str:
    """Language code of a non-blank line, one of `codes` or of a markup's name."""
    try:
        walk = _Walk(classify, codes)
        walk.visit(_carved(line, walk.stored), at_end=True)
        return walk.winner()
    except Exception:  # the model heard such lines as English
        return "en"


def without_punctuation(text: str) -> str:
    return re.sub(r"[^\w\s]|\n", "", text).strip()


def cleaned(text: str) -> str:
    """Words alone, single spaces, no doubled letters: what the classifier is asked about."""
    return re.sub(r"(.)\1+", r"\1", re.sub(r"\W+", " ", text)).strip()


def without_digits(text: str) -> str:
    return re.sub(r"\d", "", text)
