"""Fixtures of the tests of words: the vocabulary, and a life without optional packages."""

from __future__ import annotations

from tests.unit.lyrics.conftest import no_vocabulary, vocabulary, without

__all__ = ["no_vocabulary", "vocabulary", "without"]
