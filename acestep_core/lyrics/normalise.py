"""A line as it is written -> the line as the model reads it, and as its tokens.

line, language -> normalised text -> [language] + text -> ids
"""

from __future__ import annotations

from .fallbacks import Warn
from .languages import LANGUAGES
from .vocabulary import Vocabulary


def normalise(text: str, code: str, warn: Warn) -> str:
    """Lower-cased, numbers and signs in words, other scripts in Latin letters where sung so."""
    return LANGUAGES[code].normalise(text, warn)


def encode(normalised: str, code: str, vocabulary: Vocabulary) -> tuple[int, ...]:
    """Tokens of a normalised line; the first is its language."""
    return vocabulary.encode(LANGUAGES[code].prefix + normalised)
