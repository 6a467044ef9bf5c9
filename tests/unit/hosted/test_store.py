"""Requests that outlive the server."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from acestep_core.hosted import store as module
from acestep_core.hosted.queue import OutputFile
from acestep_core.hosted.store import Job, Store, now

ASKED = {"tags": "caf\u00e9, \u97f3\u697d", "seed": 3, "duration": 60.0, "original_seed": None}


def job(name: str = "a") -> Job:
    return Job(name, "text-to-audio", ASKED, "session")


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


def test_a_file_that_is_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "jobs.sqlite3"
    path.write_bytes(b"no database, but long enough to be looked at" * 50)
    with pytest.raises(sqlite3.DatabaseError):
        Store(path).save(job())
