"""docs/dependencies.md is what requirements.txt and our words say."""

from __future__ import annotations

import re

import pytest

from scripts import dependencies


def test_page_is_current() -> None:
    assert dependencies.main(["--check"]) == 0, "run: python -m scripts.dependencies"


def test_every_row_says_all_five_things() -> None:
    rows = re.findall(r"^\| (?!package).*\|$", dependencies.PAGE.read_text("utf-8"), re.MULTILINE)
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in cells] == [*dependencies.WORDS, *dependencies.OTHERS]
    for row in cells:
        assert len(row) == 5
        assert all(row)
        assert row[2] not in ("not stated", "not installed"), row[0]


def test_a_package_without_words_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(dependencies.WORDS, "av")
    with pytest.raises(SystemExit, match=r"lacks \['av'\]"):
        dependencies.page()


def test_a_page_that_is_not_current_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(dependencies.WORDS, "av", ("said otherwise", "nothing"))
    assert dependencies.main(["--check"]) == 1
    assert "python -m scripts.dependencies" in capsys.readouterr().out
