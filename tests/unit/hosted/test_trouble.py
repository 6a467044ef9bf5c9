"""What goes wrong beside a request: full disks, bodies that break off, inner names."""

from __future__ import annotations

import errno
import gzip
import json
import logging
import os
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.hosted.kit import Server, form, serving, write_wav
from tests.unit.hosted.test_media import is_read_by_load_audio, tone
from tests.unit.hosted.test_routes import BODIES, OWN, asked
from tests.unit.nodes.pack import module

SONG = BODIES["ace-step"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_507_with_the_reason(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Row 24: of the input folder."""
    content = write_wav(tmp_path / "a.wav").read_bytes()
    body, kind = form({"file": ("a.wav", content)}, {})

    def replace(*_: Any) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path))

    monkeypatch.setattr(os, "replace", replace)
    answer = asked(server, "POST", f"{OWN}/upload", body, {"Content-Type": kind})
    assert answer.status == 507
    assert os.strerror(number) in answer.body["message"]
    assert str(tmp_path) not in json.dumps(answer.body)
    assert not list((tmp_path / "input" / "acestep_api").iterdir())


def test_a_store_that_cannot_note_is_507_with_the_reason(tmp_path: Path) -> None:
    """Row 8: of the user folder."""
    with serving(tmp_path) as server:
        (tmp_path / "jobs.sqlite3").mkdir()
        for _ in range(3):
            answer = asked(server, "POST", f"{OWN}/text-to-audio", SONG)
            assert answer.status == 507
            assert "unable to open" in answer.body["message"]
        assert not server.queue.graphs
        job_id = "00000000-0000-0000-0000-000000000000"
        assert asked(server, "GET", f"{OWN}/predictions/{job_id}/result").status == 507
        (tmp_path / "jobs.sqlite3").rmdir()
        assert asked(server, "POST", f"{OWN}/text-to-audio", SONG).status == 200


def test_dropped_bodies_are_a_line_each(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    place = server.url.removeprefix("http://").split(":")
    kinds = ["application/json", "multipart/form-data; boundary=x"]
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nRIFF'
    with caplog.at_level(logging.INFO):
        for kind, path, begun in (
            (kinds[0], "text-to-audio", b'{"tags"'),
            (kinds[1], "upload", head),
            (kinds[1], "audio-inpaint", head),
        ):
            for _ in range(5):
                with socket.create_connection((place[0], int(place[1]))) as client:
                    client.sendall(
                        f"POST {OWN}/{path} HTTP/1.1\r\nHost: {place[0]}\r\nContent-Length: 5000"
                        f"\r\nContent-Type: {kind}\r\n\r\n".encode()
                        + begun
                    )
                    time.sleep(0.02)
        server.post(f"{OWN}/text-to-audio", SONG)
        time.sleep(0.3)
    lines = [one for one in caplog.records if "broke off" in one.getMessage()]
    assert len(lines) == 15
    assert not [one for one in caplog.records if one.exc_info]


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_is_not_compressed_as_it_says(server: Server, encoding: str) -> None:
    headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    body = json.dumps(SONG).encode()
    answer = asked(server, "POST", f"{OWN}/text-to-audio", body, headers)
    assert answer.status == 400
    body, kind = form({"file": ("a.wav", b"RIFF")}, {})
    headers["Content-Type"] = kind
    assert asked(server, "POST", f"{OWN}/upload", body, headers).status == 400


def test_a_compressed_body_is_read(server: Server) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    body = gzip.compress(json.dumps(SONG).encode())
    assert asked(server, "POST", f"{OWN}/text-to-audio", body, headers).status == 200


def test_a_damaged_file_is_refused_when_it_is_brought(server: Server, tmp_path: Path) -> None:
    whole = tone(tmp_path / "a.flac", 3.0).read_bytes()
    for place in range(len(whole) // 2, len(whole), 50):
        (tmp_path / "b.flac").write_bytes(whole[:place] + b"\x55" * 400)
        if not is_read_by_load_audio(tmp_path / "b.flac"):
            break
    body, kind = form({"file": ("a.flac", (tmp_path / "b.flac").read_bytes())}, {})
    answer = asked(server, "POST", f"{OWN}/upload", body, {"Content-Type": kind})
    assert answer.status == 400
    assert "damaged at" in answer.body["message"]


def test_what_names_lead_to_is_not_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A name of this network and a name of nowhere get the same answer."""
    inside = {"db.example.com": ["10.0.0.7"], "none.example.com": []}
    with serving(tmp_path, urls=True) as server, caplog.at_level(logging.INFO):
        object.__setattr__(server.sources.network, "resolve", lambda host, port: inside[host])
        said = []
        for host in inside:
            body = {"audio": f"https://{host}/a.wav", "tags": "pop"}
            answer = asked(server, "POST", f"{OWN}/audio-inpaint", body)
            assert answer.status == 400
            said.append(json.dumps(answer.body).replace(host, "X"))
        assert said[0] == said[1]
        assert "10.0.0.7" not in said[0]
        assert "10.0.0.7" in caplog.text  # whoever runs the server may know


def test_slow_urls_keep_no_upload_waiting(tmp_path: Path) -> None:
    """Every place to fetch in is taken by a name server that does not answer."""
    body, kind = form({"file": ("a.wav", write_wav(tmp_path / "a.wav").read_bytes())}, {})
    asked_for, is_over = [], threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        asked_for.append(host)
        is_over.wait(30)
        return []

    with serving(tmp_path, urls=True) as server:
        object.__setattr__(server.sources.network, "resolve", resolve)
        slow = {"audio": "https://slow.example.com/a.wav", "tags": "pop"}
        threads = [
            threading.Thread(target=server.post, args=(f"{OWN}/audio-inpaint", slow))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        while not asked_for:
            time.sleep(0.01)
        answers = [
            asked(server, "POST", f"{OWN}/upload", body, {"Content-Type": kind}) for _ in range(3)
        ]
        is_free = not is_over.is_set() and all(thread.is_alive() for thread in threads)
        is_over.set()
        for thread in threads:
            thread.join(30)
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert is_free


def test_long_files_keep_no_short_one_waiting(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two decodes of an hour once held both workers: everybody else waited for minutes."""
    media, going = module("acestep_core.hosted.media"), threading.Event()
    whole = media._counted

    def slow(container: Any) -> Any:
        seconds = container.duration / 1e6
        if seconds < 2:
            return whole(container)
        if media._most_work.get() < media.MOST_WORK:
            raise media.UnfinishedError
        assert going.wait(20)
        return whole(container)

    monkeypatch.setattr(media, "_counted", slow)
    contents = [write_wav(tmp_path / f"{n}.wav", 3.0 + n).read_bytes() for n in range(3)]
    answers: list[int] = []

    def upload(content: bytes) -> None:
        body, kind = form({"file": ("a.wav", content)}, {})
        answers.append(asked(server, "POST", f"{OWN}/upload", body, {"Content-Type": kind}).status)

    threads = [threading.Thread(target=upload, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    upload(write_wav(tmp_path / "short.wav", 0.5).read_bytes())
    assert answers == [200]  # while the others still wait
    going.set()
    for thread in threads:
        thread.join(20)
    assert answers == [200] * 4


def test_decoding_in_a_hurry_stops_without_a_verdict(tmp_path: Path) -> None:
    media, path = module("acestep_core.hosted.media"), write_wav(tmp_path / "a.wav", 30.0)
    with pytest.raises(media.UnfinishedError), media.hurried(0.0):
        media.checked(path)
    assert media.checked(path).seconds == 30
