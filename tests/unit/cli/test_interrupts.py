"""Ctrl-C and SIGTERM, from the first import to the last file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from acestep_core.cli import takes
from acestep_core.sampling.loop import See
from acestep_core.sound import files
from acestep_core.sound.files import read_audio
from tests.unit.command_kit import SHORT, Run, names_in

# The signal comes when a module is imported for the first time.
AT_IMPORT = """
import os, runpy, signal, sys
module, name, sent, *words = sys.argv[1:]
class Finder:
    def find_spec(self, found, path=None, target=None):
        if found == name:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), getattr(signal, sent))
sys.meta_path.insert(0, Finder())
sys.argv[1:] = words
runpy.run_module(module, run_name="__main__", alter_sys=True)
"""
WORDS = {"acestep_core": ["info", "small_model"], "acestep_core.cli.demo": ["-o", "never.flac"]}


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process at once there")
@pytest.mark.parametrize(
    ("run", "name", "sent", "status"),
    [
        ("acestep_core", "acestep_core.cli.commands", "SIGINT", 130),
        ("acestep_core", "torch", "SIGINT", 130),
        ("acestep_core", "acestep_core.weights.checkpoint", "SIGINT", 130),
        ("acestep_core", "acestep_core.cli.info", "SIGTERM", 143),
        ("acestep_core.cli.demo", "torch", "SIGINT", 130),
        ("acestep_core.cli.demo", "acestep_core.pipeline", "SIGTERM", 143),
    ],
)
def test_a_signal_at_any_time_is_a_sentence(
    root: Path, run: str, name: str, sent: str, status: int
) -> None:
    command = [sys.executable, "-c", AT_IMPORT, run, name, sent, *WORDS[run]]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.strip().startswith("Stopped")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break in another way there")
def test_a_reader_who_has_gone_is_no_error(root: Path) -> None:
    """As `| head` is, once it has its lines."""
    command = [sys.executable, "-m", "acestep_core", "info", "small_model"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=root, text=True, stdout=pipe, stderr=pipe) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()
        said = running.stderr.read()
    assert (running.returncode, said) == (141, "")


@pytest.mark.usefixtures("alone")
def test_ctrl_c_while_sampling_leaves_no_file(
    generate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def interrupted(label: str, total: int) -> Iterator[See]:
        def see(*_: object) -> None:
            raise KeyboardInterrupt

        yield see

    monkeypatch.setattr(takes, "watched", interrupted)
    said = generate(*SHORT, "-o", tmp_path / "a.flac")
    assert said.status == 130
    assert "Stopped; nothing half-written was left." in said.err
    assert names_in(tmp_path) == []


@pytest.mark.usefixtures("alone")
def test_ctrl_c_while_writing_keeps_the_older_song(
    generate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = files._encode

    def interrupted(*arguments: object) -> None:
        encode(*arguments)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "_encode", interrupted)
    (tmp_path / "a.flac").write_bytes(b"an older song")
    assert generate(*SHORT, "-o", tmp_path / "a.flac").status == 130
    assert names_in(tmp_path) == ["a.flac"]
    assert (tmp_path / "a.flac").read_bytes() == b"an older song"


@pytest.mark.usefixtures("alone")
def test_ctrl_c_before_the_record_leaves_a_whole_song(
    generate: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(takes, "write_record", interrupt)
    assert generate(*SHORT, "-o", tmp_path / "a.flac").status == 130
    assert names_in(tmp_path) == ["a.flac"]
    assert read_audio(tmp_path / "a.flac")[1] == 48_000
