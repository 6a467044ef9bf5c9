"""What whoever runs the server may set."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from acestep_core.hosted.settings import Settings, read_settings


def test_usual() -> None:
    settings = read_settings(None, {})
    assert settings == Settings()
    assert not settings.urls
    assert not settings.token
    assert settings.url_ports == (443,)


def test_file_then_environment(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    held = {"urls": True, "url_ports": [443, 8443], "most_megabytes": 5, "public_url": "https://a/"}
    path.write_text(json.dumps(held), encoding="utf-8")
    settings = read_settings(path, {})
    assert settings == Settings("", True, (443, 8443), 5, "https://a")
    assert settings.most_bytes == settings.limits.most_bytes == 5 * 2**20
    assert settings.limits.ports == (443, 8443)
    variables = {
        "ACESTEP_API_URLS": "off",
        "ACESTEP_API_MAX_MB": "7",
        "ACESTEP_API_PUBLIC_URL": "http://b",
        "ACESTEP_API_TOKEN": " secret ",
    }
    assert read_settings(path, variables) == Settings("secret", False, (443, 8443), 7, "http://b")


@pytest.mark.parametrize(
    "held",
    [
        "[]",
        "{",
        '{"token": "x"}',
        '{"urls": "yes"}',
        '{"urls": 1}',
        '{"url_ports": ["a"]}',
        '{"most_megabytes": 0, "urls": true}',
        '{"most_megabytes": true}',
        '{"public_url": "ftp://a", "urls": true}',
    ],
)
def test_a_wrong_file_opens_nothing(
    tmp_path: Path, held: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.json"
    path.write_text(held, encoding="utf-8")
    with caplog.at_level(logging.ERROR):
        assert read_settings(path, {"ACESTEP_API_TOKEN": "t"}) == Settings("t")
    assert "is left out" in caplog.text


@pytest.mark.parametrize(
    "variables",
    [{"ACESTEP_API_URLS": "maybe"}, {"ACESTEP_API_URLS": "1", "ACESTEP_API_MAX_MB": "x"}],
)
def test_a_wrong_environment_opens_nothing(variables: dict[str, str]) -> None:
    assert read_settings(None, {**variables, "ACESTEP_API_TOKEN": "t"}) == Settings("t")


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(Settings("secret"))
