"""Repeated songs and what is saved of them: nothing that the first file said is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from acestep_core.anonymous import named
from acestep_core.cli import commands as cli
from acestep_core.records.record import parsed_record, read_record, record_from, values_of
from acestep_core.records.replay import REPLAYED, SKIPPED, adapters_of, carried
from acestep_core.weights.model import Added
from tests.unit import record_kit as records

PATH = Path("theirs_input_params.json")
LORA_NAME = Path(records.LORA).name


def written(folder: Path, values: dict[str, Any]) -> Path:
    path = folder / PATH
    path.write_text(json.dumps(values), encoding="utf-8")
    return path


def lost(values: dict[str, Any], again: dict[str, Any]) -> list[str]:
    """Keys of the first file whose value the second one has nowhere; of paths the name counts."""
    (first,) = again["ace_core"][REPLAYED]
    kept: Any = named(values)
    return [key for key, value in kept.items() if first.get(key, again.get(key)) != value]


@pytest.mark.parametrize("name", sorted(records.EVERY))
def test_record_read_and_written_is_the_same(name: str) -> None:
    values = records.EVERY[name]
    again = values_of(parsed_record(json.dumps(values), PATH))
    assert {key: again[key] for key in values} == values
    assert json.loads(json.dumps(again)) == again
    assert record_from(again, PATH) == parsed_record(json.dumps(values), PATH)


@pytest.mark.parametrize("name", ["old", "new", "retake"])
def test_song_of_a_file_of_the_original_says_all_it_said(
    name: str, tiny_folder: Path, tmp_path: Path
) -> None:
    values = records.EVERY[name] | {"oss_steps": [], "infer_step": 2, "lyrics": "[inst]"}
    words = ["--replay", written(tmp_path, values), "--lora", "skip", "--duration", "0.3"]
    song = tmp_path / "song.wav"
    assert cli.main([str(w) for w in ("generate", "--model", tiny_folder, *words, "-o", song)]) == 0
    again = json.loads((tmp_path / "song_input_params.json").read_text("utf-8"))
    assert not lost(values, again)
    differing = set(again["ace_core"][REPLAYED][0]) - {"audio_path"}
    assert differing == {"timecosts", "audio_duration"} | (
        {"repaint_end"} if name == "retake" else set()
    )
    assert again.get("somebody_elses") == values.get("somebody_elses")
    assert again["actual_seeds"] == values["actual_seeds"]
    if name == "new":
        assert (again["lora_name_or_path"], again["lora_weight"]) == (LORA_NAME, 0.8)
        assert again["ace_core"]["adapters"] == []
        assert adapters_of(read_record(tmp_path / "song_input_params.json")) == [
            Added(LORA_NAME, 0.8)
        ]


def test_all_adapters_that_were_left_out_stay_named() -> None:
    adapters = [{"name": "a", "weight": 0.5, "training_scale": True}, {"name": "b"}]
    own = {"compat": "corrected", "adapters": adapters, "of_tomorrow": [1]}
    old = record_from({**records.OLD, "lora_name_or_path": "a", "ace_core": own}, PATH)
    bare = record_from({**records.OLD, "ace_core": {"compat": "corrected", "adapters": []}}, PATH)
    record = carried(bare, old)
    assert record.lora == "a"
    assert record.ace_core["adapters"] == []
    assert adapters_of(record) == [Added("a", 0.5, True), Added("b")]
    (first,) = record.ace_core[REPLAYED]  # type: ignore[misc]
    assert first == {"ace_core": {"adapters": adapters, "of_tomorrow": [1]}}


def test_adapter_that_was_exchanged_is_named_as_it_was_and_is() -> None:
    old = record_from(records.NEW, PATH)
    new = record_from({**records.NEW, "lora_name_or_path": "mine", "ace_core": {"rate": 1}}, PATH)
    record = carried(new, old)
    assert record.lora == "mine"
    assert SKIPPED not in record.ace_core
    assert record.ace_core[REPLAYED] == [{"lora_name_or_path": LORA_NAME}]


def test_every_repeat_adds_to_the_list() -> None:
    first = record_from(records.OLD, PATH)
    second = carried(
        record_from({**records.OLD, "infer_step": 27, "ace_core": {"rate": 1}}, PATH), first
    )
    third = carried(
        record_from({**records.OLD, "omega_scale": 5, "ace_core": {"rate": 2}}, PATH), second
    )
    assert third.ace_core[REPLAYED] == [
        {"infer_step": 60},
        {"infer_step": 27, "omega_scale": 10, "ace_core": {"rate": 1}},
    ]


def test_graph_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = written(tmp_path, records.NEW), tmp_path / "graph.json"
    words = ["replay-graph", str(path), "-o", str(out)]
    assert cli.main(words) == 2
    assert f"was made with the LoRA '{records.LORA}', which is not there" in capsys.readouterr().err
    assert not out.exists()
    assert cli.main([*words, "--lora", "skip"]) == 0
    said = capsys.readouterr()
    assert said.out == f"{out}\n"
    assert "note: The original draws its noise on the graphics card" in said.err
    skipped = json.loads(out.read_text("utf-8"))
    assert "AceSuiteLoRA" not in {node["class_type"] for node in skipped.values()}
    assert cli.main([*words, "--lora", "loras/folk.safetensors"]) == 0
    (lora,) = (
        node["inputs"]
        for node in json.loads(out.read_text("utf-8")).values()
        if node["class_type"] == "AceSuiteLoRA"
    )
    assert (lora["lora"], lora["strength_model"]) == ("loras/folk.safetensors", 0.8)
