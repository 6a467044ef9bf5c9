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
import torch
from safetensors.torch import save_file

from acestep_core.batch.sources import NAME
from acestep_core.cli.commands import main
from acestep_core.sound.files import write_audio

from ..batch.kit import files_in, rows_of
from ..command_kit import Said
from ..sound_kit import samples


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return written(tmp_path / "songs.jsonl", rows_of(5))


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def results_of(out: Path) -> list[dict[str, Any]]:
    text = (out / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


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
def test_two_workers_that_share_the_model_and_adapters(
    batch: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    name = "transformer_blocks.3.attn.to_q"
    tensors = {
        f"{name}.lora_A.weight": torch.ones(2, 64),
        f"{name}.lora_B.weight": torch.ones(64, 2),
    }
    save_file(tensors, tmp_path / "rap.safetensors")
    rows = written(tmp_path / "a.jsonl", rows_of(4))
    words = (rows, "--model", tiny_folder, "--device", "cpu", "--threads", 1, "--batch", 2)
    lora = ("--lora", f"{tmp_path / 'rap.safetensors'}=0.5")
    for out, more in (("one", lora), ("two", (*lora, "--workers", 2)), ("bare", ())):
        assert batch(*words, "--out", tmp_path / out, *more).status == 0
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")
    one, bare = (results_of(tmp_path / out) for out in ("one", "bare"))
    assert not {row["sound"] for row in one} & {row["sound"] for row in bare}
    record = json.loads((tmp_path / "one/songs/song-0_input_params.json").read_text())
    assert record["lora_weight"] == 0.5
    refused = batch(*words, "--out", tmp_path / "bare", *lora)
    assert "the adapters (--lora) (none then" in refused.err
    absent = batch(*words, "--out", tmp_path / "new", "--lora", tmp_path / "no.safetensors")
    assert (absent.status, "no.safetensors does not exist" in absent.err) == (2, True)


@pytest.mark.usefixtures("alone")
def test_a_source_of_the_same_size_that_is_another_is_refused(
    batch: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / "in.wav"
    write_audio(source, samples(22_050), 44_100)
    rows = [{"id": "a", "task": "follow", "tags": "pop", "source": "in.wav", "steps": 2}]
    words = (written(tmp_path / "a.jsonl", rows), "--out", tmp_path / "out")
    words = (*words, "--model", tiny_folder, "--device", "cpu", "--threads", 1)
    assert batch(*words).status == 0
    before = files_in(tmp_path / "out")
    write_audio(source, samples(22_050, seed=1), 44_100)
    said = batch(*words)
    assert (said.status, "what is another is a source (" in said.err) == (2, True)
    write_audio(source, samples(22_050), 44_100)
    assert batch(*words).status == 0
    after = files_in(tmp_path / "out")
    del before[NAME], after[NAME]
    assert after == before


@pytest.mark.usefixtures("alone")
def test_a_webdataset_has_pictures_in_its_report(
    batch: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    rows = written(tmp_path / "a.jsonl", rows_of(3, seconds=4))
    words = (rows, "--out", tmp_path / "out", "--model", tiny_folder, "--device", "cpu")
    said = batch(*words, "--format", "webdataset", "--loudness-range", "3:")
    assert said.status == 0
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "| loudness range | 3 |" in report
    assert "| 0 to 5 | 3 |" in report.partition("## Loudness range")[2]
    for i in range(3):
        assert f"![song-{i}](pictures/song-{i}.png)" in report
        assert (tmp_path / "out/pictures" / f"song-{i}.png").stat().st_size > 10_000
    assert not list((tmp_path / "out/staged").glob("*"))


@pytest.mark.usefixtures("alone")
def test_a_failed_row_is_a_status(batch: Any, tiny_folder: Path, tmp_path: Path) -> None:
    rows = rows_of(2)
    rows[1]["lyrics"] = "la " * 100_000
    words = (written(tmp_path / "a.jsonl", rows), "--out", tmp_path / "out", "--model", tiny_folder)
    said = batch(*words, "--device", "cpu", "--format", "mp3")
    assert said.status == 1
    assert "1 of 2 songs, 0.0 minutes, 1 failed" in said.out
    assert "failed: song-1: The lyrics have" in said.err
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
        (("--out", "out", "--loudness-range", "9"), "--loudness-range is '9'"),
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
