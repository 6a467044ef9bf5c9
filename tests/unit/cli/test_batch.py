"""The command `batch` as a shell sees it, with the tiny model in one worker."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acestep_core.cli.commands import main

from ..batch.kit import files_in, rows_of
from ..command_kit import Said


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return written(tmp_path / "songs.jsonl", rows_of(5))


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def batch(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: object) -> Said:
        status = main(["batch", *map(str, words)])
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return run


@pytest.mark.usefixtures("alone")
def test_from_a_template_to_songs_and_a_report(
    batch: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    template = {"name": "ad", "tags": ["pop", "jazz"], "seeds": 2, "seconds": 0.3, "steps": 2}
    (tmp_path / "t.json").write_text(json.dumps(template))
    rows = tmp_path / "ad.jsonl"
    assert batch(tmp_path / "t.json", "--expand", rows).out == f"{rows}  4 rows\n"
    words = (rows, "--out", tmp_path / "out", "--model", tiny_folder, "--device", "cpu")
    said = batch(*words, "--batch", 3)
    assert (said.status, said.err.count("Traceback")) == (0, 0)
    assert "4 of 4 songs" in said.out
    before = files_in(tmp_path / "out")
    assert len([name for name in before if name.startswith("songs/")]) == 8
    assert "| silent | 0 |" in before["report.md"].decode()
    assert "pictures/ad_1.png" in before
    assert batch(*words, "--batch", 3).status == 0
    assert files_in(tmp_path / "out") == before
    refused = batch(*words, "--batch", 4)
    assert refused.status == 2
    assert "--batch) (3 then, 4 now)" in refused.err
    written(rows, rows_of(4))
    assert "manifest's rows" in batch(*words, "--batch", 3).err
    assert files_in(tmp_path / "out") == before


@pytest.mark.usefixtures("alone")
def test_a_failed_row_is_a_status(batch: Any, tiny_folder: Path, tmp_path: Path) -> None:
    rows = rows_of(2)
    rows[1]["lyrics"] = "la " * 100_000
    words = (written(tmp_path / "a.jsonl", rows), "--out", tmp_path / "out", "--model", tiny_folder)
    said = batch(*words, "--device", "cpu", "--format", "mp3")
    assert said.status == 1
    assert "1 of 2 songs, 0.0 minutes, 1 failed" in said.out
    assert "- song-1: The lyrics have" in (tmp_path / "out" / "report.md").read_text()
    again = batch(*words, "--format", "mp3", "--retry-failed", "--max-errors", 0)
    assert "1 rows failed, more than --max-errors 0" in again.err


@pytest.mark.usefixtures("alone")
def test_a_dry_run_says_what_it_would_take(batch: Any, tiny_folder: Path, tmp_path: Path) -> None:
    rows = written(tmp_path / "a.jsonl", rows_of(5, seconds=60))
    said = batch(rows, "--dry-run", "--model", tiny_folder, "--out", tmp_path / "out")
    assert said.status == 0
    assert "5 rows in 1 batches: 5 generate" in said.out
    assert "5.0 minutes of music, about 33.0 MB as flac" in said.out
    assert "0.06 dollars (0.0002 a second)" in said.out
    assert "0 rows stand in the ledger" in said.out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--out DIR"),
        (("--out", "out", "--shard", "3/2"), "--shard is '3/2'"),
        (("--out", "out", "--batch", 0), "--batch is 0; it must be between 1 and 64"),
        (("--out", "out", "--workers", -1), "--workers is -1"),
        (("--expand", "rows.csv"), "must end in one of"),
    ],
)
@pytest.mark.usefixtures("alone")
def test_words_that_cannot_be(
    batch: Any, manifest: Path, tiny_folder: Path, words: tuple[object, ...], told: str
) -> None:
    said = batch(manifest, "--model", tiny_folder, *words)
    assert said.status == 2
    assert told in said.err


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals there")
def test_ctrl_c_is_a_sentence_and_leaves_nothing_half_written(
    root: Path, tiny_folder: Path, tmp_path: Path
) -> None:
    rows = written(tmp_path / "a.jsonl", rows_of(200))
    command = [
        sys.executable,
        "-m",
        "acestep_core",
        "batch",
        str(rows),
        "--out",
        str(tmp_path / "o"),
    ]
    command += ["--model", str(tiny_folder), "--batch", "1", "--threads", "1", "--device", "cpu"]
    with subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr
        told = ""
        while not re.search(r" (?!0|1/)\d+/200", told):
            told += (piece := running.stderr.read(1))
            assert piece, told
        running.send_signal(signal.SIGINT)
        told += running.stderr.read()
    assert running.returncode == 130, told
    assert "Stopped; nothing half-written was left." in told
    assert "Traceback" not in told
    assert not list((tmp_path / "o").rglob(".acestep-*"))
    made = len(list((tmp_path / "o" / "songs").glob("*.flac")))
    assert 2 <= made < 200
