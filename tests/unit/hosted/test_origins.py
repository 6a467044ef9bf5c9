"""Pages that may ask, and pages that may not; scripts are never concerned."""

from __future__ import annotations

from pathlib import Path

import pytest

from acestep_core.hosted.errors import RequestError
from acestep_core.hosted.origins import Origins
from tests.unit.hosted.kit import form, serving, write_wav

LAN = "192.168.1.5:8188"


PLAIN = Origins()


def may(origin: str | None, host: str, site: str = "", origins: Origins = PLAIN) -> bool:
    try:
        origins.check(origin, site, host)
    except RequestError:
        return False
    return True


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (f"http://{LAN}", LAN),
        ("http://127.0.0.1:8188", "127.0.0.1:8188"),
        ("http://localhost:8188", "LOCALHOST:8188"),
        ("http://[::1]:8188", "[::1]:8188"),
        ("http://studio:8188", "studio:8188"),
        ("http://studio.local:8188", "studio.local:8188"),
        ("https://studio.lan", "studio.lan"),
        ("http://studio.home.arpa", "studio.home.arpa"),
        (None, "anything.example.com"),
    ],
)
def test_own_pages_and_scripts(origin: str | None, host: str) -> None:
    assert may(origin, host)
    assert may(origin, host, "same-origin")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example.com", LAN),
        ("https://evil.example.com", "127.0.0.1:8188"),
        ("null", LAN),  # a sandboxed frame, a file
        ("", LAN),
        ("http://192.168.1.5:3000", LAN),
        ("http://192.168.1.5", LAN),
        ("file://", ""),
        ("http://[", LAN),
        # By its own account of the same origin: a name that leads here for a moment.
        ("http://evil.example.com:8188", "evil.example.com:8188"),
        ("http://local.evil.example", "local.evil.example"),
    ],
)
def test_other_pages(origin: str, host: str) -> None:
    assert not may(origin, host)
    assert not may(origin, host, "same-origin")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_a_browser_says_of_a_request_without_an_origin(site: str) -> None:
    assert not may(None, LAN, site)
    assert may(None, LAN, "none")


def test_behind_a_proxy_its_public_url_says_where_the_pages_are() -> None:
    origins = Origins("https://music.example.com/comfy")
    assert may("https://music.example.com", "music.example.com", origins=origins)
    assert may("https://music.example.com", "127.0.0.1:8188", origins=origins)
    assert not may("http://music.example.com", "127.0.0.1:8188", origins=origins)
    assert not may("https://evil.example.com", "music.example.com", origins=origins)


def test_whom_comfyui_lets_in_is_let_in_here() -> None:
    page = "https://page.example.com"
    assert may(page, LAN, "cross-site", Origins(allowed=page))
    assert not may("https://other.example.com", LAN, origins=Origins(allowed=page))
    assert may("null", LAN, "cross-site", Origins(allowed="*"))


def test_a_foreign_page_stores_nothing(tmp_path: Path) -> None:
    """A form needs no leave of the browser's: it is sent as it is, whatever page it is of."""
    body, kind = form({"file": ("a.wav", write_wav(tmp_path / "a.wav").read_bytes())}, {})
    with serving(tmp_path) as server:
        for headers in (
            {"Origin": "https://evil.example.com"},
            {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
            {"Origin": "http://evil.example.com:8188", "Host": "evil.example.com:8188"},
        ):
            for path in ("/acestep/v1/upload", "/acestep/v1/audio-inpaint"):
                answer = server.ask("POST", path, body, {"Content-Type": kind, **headers})
                assert answer.status == 403
                assert answer.body["code"] == 403
        assert not (tmp_path / "input" / "acestep_api").exists()
        own = {"Content-Type": kind, "Origin": server.url, "Sec-Fetch-Site": "same-origin"}
        assert server.ask("POST", "/acestep/v1/upload", body, own).status == 200
