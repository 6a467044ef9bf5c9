"""Finding the vocabulary, and what a user without it is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from acestep_core.lyrics import Vocabulary, VocabularyError, tokenise
from acestep_core.lyrics.vocabulary import (
    DOWNLOAD_COMMAND,
    SHA256,
    SOURCE_COMMIT,
    URL,
    default_folder,
    is_genuine,
)
from acestep_core.settings import SettingError


def test_source_is_pinned() -> None:
    assert SOURCE_COMMIT in URL
    assert URL.startswith("https://")
    assert len(SHA256) == 64


def test_missing_names_line_places_and_command(tmp_path: Path, no_vocabulary: Vocabulary) -> None:
    looked = Vocabulary.find(tmp_path / "model", extra=[tmp_path / "host" / "vocab.json"])
    with pytest.raises(VocabularyError) as error:
        tokenise("[verse]\nPaper boats", vocabulary=looked)
    message = str(error.value)
    assert "line 2 ('Paper boats')" in message
    assert DOWNLOAD_COMMAND in message
    for place in (tmp_path / "model", tmp_path / "host", default_folder()):
        assert str(place / "vocab.json") in message
    assert isinstance(error.value, SettingError)


def test_nothing_is_opened_before_a_line_needs_it(no_vocabulary: Vocabulary) -> None:
    tokenise("[verse]\n\n[chorus]", vocabulary=no_vocabulary)
    with pytest.raises(VocabularyError):
        no_vocabulary.path()


def test_order_of_places(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ACESTEP_VOCAB", str(tmp_path / "named.json"))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    (tmp_path / "one.safetensors").touch()
    found = Vocabulary.find(tmp_path / "one.safetensors", extra=[tmp_path / "host"])
    assert found.places == (
        tmp_path / "named.json",
        tmp_path / "vocab.json",  # beside the single file
        tmp_path / "host" / "vocab.json",
        default_folder() / "vocab.json",
    )


def test_another_file_of_that_name_is_told_apart(tmp_path: Path, no_vocabulary: Vocabulary) -> None:
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(VocabularyError, match="another file: its SHA-256"):
        Vocabulary.find(tmp_path).path()


def test_another_file_does_not_hide_the_right_one(
    tmp_path: Path, vocabulary: Vocabulary, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "vocab.json").write_text("{}")
    both = Vocabulary((tmp_path / "vocab.json", vocabulary.path()))
    assert both.path() == vocabulary.path()
    assert "passed over" in caplog.text


def test_a_checkout_with_windows_line_ends_is_genuine(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    content = vocabulary.path().read_bytes()
    copy = tmp_path / "vocab.json"
    copy.write_bytes(content.replace(b"\n", b"\r\n"))
    assert is_genuine(copy.read_bytes())
    assert not is_genuine(content + b" ")
    assert Vocabulary((copy,)).encode("[en]hello you") == vocabulary.encode("[en]hello you")


def test_unknown_characters_are_one_token_each(vocabulary: Vocabulary) -> None:
    assert vocabulary.encode("[en]a \u0e2a\u0e27\u0e31") == (259, 14, 2, 1, 1, 1)
