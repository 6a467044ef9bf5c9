"""docs/settings.md is what the table of settings says."""

from __future__ import annotations

import dataclasses

import pytest

from acestep_core.settings import SECTIONS
from scripts import settings


def test_page_is_current() -> None:
    assert settings.main(["--check"]) == 0, "run: python -m scripts.settings"


def test_page_that_is_not_current_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = SECTIONS["Guidance"]
    rows = (dataclasses.replace(first, about="Said otherwise."), *others)
    monkeypatch.setitem(SECTIONS, "Guidance", rows)
    assert "Said otherwise." in settings.page()
    assert settings.main(["--check"]) == 1
    assert "python -m scripts.settings" in capsys.readouterr().out


def test_page_tells_what_a_place_has_of_its_own() -> None:
    page = settings.page()
    assert "Sampler `guidance_scale` (-1 - 200; usually -1)" in page
    assert "`--takes` (not `generate`, `vary`); `--takes` of `vary` (usually 4)" in page
    assert "hosted `scheduler` of `full-control` (`euler`, `heun`)" in page
