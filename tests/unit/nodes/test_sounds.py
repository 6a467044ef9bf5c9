"""The page's routes about sounds: what they draw, and which files they leave alone."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.unit.hosted.kit import listening, write_wav
from tests.unit.nodes.pack import module

sounds = module("nodes.rest.sounds")
drawings = module("acestep_core.pictures.drawings")


class Asked:
    def __init__(self, url: str, root: Path) -> None:
        self.url, self.root = url, root

    def get(self, path: str, **query: Any) -> tuple[int, bytes]:
        return self.send(f"{path}?{urllib.parse.urlencode(query)}")

    def send(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(f"{self.url}/acestepsuite/{path}", body, 30) as found:
                return found.status, found.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def finished(self, file: str) -> dict[str, Any]:
        until, state = time.monotonic() + 60, {}
        while time.monotonic() < until:
            status, body = self.get("sound", file=file)
            assert status == 200, body
            if (state := json.loads(body))["finished"]:
                return state
            time.sleep(0.02)
        raise AssertionError(state)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Asked]:
    for name in ("input", "output", "temp"):
        (tmp_path / name).mkdir()
    folders = {name: tmp_path / name for name in ("input", "output", "temp")}
    made = sounds.Sounds(folders, drawings.Shelf(tmp_path / "temp" / "kept"))
    app = web.Application()
    for method, path, handler in made.routes():
        app.router.add_route(method, path, handler)
    with listening(app) as url:
        yield Asked(url, tmp_path)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("input/song.wav", "song.wav"),
        ("input/a b/song.wav", "a b/song.wav"),
        ("temp/song.wav", "song.wav [temp]"),
        ("output/audio/song.wav", "audio/song.wav [output]"),
    ],
)
def test_a_sound_of_any_folder_is_drawn(asked: Asked, place: str, name: str) -> None:
    write_wav(asked.root / place, 3.0)
    state = asked.finished(name)
    assert state["seconds"] == pytest.approx(3.0)
    assert state["glance"] == []
    status, pairs = asked.get("sound/peaks", file=name, zoom=1, first=2, count=10)
    assert (status, len(pairs)) == (200, 20)
    status, png = asked.get("sound/levels", file=name, zoom=0, tile=0)
    assert (status, png[1:4]) == (200, b"PNG")
    status, body = asked.get("sound/pulse", file=name)
    assert status == 200
    assert set(json.loads(body)) == {"tempo", "beats", "bar", "onsets"}


@pytest.mark.parametrize(
    "name",
    ["", "..", "../song.wav", "/etc/passwd", "a/../../x.wav", "C:\\song.wav", "x\0.wav", "no.wav"],
)
def test_no_other_file_is_opened(asked: Asked, name: str) -> None:
    write_wav(asked.root / "song.wav", 1.0)
    for route in ("sound", "sound/peaks", "sound/levels", "sound/pulse"):
        status, body = asked.get(route, file=name)
        assert status == 400
        assert str(asked.root) not in json.loads(body)["error"]


def test_a_link_out_of_the_folder_is_not_followed(asked: Asked) -> None:
    outside = write_wav(asked.root / "song.wav", 1.0)
    (asked.root / "input" / "link.wav").symlink_to(outside)
    assert asked.get("sound", file="link.wav")[0] == 400


def test_what_is_no_sound_is_not_read(asked: Asked) -> None:
    (asked.root / "input" / "list.m3u8").write_text("#EXTM3U\nfile:///etc/passwd\n")
    assert asked.get("sound", file="list.m3u8")[0] >= 400


@pytest.mark.parametrize("given", ["-1", "x", "1e3", "9" * 20, "\u0661"])
def test_odd_numbers_are_refused(asked: Asked, given: str) -> None:
    write_wav(asked.root / "input" / "song.wav", 1.0)
    status, body = asked.get("sound/peaks", file="song.wav", first=given)
    assert status == 400
    assert json.loads(body)["error"].startswith("first is ")


def test_tiles_behind_the_end_are_not_there(asked: Asked) -> None:
    write_wav(asked.root / "input" / "song.wav", 1.0)
    asked.finished("song.wav")
    assert asked.get("sound/levels", file="song.wav", tile=9)[0] == 404


def test_sections_of_a_lyric(asked: Asked) -> None:
    lyrics = {"lyrics": "[verse]\nla la la\n\n[chorus]\nla la", "language": "auto"}
    status, body = asked.send("sections", json.dumps(lyrics).encode())
    assert status == 200
    told = json.loads(body)
    assert [one["mark"] for one in told] == ["[verse]", "[chorus]"]
    assert all(one["seconds"] > 1 for one in told)
    for wrong in (b"no", b"[]", b'{"lyrics": 3}', b"[" * 60_000, b"\xff"):
        assert asked.send("sections", wrong)[0] == 400


def test_a_long_lyric_is_refused_whatever_its_headers_say(asked: Asked) -> None:
    body = json.dumps({"lyrics": "la " * 30_000}).encode()
    assert asked.send("sections", body)[0] == 413
    pieces = (body[first : first + 4096] for first in range(0, len(body), 4096))  # of no length
    request = urllib.request.Request(f"{asked.url}/acestepsuite/sections", pieces, method="POST")
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30).close()
    assert refused.value.code == 413
