"""Lyrics as text to lyrics as tokens.

    from acestep_core.lyrics import tokenise
    tokenise("[verse]\\nHello").ids

See encode.py for the way through.
"""

from .encode import LANGUAGE_CHOICES, LyricError, tokenise
from .fallbacks import PackageError
from .language import DETECTORS
from .languages import LANGUAGES
from .vocabulary import Vocabulary, VocabularyError

__all__ = [
    "DETECTORS",
    "LANGUAGES",
    "LANGUAGE_CHOICES",
    "LyricError",
    "PackageError",
    "Vocabulary",
    "VocabularyError",
    "tokenise",
]
