"""The hosted endpoints as graphs, and parameter files as graphs, in real ComfyUIs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acestep_core.anonymous import named
from acestep_core.config import FRAME, frames_of
from acestep_core.records.graph import found_adapters, graph_of
from acestep_core.records.record import parsed_record, record_path
from acestep_core.records.replay import adapters_of
from acestep_core.sound.files import read_audio
from acestep_core.weights import small
from scripts.host.comfyui import Running, get_json
from tests.host import shipped
from tests.host.client import Client, Outcome, Prompt, RefusedError, succeeded
from tests.host.conftest import id_of, only
from tests.host.shipped import shortened
from tests.unit import record_kit as records

NAMES = sorted(path.stem for path in (shipped.PLACE / "api").glob("hosted_*.json"))
RECORDED: dict[str, dict[str, Any]] = {
    "AceSuiteSampler": {"seconds": 2.0},
    "AceSuiteSchedule": {"steps": 3, "chosen_steps": ""},
}
SOURCE_SECONDS, RATE = 5, 32_000


def graph(name: str) -> Prompt:
    return shortened(shipped.prompt(name))


def saved(client: Client, server: Running, outcome: Outcome, prompt: Prompt) -> Path:
    (shown,) = client.outputs(outcome)[id_of(prompt, "AceSuiteSaveAudio")]["audio"]
    return server.base / "output" / shown["subfolder"] / shown["filename"]


@pytest.mark.parametrize("name", NAMES)
def test_endpoint_makes_sound_and_is_cached(client: Client, server: Running, name: str) -> None:
    prompt = graph(name)
    only(prompt, "AceSuiteSaveAudio")["bits"] = "24"  # nothing of a 16-bit source is lost
    outcome = succeeded(client.run(prompt))
    wave, rate = read_audio(saved(client, server, outcome, prompt))
    assert 1e-3 < float(wave.abs().max()) <= 1
    if "text" in name or "prompt" in name:
        assert (rate, wave.shape[-1]) == (44_100, frames_of(5.0) * FRAME)
    else:
        source, _ = read_audio(server.base / "input" / "song.flac")
        longer = 2 * RATE if "outpaint" in name else 0
        assert (rate, wave.shape[-1]) == (RATE, SOURCE_SECONDS * RATE + longer)
        kept = {"hosted_audio_inpaint": RATE, "hosted_audio_outpaint": source.shape[-1]}
        end = kept.get(name, 0)
        assert bool((wave[:, :end] == source[:, :end]).all())
    assert succeeded(client.run(prompt)).cached == set(prompt)


def test_box_moves_the_bar_and_stops(client: Client) -> None:
    prompt = graph("hosted_text_to_audio")
    box = id_of(prompt, "AceSuiteTextToAudio")
    prompt[box]["inputs"].update(duration=240.0, seed=77)
    asked: list[float] = []

    def press_stop(outcome: Outcome) -> None:
        if not asked and len(outcome.progress(box)) >= 2:
            client.post("/interrupt", {})
            asked.append(time.monotonic())

    outcome = client.run(prompt, during=press_stop)
    assert outcome.end
    assert outcome.end.kind == "execution_interrupted"
    steps = small.SAMPLING.steps  # this endpoint asks for none: the model's own
    assert {total for _, total in outcome.progress(box)} == {steps}
    assert len(outcome.progress(box)) < steps


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"seed": 2**31}, "value_bigger_than_max"),
        ({"seed": -1}, "value_smaller_than_min"),
        ({"end_time": 240.5}, "value_bigger_than_max"),
        ({"start_time_relative_to": "middle"}, "value_not_in_list"),
    ],
)
def test_value_out_of_range_is_refused_by_name(
    client: Client, values: dict[str, Any], error: str
) -> None:
    prompt = graph("hosted_audio_inpaint")
    only(prompt, "AceSuiteAudioInpaint").update(values)
    with pytest.raises(RefusedError) as refused:
        client.queue(prompt)
    node = id_of(prompt, "AceSuiteAudioInpaint")
    (found,) = refused.value.answer["node_errors"][node]["errors"]
    assert (found["type"], found["extra_info"]["input_name"]) == (error, *values)


def graph_for(values: dict[str, Any]) -> Prompt:
    path = Path("theirs_input_params.json")
    record = parsed_record(json.dumps(values), path)
    entries = found_adapters(adapters_of(record), [], "skip", path)
    return shortened(json.loads(json.dumps(graph_of(record, entries, "skip").prompt)), RECORDED)


@pytest.mark.parametrize("name", sorted(records.EVERY))
def test_parameter_file_runs_as_a_graph_and_loses_nothing(
    client: Client, server: Running, name: str
) -> None:
    values = records.EVERY[name]
    prompt = graph_for(values)
    outcome = succeeded(client.run(prompt))
    path = saved(client, server, outcome, prompt)
    again = json.loads(record_path(path).read_text(encoding="utf-8"))
    own = again.pop("ace_core")
    (first,) = own["replayed"]
    for key, value in values.items():
        kept = first.get(key, again.get(key))
        if key == "ace_core":
            kept = {**own, **first.get(key, {})}
            assert {inner: kept[inner] for inner in value} == named(value)
        else:  # without the folders of the machine it was made on
            assert kept == named(value, key), key
    assert own["adapters"] == []


def test_outputs_of_load_parameters_fit_the_nodes(client: Client, server: Running) -> None:
    """Every one of them connected, also those that are choices."""
    prompt = graph_for(records.RETAKE)
    loader = id_of(prompt, "AceSuiteLoadParameters")
    prompt[loader]["inputs"]["model"] = [id_of(prompt, "AceSuiteLoad"), 0]
    outputs = get_json(f"{server.url}/object_info/AceSuiteLoadParameters")
    named = outputs["AceSuiteLoadParameters"]["output_name"]
    wires = {
        "AceSuiteTagEncode": ["model", "tags"],
        "AceSuiteLyricEncode": ["model", "lyrics", "language", "compat"],
        "AceSuiteSampler": ["model", "guidance_settings", "seed", "task"],
        "AceSuiteDCAEDecode": ["model"],
    }
    for kind, names in wires.items():
        only(prompt, kind).update({name: [loader, named.index(name)] for name in names})
    short = only(prompt, "AceSuiteSampler")
    assert set(short) >= {"seconds", "schedule"}
    succeeded(client.run(prompt))
    short.update({name: [loader, named.index(name)] for name in ("seconds", "schedule")})
    client.queue(prompt)
    client.post("/interrupt", {})


def test_missing_lora_is_an_error_with_its_name(client: Client) -> None:
    prompt = graph_for(records.NEW)
    only(prompt, "AceSuiteLoadParameters")["lora"] = "error"
    outcome = client.run(prompt)
    assert outcome.error.startswith("Load Parameters (ACE-Step): text was made with the LoRA")
    assert records.LORA in outcome.error


def test_lora_that_is_there_is_found_by_its_name(client: Client) -> None:
    values = {**records.NEW, "lora_name_or_path": "/elsewhere/small_lora.safetensors"}
    path = Path("a_input_params.json")
    record = parsed_record(json.dumps(values), path)
    entries = found_adapters(adapters_of(record), ["loras/small_lora.safetensors"], "error", path)
    prompt = shortened(json.loads(json.dumps(graph_of(record, entries).prompt)), RECORDED)
    assert only(prompt, "AceSuiteLoRA")["lora"] == "loras/small_lora.safetensors"
    loader = id_of(prompt, "AceSuiteLoadParameters")
    only(prompt, "AceSuiteSampler")["model"] = [loader, 0]
    prompt[loader]["inputs"]["model"] = [id_of(prompt, "AceSuiteLoad"), 0]
    succeeded(client.run(prompt))


@pytest.fixture
def file_in_input(server: Running) -> Iterator[str]:
    """Taken away again: other tests compare the list of files."""
    path = server.base / "input" / "theirs_input_params.json"
    path.write_text(json.dumps(records.OLD), encoding="utf-8")
    yield path.name
    path.unlink()


def test_file_of_the_input_folder_is_listed_and_read(
    client: Client, server: Running, file_in_input: str
) -> None:
    info = get_json(f"{server.url}/object_info/AceSuiteLoadParameters")
    options = info["AceSuiteLoadParameters"]["input"]["required"]["file"][0]
    assert options == ["none", file_in_input]
    prompt: Prompt = {
        "1": {"class_type": "AceSuiteLoadParameters", "inputs": {"file": file_in_input}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 1]}},
    }
    outcome = succeeded(client.run(prompt))
    assert client.outputs(outcome)["2"]["text"] == [records.OLD["prompt"]]


@pytest.mark.parametrize("name", ["../../server.log", "/etc/passwd", "song.flac", "a\0b"])
def test_no_other_file_is_read(client: Client, name: str) -> None:
    prompt: Prompt = {
        "1": {"class_type": "AceSuiteLoadParameters", "inputs": {"file": name}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 1]}},
    }
    with pytest.raises(RefusedError) as refused:
        client.queue(prompt)
    assert refused.value.answer["node_errors"]["1"]["errors"][0]["type"] == "value_not_in_list"
