"""Hindi is sung from its own script: the vocabulary holds Devanagari, digits stay digits."""

from __future__ import annotations

from ..fallbacks import Warn
from .cleaner import single_spaced


def normalise(text: str, warn: Warn) -> str:
    return single_spaced(text.lower())
