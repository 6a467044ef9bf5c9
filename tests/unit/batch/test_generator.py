"""The tiny model through the Generator: every task, alone and together."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from acestep_core.batch.generator import COLUMNS, TOGETHER, Generator, Loading, Work
from acestep_core.batch.places import Places
from acestep_core.batch.plan import columns_of
from acestep_core.cli.commands import main
from acestep_core.pipeline import ACEStep
from acestep_core.records.record import read_record, record_path
from acestep_core.records.replay import request_of
from acestep_core.sound.files import read_audio, write_audio
from acestep_core.weights.download import sha256
from acestep_core.weights.model import Added
from acestep_core.weights.shared import InMemory

from ..sound_kit import samples
from .kit import SHORT

RATE = 44_100
ON_SOURCE = {"source": "in.wav", "steps": 2, "tags": "pop"}
EVERY_TASK = [
    {"id": "new", "tags": "pop", "lyrics": "[inst]", "seed": 1, **SHORT},
    {"id": "retake", "task": "retake", "tags": "pop", "source_seed": 1, "seed": 2, **SHORT},
    {"id": "inpaint", "task": "inpaint", "region": "0.2:0.5", **ON_SOURCE},
    {"id": "extend", "task": "extend", "after": 0.5, **ON_SOURCE},
    {"id": "edit", "task": "edit", "source_tags": "jazz", **ON_SOURCE},
    {"id": "follow", "task": "follow", "strength": 0.3, **ON_SOURCE},
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_audio(tmp_path / "in.wav", samples(RATE, level=0.1), RATE).path


def generator_in(tiny_folder: Path, folder: Path, base: Path, **others: Any) -> Generator:
    return Generator(tiny_folder, work=Work(Places(str(folder), str(base), **others)))


def made(generator: Generator, raws: list[dict[str, Any]]) -> list[dict[str, Any]]:
    columns = generator(columns_of(raws))
    assert tuple(columns) == COLUMNS
    return [{name: columns[name][i] for name in COLUMNS} for i in range(len(raws))]


def test_every_task_makes_its_files_and_says_what_they_are(
    tiny_folder: Path, tmp_path: Path, source: Path
) -> None:
    generator = generator_in(tiny_folder, tmp_path / "out", tmp_path)
    results = made(generator, EVERY_TASK)
    assert [row["error"] for row in results] == [""] * 6
    assert [row["id"] for row in results] == [row["id"] for row in EVERY_TASK]
    for row in results:
        path = tmp_path / "out" / row["path"]
        assert (row["sha256"], row["bytes"]) == (sha256(path), path.stat().st_size)
        wave, rate = read_audio(path)
        assert row["seconds"] == pytest.approx(wave.shape[-1] / rate, abs=0.02)
        assert "length" not in row["gates"]
    assert [round(row["seconds"], 1) for row in results] == [0.3, 0.3, 1.0, 1.5, 1.0, 1.0]
    json.dumps(results)  # and nothing in it is of torch or numpy


def test_the_same_rows_give_the_same_bytes(tiny_folder: Path, tmp_path: Path, source: Path) -> None:
    found = []
    for name in ("a", "b"):
        generator = generator_in(tiny_folder, tmp_path / name, tmp_path, kind="opus")
        made(generator, EVERY_TASK)
        found.append({p.name: p.read_bytes() for p in (tmp_path / name / "songs").iterdir()})
    assert found[0] == found[1]
    assert len(found[0]) == 12


@pytest.mark.parametrize("row", EVERY_TASK, ids=lambda row: row["id"])
@pytest.mark.usefixtures("alone")
def test_a_record_repeats_its_row_to_the_byte(
    tiny_folder: Path, tmp_path: Path, source: Path, row: dict[str, Any]
) -> None:
    (result,) = made(generator_in(tiny_folder, tmp_path / "out", tmp_path), [row])
    path = tmp_path / "out" / result["path"]
    again = tmp_path / path.name
    words = ["generate", "--replay", str(record_path(path)), "--model", str(tiny_folder)]
    words += ["--source", str(source)] * ("source" in row)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert main([*words, "--device", "cpu", "--output", str(again)]) == 0
    torch.set_num_threads(before)
    assert again.read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("alone")
def test_a_record_of_rows_with_the_same_words_repeats_them_as_they_were_together(
    tiny_folder: Path, tmp_path: Path
) -> None:
    rows = [{"id": f"r{i}", "tags": "pop", "seed": i, **SHORT} for i in (5, 9)]
    results = made(generator_in(tiny_folder, tmp_path / "out", tmp_path), rows)
    path = tmp_path / "out" / results[1]["path"]
    record = read_record(record_path(path))
    assert request_of(record).recipe.seeds == (5, 9)
    assert record.ace_core[TOGETHER] == ["r5", "r9"]
    words = ["generate", "--replay", str(record_path(path)), "--model", str(tiny_folder)]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    assert main([*words, "--device", "cpu", "--output", str(tmp_path / path.name)]) == 0
    torch.set_num_threads(before)
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_rows_of_other_words_are_together_what_they_are_alone_but_for_rounding(
    tiny_folder: Path, tmp_path: Path
) -> None:
    rows = [
        {"id": "a", "tags": "pop", "seed": 1, **SHORT},
        {"id": "b", "tags": "slow jazz with a saxophone", "lyrics": "[inst]", "seed": 2, **SHORT},
    ]
    together = generator_in(tiny_folder, tmp_path / "together", tmp_path, kind="wav")
    alone = generator_in(tiny_folder, tmp_path / "alone", tmp_path, kind="wav")
    both = made(together, rows)
    for row, one in zip(both, (made(alone, [row])[0] for row in rows), strict=True):
        first, _ = read_audio(tmp_path / "together" / row["path"])
        second, _ = read_audio(tmp_path / "alone" / one["path"])
        assert (first - second).abs().max() < 1e-3
    record = read_record(record_path(tmp_path / "together" / both[1]["path"]))
    assert record.actual_seeds == (2,)
    assert record.ace_core[TOGETHER] == ["a", "b"]


def lora(path: Path, seed: int) -> Path:
    """An adapter of a projection of the tiny model's."""
    path.parent.mkdir(exist_ok=True)
    name = "transformer_blocks.3.attn.to_q"
    down, up = samples(64, 2, seed, 1.0), samples(2, 64, seed, 1.0)
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, path)
    return path


