"""Fixtures of the lyric tests: the vocabulary, and a life without optional packages."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from acestep_core.lyrics import Vocabulary, VocabularyError
from acestep_core.lyrics.languages import japanese
from tests.golden_cases.lyric_tokens import vocabulary as usual_places


@pytest.fixture(scope="session")
def vocabulary() -> Vocabulary:
    found = usual_places()
    try:
        found.path()
    except VocabularyError as error:
        pytest.skip(f"needs the vocabulary: {error}")
    return found


@pytest.fixture
def no_vocabulary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vocabulary:
    """Finds nothing, wherever this runs; using it fails as it does for a newcomer."""
    monkeypatch.delenv("ACESTEP_VOCAB", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return Vocabulary.find()


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """without("num2words", ...): these packages cannot be imported and are not installed."""
    version = metadata.version
    missing: set[str] = set()

    def found(name: str) -> str:
        if name in missing:
            raise metadata.PackageNotFoundError(name)
        return version(name)

    def remove(*packages: str) -> None:
        missing.update(packages)
        for package in packages:
            monkeypatch.setitem(sys.modules, package, None)
        _forget_readers()

    monkeypatch.setattr(metadata, "version", found)
    yield remove
    _forget_readers()


def _forget_readers() -> None:
    japanese._cutlet.cache_clear()
    japanese._word_reader.cache_clear()
