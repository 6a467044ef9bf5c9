"""Files brought the ways the services' clients do it: tickets, storage, bodies."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from acestep_core.hosted import tickets as module
from acestep_core.hosted.errors import RequestError
from acestep_core.hosted.tickets import Tickets
from tests.unit.hosted.kit import Server, form, serving, write_wav
from tests.unit.hosted.test_routes import OWN, THEIRS, asked

BINARY = {"Content-Type": "audio/wav"}
FAL = "/acestep"


@pytest.fixture
def song(tmp_path: Path) -> bytes:
    return write_wav(tmp_path / "brought.wav", 1.5).read_bytes()


def folder(server: Server) -> list[str]:
    place = server.root / "input" / "acestep_api"
    return sorted(path.name for path in place.iterdir()) if place.exists() else []


def begun(server: Server, **body: Any) -> dict[str, Any]:
    return asked(server, "POST", f"{THEIRS}/media/uploads", body).body["data"]


@pytest.mark.parametrize(
    "base", [THEIRS, "/api/v2"]
)  # the second: of their first JavaScript client
def test_a_form_where_each_of_wavespeeds_clients_sends_it(
    server: Server, song: bytes, base: str
) -> None:
    body, kind = form({"file": ("a.wav", song)}, {})
    path = f"{base}/media/upload/binary"
    about = asked(server, "POST", path, body, {"Content-Type": kind}).body["data"]
    assert folder(server) == [about["filename"].rpartition("/")[2]]


def test_a_ticket_then_the_file_as_wavespeeds_clients_do_it(server: Server, song: bytes) -> None:
    about = begun(server, filename="../my song.WAV", size=len(song), content_type="audio/x-wav")
    upload = about["upload"]
    assert (upload["method"], upload["headers"]) == ("PUT", {})
    assert upload["url"].startswith(f"{server.url}{OWN}/uploads/")
    assert not folder(server)
    done = asked(server, "PUT", urlsplit(upload["url"]).path, song, BINARY)
    assert done.status == 200
    assert done.body["data"]["download_url"] == about["download_url"]
    (name,) = folder(server)
    assert about["filename"] == f"acestep_api/{name}"
    assert len(name) == 36
    assert name.endswith(".wav")
    for audio in (about["download_url"], about["filename"]):
        answer = server.post(f"{OWN}/audio-inpaint", {"audio": audio, "tags": "pop", "end_time": 1})
        assert answer.body["data"]["input"]["audio"] == f"{about['filename']} [input]"


def test_a_ticket_is_used_once_unless_the_file_did_not_come(server: Server, song: bytes) -> None:
    path = urlsplit(begun(server, filename="a.wav", size=len(song))["upload"]["url"]).path
    assert asked(server, "PUT", path, b"no sound", BINARY).status == 400
    assert asked(server, "PUT", path, song + b"more than was said", BINARY).status == 413
    assert asked(server, "PUT", path, song, BINARY).status == 200
    assert asked(server, "PUT", path, song, BINARY).status == 404
    assert asked(server, "PUT", f"{OWN}/uploads/{'0' * 32}", song, BINARY).status == 404
    assert len(folder(server)) == 1


@pytest.mark.parametrize(
    ("body", "field", "status"),
    [
        ({}, "filename", 400),
        ({"filename": ""}, "filename", 400),
        ({"filename": 3}, "filename", 400),
        ({"filename": "a" * 500}, "filename", 400),
        ({"filename": "a", "size": 0}, "size", 400),
        ({"filename": "a", "size": "9"}, "size", 400),
        ({"filename": "a", "size": True}, "size", 400),
        ({"filename": "a", "size": 10**12}, "size", 413),
    ],
)
def test_bad_tickets(server: Server, body: Any, field: str, status: int) -> None:
    answer = asked(server, "POST", f"{THEIRS}/media/uploads", body)
    assert answer.status == status
    assert [one["field"] for one in answer.body["errors"]] == [field]


def test_the_ticket_is_the_leave(tmp_path: Path, song: bytes) -> None:
    """The clients send no token with the file; without one there is no ticket."""
    with serving(tmp_path, token="s3cret") as server:
        key = {"Authorization": "Bearer s3cret"}
        path, body = f"{THEIRS}/media/uploads", {"filename": "a.wav"}
        assert asked(server, "POST", path, body).status == 401
        upload = asked(server, "POST", path, body, key).body["data"]["upload"]
        put = urlsplit(upload["url"]).path
        foreign = {**BINARY, "Origin": "https://evil.example.com"}
        assert asked(server, "PUT", put, song, foreign).status == 403
        assert asked(server, "PUT", put, song, BINARY).status == 200
        assert asked(server, "POST", f"{FAL}/files/upload", song, BINARY).status == 401
        passed = asked(server, "POST", f"{FAL}/storage/auth/token", {}, key).body
        theirs = {**BINARY, "Authorization": f"{passed['token_type']} {passed['token']}"}
        assert asked(server, "POST", f"{FAL}/files/upload", song, theirs).status == 200


def test_fals_storage(server: Server, song: bytes) -> None:
    body = {"content_type": "audio/wav", "file_name": "a.wav"}
    path = f"{FAL}/storage/upload/initiate?storage_type=fal-cdn-v3"
    about = asked(server, "POST", path, body).body
    assert asked(server, "PUT", urlsplit(about["upload_url"]).path, song, BINARY).status == 200
    (name,) = folder(server)
    assert f"filename={name}&" in about["file_url"]
    stored = asked(server, "POST", f"{FAL}/files/upload", song, BINARY).body
    assert len(folder(server)) == 2
    assert stored["access_url"].startswith(f"{server.url}/view?filename=")
    passed = asked(server, "POST", f"{FAL}/storage/auth/token", {}).body
    assert datetime.fromisoformat(passed["expires_at"]) > datetime.now(timezone.utc)


def test_tickets_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 2)
    tickets, now = Tickets(), time.monotonic()
    first = tickets.given("a.wav", 5)
    tickets.given("b", 5)
    with pytest.raises(RequestError) as caught:
        tickets.given("c.wav", 5)
    assert caught.value.status == 429
    monkeypatch.setattr(module.time, "monotonic", lambda: now + module.HOUR + 5)
    with pytest.raises(RequestError) as caught:
        tickets.taken(first.id)
    assert caught.value.status == 404
    assert tickets.given("c.wav", 5).name.endswith(".wav")


@pytest.mark.parametrize("name", ["a", "a.", "a/.b c", "x.wav/..", "a.wav\0", "\u00e9.\u00e9"])
def test_no_name_of_the_senders_is_used(name: str) -> None:
    assert Tickets().given(name, 5).name.isalnum()