def sounds(results: list[dict[str, Any]]) -> list[str]:
    assert [row["error"] for row in results] == [""] * len(results)
    return [row["sound"] for row in results]


def test_adapters_of_the_run_and_of_a_row(tiny_folder: Path, tmp_path: Path) -> None:
    loud = lora(tmp_path / "loud.safetensors", 1)
    lora(tmp_path / "b" / "other=1.safetensors", 2)
    row = {"id": "a", "tags": "pop", "seed": 1, **SHORT}
    rows = [
        row,
        {**row, "id": "b", "lora": "skip"},
        {**row, "id": "c", "lora": "b/other=1.safetensors=0.5"},
        {**row, "id": "d", "lora": "loud.safetensors; b/other=1.safetensors"},
        {**row, "id": "e", "lora": ["loud.safetensors=2"]},
        {**row, "id": "f", "lora": "absent.safetensors"},
    ]
    work = Work(Places(str(tmp_path / "out"), str(tmp_path)))
    generator = Generator(tiny_folder, work=work, adapters=[Added(str(loud), 2.0)])
    *results, absent = made(generator, rows)
    assert "absent.safetensors does not exist" in absent["error"]
    assert "Traceback" not in absent["error"]
    first, plain, *others = sounds(results)
    assert others.pop() == first  # in another way
    assert len({first, plain, *others}) == 4
    bare = sounds(made(generator_in(tiny_folder, tmp_path / "bare", tmp_path), [row]))
    assert bare == [plain]
    records = [read_record(record_path(tmp_path / "out" / one["path"])) for one in results]
    assert [
        [(one.name, one.weight) for one in request_of(record).adapters] for record in records
    ] == [
        [("loud", 2.0)],
        [],
        [("other=1", 0.5)],
        [("loud", 1.0), ("other=1", 1.0)],
        [("loud", 2.0)],
    ]


