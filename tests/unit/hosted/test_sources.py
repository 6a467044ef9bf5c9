"""Where audio may come from, and the names that lead nowhere."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from pathlib import Path

import pytest

from acestep_core.hosted import sources as module
from acestep_core.hosted.errors import RequestError
from acestep_core.hosted.fetch import Network
from acestep_core.hosted.settings import Settings
from acestep_core.hosted.sources import FOLDER, Source, Sources, inside
from tests.unit.hosted.kit import write_wav
from tests.unit.hosted.test_fetch import Hosts, hosts, says

SERVER = "http://127.0.0.1:8188"


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    folders = {name: tmp_path / name for name in ("input", "output", "temp")}
    for folder in folders.values():
        folder.mkdir()
    write_wav(tmp_path / "input" / "song.wav")
    write_wav(tmp_path / "input" / "folder" / "song.wav", 2.0)
    write_wav(tmp_path / "output" / "made here" / "a b.wav", 3.0)
    write_wav(tmp_path / "secret.wav")
    (tmp_path / "input" / "note.txt").write_text("text", encoding="utf-8")
    return Sources(folders)


@pytest.mark.parametrize(
    ("name", "kept", "seconds"),
    [
        ("song.wav", "song.wav [input]", 1),
        ("song.wav [input]", "song.wav [input]", 1),
        ("folder/song.wav", "folder/song.wav [input]", 2),
        ("made here/a b.wav [output]", "made here/a b.wav [output]", 3),
    ],
)
def test_names(sources: Sources, name: str, kept: str, seconds: float) -> None:
    found = sources.of(name)
    assert (found.name, found.sound.seconds) == (kept, seconds)


BAD_NAMES = [
    "../secret.wav",
    "folder/../../secret.wav",
    "folder/../song.wav",
    "./song.wav",
    "..",
    ".",
    "",
    "/etc/passwd",
    "//server/share/a.wav",
    "folder//song.wav",
    "song.wav/",
    "C:/song.wav",
    "C:song.wav",
    "song.wav:stream",
    "..\\secret.wav",
    "\\\\server\\share",
    "folder\\song.wav",
    "song.wav\0",
    "\0",
    "song.wav\0.txt",
    "song\n.wav",
    "a" * 401,
    "a" * 300,
    "missing.wav",
    "folder",
    "../secret.wav [output]",
    "note.txt",
    "~/song.wav",
    "%2e%2e/secret.wav",
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names(sources: Sources, name: str) -> None:
    with pytest.raises(RequestError) as caught:
        sources.of(name)
    assert caught.value.status == 400


def test_links_that_lead_out(sources: Sources, tmp_path: Path) -> None:
    folder = tmp_path / "input"
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    (folder / "out").symlink_to(tmp_path)
    (folder / "round.wav").symlink_to(folder / "round.wav")
    (folder / "within.wav").symlink_to(folder / "song.wav")
    for name in ("link.wav", "out/secret.wav", "round.wav"):
        with pytest.raises(RequestError):
            sources.of(name)
    assert sources.of("within.wav").sound.seconds == 1


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(RequestError, match="is not a file"):
        inside(tmp_path, "pipe.wav")


def test_data(sources: Sources, tmp_path: Path) -> None:
    content = (tmp_path / "input" / "song.wav").read_bytes()
    text = base64.b64encode(content).decode()
    for head in ("data:audio/wav;base64,", "DATA:audio/x-wav;name=a.wav;base64,"):
        found = sources.of(head + text)
        name = hashlib.sha256(content).hexdigest()[:32] + ".wav"
        assert found.name == f"{FOLDER}/{name} [input]"
        assert found.path.read_bytes() == content
        assert sources.of(found.name).sound == found.sound
    assert [path.name for path in (tmp_path / "input" / FOLDER).iterdir()] == [name]


@pytest.mark.parametrize(
    "text",
    [
        "data:",
        "data:audio/wav,RIFF",
        "data:audio/wav;base64",
        "data:audio/wav;base64,",
        "data:audio/wav;base64,!!!!",
        "data:audio/wav;base64,UklGRg==",
        "data:text/html;base64,UklGRg==",
        "data:audio/wav;base64,UklG Rg==",
        "data:;base64,UklGRg==",
        "data:" + ";" * 5000,
    ],
)
def test_bad_data(sources: Sources, tmp_path: Path, text: str) -> None:
    with pytest.raises(RequestError):
        sources.of(text)
    folder = tmp_path / "input" / FOLDER
    assert not folder.exists() or not list(folder.iterdir())


def test_data_has_a_limit(sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_DATA", 1000)
    with pytest.raises(RequestError, match="holds more than") as caught:
        sources.of("data:audio/wav;base64," + "A" * 2000)
    assert caught.value.status == 413


def test_urls_are_off_unless_switched_on(sources: Sources, tmp_path: Path) -> None:
    def never(*_: object) -> list[str]:
        raise AssertionError("nothing may be resolved or connected to")

    closed = Sources(sources.folders, Settings(), Network(never))
    for url in ("https://example.com/a.wav", "http://127.0.0.1/a.wav", "file:///etc/passwd"):
        assert closed.is_elsewhere(url, SERVER)
        with pytest.raises(RequestError, match="ACESTEP_API_URLS=1"):
            asyncio.run(closed.fetch(url, tmp_path / "a"))


def brought(found: Hosts, sources: Sources, url: str) -> Source:
    with sources.incoming() as path:
        found.run(sources.fetch(url, path))
        return sources.kept(path)


def test_a_url_becomes_a_file(sources: Sources, tmp_path: Path) -> None:
    content = (tmp_path / "input" / "song.wav").read_bytes()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\nContent-Length: {len(content)}\r\n\r\n"
    with hosts(says(head.encode() + content)) as found:
        opened = Sources(sources.folders, Settings(urls=True), found.network)
        source = brought(found, opened, "https://example.com/../../evil.sh?a.wav")
    assert source.path.parent == tmp_path / "input" / FOLDER
    assert source.path.name == hashlib.sha256(content).hexdigest()[:32] + ".wav"


def test_a_url_that_holds_no_sound_leaves_nothing(sources: Sources, tmp_path: Path) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 5\r\n\r\nhello"
    with hosts(says(answer)) as found:
        opened = Sources(sources.folders, Settings(urls=True), found.network)
        with pytest.raises(RequestError, match="is not MP3"):
            brought(found, opened, "https://example.com/a.wav")
    assert not list((tmp_path / "input" / FOLDER).iterdir())


def test_an_answer_of_this_server_is_read_from_its_folder(sources: Sources) -> None:
    fields = "filename=a+b.wav&subfolder=made%20here&type=output"
    for path in ("/view", "/api/view"):
        assert sources.of(f"{SERVER}{path}?{fields}").sound.seconds == 3
    assert sources.of(f"{SERVER}/view?filename=song.wav&type=input").sound.seconds == 1


@pytest.mark.parametrize(
    "query",
    [
        "filename=secret.wav&subfolder=..&type=input",
        "filename=../secret.wav&type=input",
        "filename=/etc/passwd",
        "filename=%00",
        "filename=",
        "filename=song.wav&type=models",
        "filename=song.wav&type=",
        "type=input",
        "&".join(f"a{i}=1" for i in range(50)),
    ],
)
def test_bad_answers_of_this_server(sources: Sources, query: str) -> None:
    with pytest.raises(RequestError):
        sources.of(f"{SERVER}/view?{query}")


def test_only_this_server_is_this_server(sources: Sources) -> None:
    fields = "filename=song.wav&type=input"
    for url in (
        f"http://127.0.0.1:8189/view?{fields}",
        f"http://x@127.0.0.1:8188/view?{fields}",
        f"{SERVER}/internal/view?{fields}",
        f"{SERVER}.example.com/view?{fields}",
    ):
        assert sources.is_elsewhere(url, SERVER)


def test_pieces_and_nothing(sources: Sources, tmp_path: Path) -> None:
    content = (tmp_path / "input" / "song.wav").read_bytes()
    found = sources.of_upload(iter([content[:100], content[100:]]))
    assert found.sound.seconds == 1
    with pytest.raises(RequestError, match="is empty"):
        sources.of_upload(iter([]))


def test_the_same_bytes_once_more_disturb_no_run(sources: Sources, tmp_path: Path) -> None:
    """It may be reading them, second by second."""
    content = (tmp_path / "input" / "song.wav").read_bytes()
    first = sources.of_upload(iter([content]))
    before = first.path.stat()
    again = sources.of_upload(iter([content]))
    assert again == first
    assert (again.path.stat().st_ino, again.path.stat().st_mtime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
    )
    assert len(list(first.path.parent.iterdir())) == 1
    first.path.write_bytes(content[:-100])  # of a disk that was full
    assert sources.of_upload(iter([content])).path.read_bytes() == content
