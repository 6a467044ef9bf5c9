"""Load Parameters, and Save Audio that keeps what was loaded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit import record_kit as records
from tests.unit.nodes.pack import NODES, module

HOST = module("nodes.host")
RATE = 32_000
SONG = {"waveform": torch.randn(1, 2, 2 * RATE) * 0.1, "sample_rate": RATE}


def loaded(values: dict[str, Any], lora: str = "skip", **given: Any) -> dict[str, Any]:
    node = NODES["AceSuiteLoadParameters"]
    results = node().load("none", json.dumps(values), lora, **given)
    return dict(zip(node.RETURN_NAMES, results, strict=True))


@pytest.mark.parametrize("name", ["old", "new"])
def test_outputs_are_what_the_file_says(name: str) -> None:
    values = records.EVERY[name]
    out = loaded(values)
    assert (out["tags"], out["lyrics"]) == (values["prompt"], values["lyrics"])
    assert (out["seed"], out["seconds"]) == (values["actual_seeds"][0], values["audio_duration"])
    assert (out["language"], out["compat"], out["task"]) == ("auto", "original", None)
    guidance, schedule = out["guidance_settings"], out["schedule"]
    assert guidance.compat == "original"
    assert guidance.guidance.interval == values["guidance_interval"]
    assert guidance.guidance.erg_lyric == values["use_erg_lyric"]
    assert (schedule.steps, schedule.chosen) == (60, tuple(values["oss_steps"]))
    kept = json.loads(out["record"])
    assert {key: kept[key] for key in values} == values
    assert "written by the original project: text2music, original mode" in out["info"]
    assert (records.LORA in out["info"]) == (name == "new")
    kinds = [node["class_type"] for node in json.loads(out["graph"]).values()]
    assert kinds[-1] == "AceSuiteSaveAudio"


def test_a_file_beside_another_sound_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HOST, "input_folder", lambda: tmp_path)
    record = {**records.EVERY["new"], "audio_path": "a.flac", "ace_core": {"audio_sha256": "0"}}
    (tmp_path / "a_input_params.json").write_text(json.dumps(record), encoding="utf-8")
    node = NODES["AceSuiteLoadParameters"]
    for is_there in (False, True):
        if is_there:
            (tmp_path / "a.flac").write_bytes(b"another")
        results = node().load("a_input_params.json", "", "skip")
        info = dict(zip(node.RETURN_NAMES, results, strict=True))["info"]
        assert ("a.flac is not the sound that" in info) == is_there


def test_outputs_fit_the_inputs_of_their_names() -> None:
    """The types that ComfyUI compares; a choice goes to the same list of choices."""
    node = NODES["AceSuiteLoadParameters"]
    types = dict(zip(node.RETURN_NAMES, node.RETURN_TYPES, strict=True))
    users = {
        "AceSuiteTagEncode": ("model", "tags"),
        "AceSuiteLyricEncode": ("model", "lyrics", "language", "compat"),
        "AceSuiteSampler": ("guidance_settings", "schedule", "seed", "seconds", "task"),
    }
    for name, names in users.items():
        inputs = NODES[name].INPUT_TYPES()
        wanted = {**inputs["required"], **inputs["optional"]} if "optional" in inputs else {}
        wanted = wanted or inputs["required"]
        assert {one: types[one] for one in names} == {one: wanted[one][0] for one in names}


def test_file_is_repeated_to_the_last_bit_and_saved_with_all_it_said(
    words: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (settings,) = NODES["AceSuiteGuidance"]().settings("custom", interval=0.7)
    asked = {"seed": 9, "seconds": 1.0, "batch_size": 1, "steps": 3, "guidance_settings": settings}
    first, info = NODES["AceSuiteSampler"]().sample(**words, **asked)
    values = {**json.loads(info), "format": "flac", "audio_path": "a.flac", "theirs": [1]}
    out = loaded(values, model=words["model"])
    named = ("guidance_settings", "schedule", "seed", "seconds", "task")
    again, info = NODES["AceSuiteSampler"]().sample(
        **words, batch_size=1, **{name: out[name] for name in named}
    )
    assert torch.equal(again["samples"], first["samples"])
    saver = NODES["AceSuiteSaveAudio"]()
    saver.save(SONG, "b", info=info, save_settings=True, replayed=out["record"])
    (path,) = tmp_path.rglob("*_input_params.json")
    kept = json.loads(path.read_text("utf-8"))
    (before,) = kept["ace_core"]["replayed"]
    assert kept["theirs"] == [1]
    assert before["audio_path"] == "a.flac"
    assert {key: before.get(key, kept[key]) for key in values if key != "ace_core"} == {
        key: value for key, value in values.items() if key != "ace_core"
    }


def test_what_is_not_repeated_is_saved_as_before(
    words: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = {"seed": 9, "seconds": 1.0, "batch_size": 1, "steps": 2}
    _, info = NODES["AceSuiteSampler"]().sample(**words, **asked)
    NODES["AceSuiteSaveAudio"]().save(SONG, "b", info=info, save_settings=True)
    (path,) = tmp_path.rglob("*_input_params.json")
    assert "replayed" not in json.loads(path.read_text("utf-8"))["ace_core"]


def test_retake_needs_no_source() -> None:
    out = loaded(records.RETAKE)
    assert out["seed"] == records.RETAKE["retake_seeds"][0]
    assert out["task"].source_seed == records.RETAKE["actual_seeds"][0]
    assert out["task"].task.variance == 0.2


@pytest.mark.parametrize("name", ["repaint", "extend", "edit", "follow", "ours"])
def test_task_on_a_source_asks_for_it(model: Any, name: str) -> None:
    values = records.EVERY[name] | {"lyrics": "[inst]"}
    with pytest.raises(ValueError, match=r"^Load Parameters .* Connect source_audio with song"):
        loaded(values)
    task = loaded(values, model=model, source_audio=SONG)["task"]
    assert task.given.source_audio is SONG
    is_edit = name in ("edit", "ours")
    assert task.words is not None if is_edit else task.words is None
    if is_edit:
        with pytest.raises(ValueError, match="connect model, to encode its words"):
            loaded(values, source_audio=SONG)
        with pytest.raises(ValueError, match=r"^Load Parameters \(ACE-Step\): Tags are empty"):
            loaded({**values, "prompt": " ", "ace_core": {}}, model=model, source_audio=SONG)
    if name == "ours":
        assert (task.words[0].text, task.task.extended) == ("jazz", True)


MASK = torch.zeros(1, 16)
MASK[:, 2:5], MASK[:, 9:14] = 1, 1
MASKED = {"source_audio": SONG, "mask": MASK}


@pytest.mark.parametrize("name", ["AceSuiteInpaintMask", "AceSuiteRemixEdit"])
def test_masked_regions_are_repeated_to_the_last_sample(words: dict[str, Any], name: str) -> None:
    """What a mask marked is in the file, and so is how it was put into the source."""
    asked = {**MASKED, "start": 0.0, "end": 1.0, "variance": 0.7, "feather": 0.1}
    if name == "AceSuiteRemixEdit":
        spoken = {"source_tags": words["tags"], "source_lyrics": words["lyrics"]}
        asked = {**MASKED, **spoken, "mode": "remix"}
    (task,) = NODES[name]().describe(**asked)
    first, info = _sounded(words, task, {"seed": 9, "batch_size": 1, "steps": 3, "seconds": 1.0})
    values = {**json.loads(info), "format": "flac", "audio_path": "a.flac"}
    assert [(r["start"], r["end"]) for r in values["ace_core"]["regions"]] == [
        (0.25, 0.625),
        (1.125, 1.75),
    ]
    out = loaded(values, model=words["model"], source_audio=SONG)
    assert out["task"].task == task.task
    named = ("guidance_settings", "schedule", "seed", "seconds")
    settings = {one: out[one] for one in named}
    second, _ = _sounded(words, out["task"], {"batch_size": 1, **settings})
    assert torch.equal(first, second)
    was = SONG["waveform"]
    for start, end in ((0.0, 0.25), (0.625, 1.125), (1.75, 2.0)):
        kept = slice(round(start * RATE), round(end * RATE))
        assert torch.equal(first[..., kept], was[..., kept])
    assert not torch.equal(first, was)


def _sounded(words: dict[str, Any], task: Any, asked: dict[str, Any]) -> tuple[torch.Tensor, str]:
    latent, info = NODES["AceSuiteSampler"]().sample(**words, **asked, task=task)
    audio, _ = NODES["AceSuiteDCAEDecode"]().decode(words["model"], latent)
    return audio["waveform"], info


def test_clip_of_a_batch() -> None:
    values = {**records.OLD, "actual_seeds": [4, 8], "retake_seeds": [1, 2]}
    assert [loaded(values, clip=clip)["seed"] for clip in (1, 2)] == [4, 8]
    with pytest.raises(ValueError, match="clip is 3; the file names 2 clips"):
        loaded(values, clip=3)


def test_lora_that_is_not_there_is_an_error_with_its_name() -> None:
    with pytest.raises(ValueError, match=rf"^Load Parameters .*the LoRA '{records.LORA}'"):
        loaded(records.NEW, "error")
    assert loaded(records.OLD, "error")["seed"] == records.OLD["actual_seeds"][0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ComfyUI's input folder with one parameter file among other things."""
    place = tmp_path / "input"
    place.mkdir()
    monkeypatch.setattr(HOST, "input_folder", lambda: place)
    (place / "a_input_params.json").write_text(json.dumps(records.OLD), encoding="utf-8")
    (place / "song.json").write_text("{}", encoding="utf-8")
    (tmp_path / "b_input_params.json").write_text("{}", encoding="utf-8")
    return place