@pytest.mark.skipif(not InMemory.is_known, reason="Linux alone has such memory")
@pytest.mark.parametrize("varies", [False, True])
def test_with_the_model_in_shared_memory_every_byte_is_the_same(
    tiny_folder: Path, tmp_path: Path, source: Path, varies: bool
) -> None:
    adapters = (Added(str(lora(tmp_path / "loud.safetensors", 1)), 0.5),)
    rows = [*EVERY_TASK, {"id": "bare", "tags": "pop", "seed": 3, "lora": "skip", **SHORT}]
    rows = rows if varies else EVERY_TASK
    found = []
    with InMemory() as memory:
        for name in ("alone", "shared"):
            work = Work(Places(str(tmp_path / name), str(tmp_path)))
            loading = Loading((str(tiny_folder),), "auto", work, adapters, varies)
            if name == "shared":
                loading = loading.sharing("cpu", memory)
                assert loading.weights
                assert [one.name for one in loading.weights.adapters] == ["loud"] * (not varies)
            sounds(made(pickle.loads(pickle.dumps(loading))("cpu"), rows))
            folder = tmp_path / name / "songs"
            found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert found[0] == found[1]
    assert len(found[0]) == 2 * len(rows)


def test_a_row_that_fails_says_why_and_leaves_the_others_alone(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"id": f"r{i}", "tags": "pop", "seed": i, **SHORT} for i in range(3)]
    rows[1]["lyrics"] = "la " * 100_000
    generator = generator_in(tiny_folder, tmp_path, tmp_path)
    results = made(generator, rows)
    assert [row["status"] for row in results] == ["done", "failed", "done"]
    assert "characters" in results[1]["error"]
    assert results[1]["seed"] == 1
    (strange,) = made(generator, [{"id": "x", "tags": "pop", "nothing": 1}])
    assert "is no column" in strange["error"]

    def fails(*args: object, **others: object) -> None:
        raise RuntimeError("of the device")

    monkeypatch.setattr(ACEStep, "decode", fails)
    assert [row["error"] for row in made(generator, [rows[0], rows[2]])] == [
        "RuntimeError: of the device"
    ] * 2


def test_a_sound_that_is_no_number_is_not_written(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = ACEStep.decode

    def broken(self: ACEStep, *args: Any, **others: Any) -> torch.Tensor:
        wave = decode(self, *args, **others)
        wave[0, 0, 5] = torch.nan
        return wave

    monkeypatch.setattr(ACEStep, "decode", broken)
    rows = [{"id": f"r{i}", "tags": "pop", "seed": i, **SHORT} for i in range(2)]
    results = made(generator_in(tiny_folder, tmp_path, tmp_path), rows)
    assert [row["status"] for row in results] == ["failed", "done"]
    assert results[0]["gates"] == ["not finite"]
    assert [path.name for path in (tmp_path / "songs").glob("*.flac")] == ["r1.flac"]


def test_threads_are_the_work_s_and_stay_the_process_s(tiny_folder: Path, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    seen = []

    class Watched(Generator):
        def _made(self, rows: Any) -> Any:
            seen.append(torch.get_num_threads())
            return super()._made(rows)

    generator = Watched(tiny_folder, work=Work(Places(str(tmp_path)), threads=2))
    generator(columns_of([{"id": "a", "tags": "pop", **SHORT}]))
    assert (seen, torch.get_num_threads()) == ([2], before)
