"""Requests that outlive the server."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from acestep_core.hosted import store as module
from acestep_core.hosted.queue import OutputFile
from acestep_core.hosted.store import Job, Store, StoreError, now

ASKED = {"tags": "caf\u00e9, \u97f3\u697d", "seed": 3, "duration": 60.0, "original_seed": None}


def job(name: str = "a") -> Job:
    return Job(name, "text-to-audio", ASKED, "session", "2026-01-31T12:34:56.789Z")


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "jobs.sqlite3"
    store = Store(path)
    one = job()
    store.save(one)
    assert store.get("a") == one
    assert store.get("b") is None
    files = (OutputFile("a.flac", "acestep_api"),)
    over = replace(one, status="completed", files=files, milliseconds=12)
    store.save(over)
    store.close()
    assert Store(path).get("a") == over


def test_times_are_as_the_services_write_them() -> None:
    assert len(now()) == len("2026-01-31T12:34:56.789Z")
    assert now()[10] + now()[-1] == "TZ"


def test_the_oldest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    store = Store(None)
    for name in "abcde":
        store.save(job(name))
        store.save(job(name))
    assert [name for name in "abcde" if store.get(name)] == ["c", "d", "e"]


def test_threads(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite3")

    def work(start: int) -> None:
        for number in range(start, start + 20):
            store.save(job(str(number)))
            assert store.get(str(number)) is not None

    threads = [threading.Thread(target=work, args=(100 * i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(store.get(str(100 * i + k)) for i in range(4) for k in range(20))


KILLED = """
import os, pathlib, sys
from acestep_core.hosted.store import Job, Store
store = Store(pathlib.Path(sys.argv[1]))
store.save(Job("kept", "text-to-audio", {}, "s"))
connection = store._opened()
connection.execute("INSERT INTO jobs (id, body) VALUES ('half', '{}')")
os._exit(9)
"""


def test_a_killed_server_leaves_the_last_whole_state(tmp_path: Path, root: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=root, check=False)
    assert done.returncode == 9
    store = Store(path)
    assert store.get("kept") is not None
    assert store.get("half") is None
    store.save(job("next"))
    assert store.get("next") is not None


DAMAGE = b"no database, but long enough to be looked at" * 50


@pytest.mark.parametrize("was_one", [False, True])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, was_one: bool
) -> None:
    path = tmp_path / "jobs.sqlite3"
    store = Store(path)
    if was_one:
        store.save(job("old"))
        store.close()
        with path.open("r+b") as file:  # what a dying disk does: the header stays, pages do not
            file.seek(100)
            file.write(b"\xff" * (path.stat().st_size - 100))
    else:
        path.write_bytes(DAMAGE)
    store.save(job())
    assert store.get("a") == job()
    assert Store(path).get("a") == job()
    (aside,) = tmp_path.glob("jobs.sqlite3.damaged-*")
    assert was_one or aside.read_bytes() == DAMAGE
    (line,) = [one.getMessage() for one in caplog.records]
    assert "is damaged" in line


@pytest.mark.parametrize("more", ["-journal", "-wal", "-shm"])
def test_what_belongs_to_a_damaged_file_is_not_taken_for_the_new_ones(
    tmp_path: Path, more: str
) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.write_bytes(DAMAGE)
    rest = path.with_name(path.name + more)
    rest.write_bytes(b"of the old one")
    Store(path).save(job())
    assert not rest.exists() or rest.read_bytes() != b"of the old one"
    assert Store(path).get("a") == job()


def test_a_full_disk_is_said_and_passes(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite3")
    store.save(job())
    full(store)
    with pytest.raises(StoreError, match=r"cannot note requests .*full") as caught:
        store.save(job("b" * 50_000))
    assert caught.value.status == 507
    assert store.get("a") == job()
    store.save(job("b" * 50_000))  # opened again, the limit is gone
    assert store.get("b" * 50_000)


def full(store: Store) -> None:
    """SQLite's own error of a full disk, without one."""
    store._opened().execute("PRAGMA max_page_count = 1")


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"files": 3}', '{"files": [], "other": 1}'])
def test_a_row_that_cannot_be_read_is_no_request(tmp_path: Path, body: str) -> None:
    store = Store(tmp_path / "jobs.sqlite3")
    store.save(job("good"))
    with store._opened() as connection:
        connection.execute("INSERT INTO jobs (id, body) VALUES ('bad', ?)", (body,))
    assert store.get("bad") is None
    assert store.get("good") == job("good")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError, match="cannot note requests"):
        Store(tmp_path / "file" / "jobs.sqlite3").save(job())