def test_file_is_chosen_from_the_list(folder: Path) -> None:
    node = NODES["AceSuiteLoadParameters"]
    assert node.INPUT_TYPES()["required"]["file"][0] == ["none", "a_input_params.json"]
    assert node().load("a_input_params.json")[1] == records.OLD["prompt"]
    before = node.IS_CHANGED("a_input_params.json")
    (folder / "a_input_params.json").write_text("{}", encoding="utf-8")
    assert node.IS_CHANGED("a_input_params.json") != before
    with pytest.raises(ValueError, match=r"a_input_params.json is not a parameter file: it has no"):
        node().load("a_input_params.json")


@pytest.mark.parametrize(
    "name", ["../b_input_params.json", "song.json", "/etc/passwd", "a\0_input_params.json"]
)
def test_nothing_else_is_read(folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"^Load Parameters \(ACE-Step\): file is "):
        NODES["AceSuiteLoadParameters"]().load(name)


def test_missing_folder_leaves_an_empty_list(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HOST, "input_folder", lambda: folder / "gone")
    node = NODES["AceSuiteLoadParameters"]
    assert node.INPUT_TYPES()["required"]["file"][0] == ["none"]
    with pytest.raises(ValueError, match=r"Choose a file that ends in _input_params.json, or put"):
        node().load("none")


@pytest.mark.parametrize("text", ["[1]", "{", '{"prompt": 1}'])
def test_text_that_is_no_parameter_file(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Load Parameters \(ACE-Step\): text"):
        NODES["AceSuiteLoadParameters"]().load("none", text)
