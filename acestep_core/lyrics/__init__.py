"""Lyrics as text to lyrics as tokens.

    from acestep_core.lyrics import tokenise
    tokenise("[verse]\\nHello").ids

See encode.py for the way through.
"""

from .encode import LANGUAGE_CHOICES, LyricError, tokenise
from .languages import LANGUAGES
from .vocabulary import Vocabulary, VocabularyMissing

__all__ = [
    "LANGUAGES",
    "LANGUAGE_CHOICES",
    "LyricError",
    "Vocabulary",
    "VocabularyMissing",
    "tokenise",
]
