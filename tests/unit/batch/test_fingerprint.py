from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acestep_core.atomic import FileError
from acestep_core.batch import fingerprint
from acestep_core.batch.fingerprint import (
    adapters_digest,
    code_digest,
    model_digest,
    settled,
    this_code,
)
from acestep_core.weights.lora import FILE
from acestep_core.weights.model import Added

OURS = {"manifest": "a" * 64, "threads": 2, "torch": "2.0"}


def test_the_first_run_settles_it_and_the_same_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert settled(out, OURS) == settled(out, dict(OURS)) == OURS
    assert [path.name for path in out.iterdir()] == ["batch.json"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"manifest": "b" * 64}, r"manifest's rows.*\(aaaaaaaaaaaa then, bbbbbbbbbbbb now\)"),
        ({"threads": 1}, r"--threads\) \(2 then, 1 now\)"),
        ({"torch": "2.1", "threads": 4}, r"--threads.*torch \(2.0 then, 2.1 now\)"),
        ({"new": 1}, r"new \(None then, 1 now\)"),
    ],
)
def test_another_one_is_refused_and_said(
    tmp_path: Path, change: dict[str, str | int], words: str
) -> None:
    settled(tmp_path, OURS)
    with pytest.raises(FileError, match=words):
        settled(tmp_path, {**OURS, **change})
    assert settled(tmp_path, OURS) == OURS


def test_of_two_that_begin_at_once_the_first_one_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(tmp_path, OURS)
    fingerprint._write_once(tmp_path / fingerprint.NAME, {**OURS, "threads": 9})
    assert settled(tmp_path, OURS) == OURS


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_damaged_one(tmp_path: Path, text: str) -> None:
    (tmp_path / fingerprint.NAME).write_text(text)
    with pytest.raises(FileError, match="another folder"):
        settled(tmp_path, OURS)


def test_a_byte_of_a_weight_is_another_model(tiny_folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_folder, tmp_path / "copy")
    assert model_digest([copy]) == model_digest([tiny_folder])
    (weights,) = copy.glob("music_vocoder/*.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert model_digest([copy]) != model_digest([tiny_folder])


def test_adapters_by_their_content_and_by_how_they_count(tmp_path: Path) -> None:
    folder = tmp_path / "rap"
    folder.mkdir()
    file = folder / FILE
    file.write_bytes(b"weights")
    whole = adapters_digest([Added(str(file))])
    assert adapters_digest([]) == "none"
    assert adapters_digest([Added(str(folder))]) == whole
    moved = shutil.copy(file, tmp_path / "moved.safetensors")
    assert adapters_digest([Added(str(moved))]) == whole
    others = [
        [Added(str(file), 0.5)],
        [Added(str(file), 1.0, True)],
        [Added(str(file)), Added(str(file))],
    ]
    found = {whole, *map(adapters_digest, others)}
    (folder / "config.json").write_text("{}")
    found.add(adapters_digest([Added(str(folder))]))
    file.write_bytes(b"sthgiew")
    found.add(adapters_digest([Added(str(folder))]))
    assert len(found) == 6


def test_the_code_that_makes_a_sample_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sampling/solve.py", "cli/batch.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("x = 1")
    monkeypatch.setattr(fingerprint, "CODE", tmp_path)
    before = code_digest()
    (tmp_path / "cli/batch.py").write_text("x = 2")
    assert code_digest() == before
    (tmp_path / "sampling/solve.py").write_text("x = 2")
    assert code_digest() != before
    assert set(this_code()) == {"version", "code", "torch"}
