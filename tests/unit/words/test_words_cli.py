"""The commands write and preview."""

from __future__ import annotations

from pathlib import Path

import pytest

from acestep_core.cli.commands import main
from acestep_core.lyrics import Vocabulary


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.txt"
    path.write_text("\ufeff[Verse 1]\nHello <b>you</b>\n", encoding="utf-8")
    return path


def test_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["write", "A pop song about rain", "--seed", "4", "--duration", "30"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("tags: pop")
    assert "seed: 4" in said.out
    assert "rain" in said.out.lower()
    assert "[verse]" in said.out
    assert said.err == ""


def test_write_without_singing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["write", "rain", "--instrumental", "--seed", "1"]) == 0
    assert "\n[inst]" in capsys.readouterr().out


def test_a_mistake_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACESTEP_OPENAI_URL", raising=False)
    assert main(["write", "rain", "--back-end", "openai"]) == 2
    assert "ACESTEP_OPENAI_URL" in capsys.readouterr().err
    assert main(["write", "rain", "--duration", "1000"]) == 2


def test_preview(
    song: Path,
    tmp_path: Path,
    vocabulary: Vocabulary,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ACESTEP_VOCAB", str(vocabulary.path()))
    page = tmp_path / "page.html"
    assert main(["preview", str(song), "--duration", "30", "--html", str(page)]) == 0
    said = capsys.readouterr().out
    assert "write [verse]" in said
    assert "warning: [Verse 1]" in said
    assert "<b>" not in page.read_text(encoding="utf-8")


def test_preview_counts_syllables_in_the_language_that_was_chosen(
    tmp_path: Path,
    vocabulary: Vocabulary,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("ACESTEP_VOCAB", str(vocabulary.path()))
    path = tmp_path / "song.txt"
    path.write_text("[verse]\n" + "viele liebe " * 5, encoding="utf-8")  # English: 10
    advice = {}
    for language in ("de", "en"):
        assert main(["preview", str(path), "--language", language]) == 0
        advice[language] = capsys.readouterr().out
    assert "About 20 syllables in one line" in advice["de"]
    assert "in one line" not in advice["en"]


def test_preview_of_what_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preview", str(tmp_path / "none.txt")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xff")
    assert main(["preview", str(tmp_path / "bytes.txt")]) == 2
    assert "UTF-8" in capsys.readouterr().err
