"""Files that appear whole, and what killed and interrupted runs leave: nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acestep_core import atomic
from acestep_core.atomic import check_place, replaced, state_of, sweep

WRITING = """
import os, pathlib, sys
from acestep_core.atomic import replaced
with replaced(pathlib.Path(sys.argv[1])) as place:
    place.write_text("half")
    os.utime(place, (1, 1))
    print(flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "_swept", set())


def test_what_a_killed_run_left_is_swept_and_what_a_live_one_writes_is_not(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = [sys.executable, "-c", WRITING, str(tmp_path / "song.flac")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=root, stdin=pipe, stdout=pipe) as run:
        assert run.stdout
        run.stdout.readline()
        (part,) = tmp_path.iterdir()
        sweep(tmp_path)
        assert part.exists()
        run.kill()
    assert part.exists()
    monkeypatch.setattr(atomic, "_swept", set())
    assert check_place(tmp_path / "next.flac")
    assert not list(tmp_path.iterdir())


def test_only_our_own_names_are_swept(tmp_path: Path) -> None:
    names = ["song.flac.part", ".acestep-1.part", ".acestep-0123456789abcdef.part.flac", "x"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (1, 1))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "song.flac").write_text("old")

    def interrupted() -> None:
        with replaced(tmp_path / "song.flac") as place:
            place.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["song.flac"]
    assert (tmp_path / "song.flac").read_text() == "old"


def test_a_file_that_somebody_else_wrote_is_another(tmp_path: Path) -> None:
    path = tmp_path / "song.flac"
    assert state_of(path) is None
    path.write_text("one")
    before = state_of(path)
    assert before == state_of(path)
    with replaced(path) as place:
        place.write_text("two")
    assert state_of(path) != before
