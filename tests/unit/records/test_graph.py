"""A parameter file as a graph: every node, its values and its links."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from acestep_core.atomic import FileError
from acestep_core.records.graph import (
    SLOTS,
    Graph,
    entry_of,
    found_adapters,
    graph_of,
    placed_adapters,
)
from acestep_core.records.record import OWN_KEY, Record, parsed_record
from acestep_core.records.replay import adapters_of
from acestep_core.settings import SettingError
from acestep_core.tasks.region import read_regions
from acestep_core.types import Region
from acestep_core.weights.model import Added
from tests.unit import record_kit as records

SOURCE = Path("theirs_input_params.json")
TWO = [{"start": 1.0, "end": 2.0, "feather": 0.2}, {"start": 5.0, "end": 0.5, "end_from": "end"}]


def record_of(values: dict[str, Any]) -> Record:
    return parsed_record(json.dumps(values), SOURCE)


def graph(values: dict[str, Any]) -> Graph:
    return graph_of(record_of(values), lora="skip")


def of_kind(made: Graph, kind: str) -> list[dict[str, Any]]:
    return [
        dict(node["inputs"])  # type: ignore[arg-type]
        for node in made.prompt.values()
        if node["class_type"] == kind
    ]


def link_to(made: Graph, kind: str, slot: int = 0, index: int = 0) -> list[Any]:
    keys = [key for key, node in made.prompt.items() if node["class_type"] == kind]
    return [keys[index], slot]


@pytest.mark.parametrize("name", sorted(records.EVERY))
def test_graph_says_what_the_record_says(name: str) -> None:
    values = records.EVERY[name]
    made = graph(values)
    json.dumps(made.prompt)
    (sampler,), (schedule,) = of_kind(made, "AceSuiteSampler"), of_kind(made, "AceSuiteSchedule")
    (guidance,) = of_kind(made, "AceSuiteGuidance")
    assert of_kind(made, "AceSuiteTagEncode")[0]["tags"] == values["prompt"]
    assert of_kind(made, "AceSuiteLyricEncode")[0]["lyrics"] == values["lyrics"]
    assert (schedule["steps"], schedule["solver"]) == (values["infer_step"], "euler")
    assert schedule["chosen_steps"] == ", ".join(map(str, values["oss_steps"]))
    named = {
        "kind": "cfg_type",
        "scale": "guidance_scale",
        "interval": "guidance_interval",
        "decay": "guidance_interval_decay",
        "min_scale": "min_guidance_scale",
        "erg_tag": "use_erg_tag",
        "erg_lyric": "use_erg_lyric",
        "erg_diffusion": "use_erg_diffusion",
    }
    assert {ours: guidance[ours] for ours in named} == {o: values[t] for o, t in named.items()}
    compat = "corrected" if name == "ours" else "original"
    assert guidance["compat"] == of_kind(made, "AceSuiteLyricEncode")[0]["compat"] == compat
    new = values["actual_seeds"] if name in ("old", "new", "follow") else values["retake_seeds"]
    assert (sampler["seed"], sampler["batch_size"]) == (new[0], 1)
    (loader,) = of_kind(made, "AceSuiteLoadParameters")
    kept = json.loads(loader["text"])
    assert {key: kept[key] for key in values} == values


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("retake", "AceSuiteRetake", {"source_seed": 3299954530, "variance": 0.2}),
        ("follow", "AceSuiteAudioReference", {"strength": 0.4}),
        (
            "repaint",
            "AceSuiteInpaintMask",
            {"start": 1.0, "end": 2.0, "variance": 0.5, "feather": 0.0},
        ),
        (
            "extend",
            "AceSuiteExtend",
            {"before": 1.0, "after": 1.5, "context": 240.0},
        ),
        (
            "edit",
            "AceSuiteRemixEdit",
            {"mode": "lyrics", "edit_start": 0.6, "edit_stop": 1.0, "extended": False},
        ),
        ("ours", "AceSuiteRemixEdit", {"mode": "lyrics", "average": 1, "extended": True}),
    ],
)
def test_task_and_its_links(name: str, kind: str, expected: dict[str, Any]) -> None:
    made = graph(records.EVERY[name])
    (task,) = of_kind(made, kind)
    assert {key: task[key] for key in expected} == expected
    assert of_kind(made, "AceSuiteSampler")[0]["task"] == link_to(made, kind)
    if name != "retake":
        assert of_kind(made, "LoadAudio") == [{"audio": "song.flac"}]
        assert task["source_audio"] == link_to(made, "LoadAudio")
        assert "input folder as song.flac" in " ".join(made.notes)
    if kind in ("AceSuiteInpaintMask", "AceSuiteExtend", "AceSuiteRemixEdit"):
        assert of_kind(made, "PrimitiveInt") == [{"value": 3299954530}]
        assert task["source_seed"] == link_to(made, "PrimitiveInt")


def test_edit_has_its_sources_words() -> None:
    ours, theirs = graph(records.OURS), graph(records.EDIT)
    assert [one["tags"] for one in of_kind(ours, "AceSuiteTagEncode")] == [
        records.OURS["prompt"],
        "jazz",
    ]
    (task,) = of_kind(ours, "AceSuiteRemixEdit")
    assert task["source_tags"] == link_to(ours, "AceSuiteTagEncode", index=1)
    assert task["source_lyrics"] == link_to(ours, "AceSuiteLyricEncode", index=1)
    assert of_kind(theirs, "AceSuiteTagEncode")[1]["tags"] == records.EDIT["prompt"]
    assert any("does not say what the source was" in note for note in theirs.notes)
    assert not any("does not say" in note for note in ours.notes)


def test_regions_and_growth_of_our_own_records() -> None:
    own = {"regions": [{"start": 1.5, "end": 2.5, "feather": 0.3}]}
    (task,) = of_kind(graph({**records.REPAINT, "ace_core": own}), "AceSuiteInpaintMask")
    assert (task["start"], task["end"], task["feather"]) == (1.5, 2.5, 0.3)
    grown = {"before": 0.0, "after": 30.0, "context": 60.0}
    (task,) = of_kind(graph({**records.EXTEND, "ace_core": grown}), "AceSuiteExtend")
    assert {key: task[key] for key in grown} == grown


@pytest.mark.parametrize("name", ["repaint", "edit"])
def test_regions_of_one_feather_stand_in_the_node(name: str) -> None:
    own = {"regions": [{**one, "feather": 0.3} for one in TWO], "source_tags": "jazz"}
    made = graph({**records.EVERY[name], "ace_core": own})
    kind = {"repaint": "AceSuiteInpaintMask", "edit": "AceSuiteRemixEdit"}[name]
    (task,) = of_kind(made, kind)
    assert task["feather"] == 0.3
    assert read_regions(task["regions"], 0.3) == tuple(Region(**one) for one in own["regions"])


@pytest.mark.parametrize(
    ("name", "own"),
    [("repaint", {"regions": TWO}), ("edit", {"regions": TWO, "source_tags": "jazz"})],
)
def test_regions_that_no_node_names_come_from_the_file(name: str, own: dict[str, Any]) -> None:
    made = graph({**records.EVERY[name], "ace_core": own})
    (loader,) = of_kind(made, "AceSuiteLoadParameters")
    task = of_kind(made, "AceSuiteSampler")[0]["task"]
    assert task == link_to(made, "AceSuiteLoadParameters", SLOTS["AceSuiteLoadParameters"]["task"])
    assert loader["source_audio"] == link_to(made, "LoadAudio")
    assert ("model" in loader) == (name == "edit")
    kinds = [node["class_type"] for node in made.prompt.values()]
    assert not {"AceSuiteInpaintMask", "AceSuiteRemixEdit", "PrimitiveInt"} & {*kinds}
    assert json.loads(loader["text"])["ace_core"]["regions"] == own["regions"]


def test_precision_is_the_recorded_one_where_the_node_offers_it() -> None:
    def loaded(**own: Any) -> dict[str, Any]:
        return of_kind(
            graph({**records.OURS, OWN_KEY: {**records.OURS[OWN_KEY], **own}}), "AceSuiteLoad"
        )[0]

    made = loaded(dtype="bfloat16", codec_dtype="float32")
    assert (made["dtype"], made["codec_dtype"]) == ("bfloat16", "float32")
    assert loaded(dtype="float64", codec_dtype=3) == {"checkpoint": "auto"}


def test_options_of_our_own_records() -> None:
    own = {"options": {"splice": False, "crossfade": 0.25, "match_level": False}}
    for name in ("extend", "follow"):
        (decode,) = of_kind(graph({**records.EVERY[name], "ace_core": own}), "AceSuiteDCAEDecode")
        assert {key: decode.get(key) for key in own["options"]} == own["options"]


def test_extension_that_was_recorded_is_asked_for_again() -> None:
    own = {"before": 0.5, "after": 2.0, "context": 60.0}
    (task,) = of_kind(graph({**records.EXTEND, "ace_core": own}), "AceSuiteExtend")
    assert (task["before"], task["after"], task["context"]) == (0.5, 2.0, 60.0)


def test_clip_of_a_batch_is_made_with_the_others() -> None:
    batch = {"seeds": [7, 8, 9], "retake_seeds": [], "item": 1}
    own = {"compat": "corrected", "batch": batch, "in_turn": True}
    made = graph({**records.OLD, "actual_seeds": [8], "ace_core": own})
    (sampler,) = of_kind(made, "AceSuiteSampler")
    assert (sampler["seed"], sampler["batch_size"], sampler["one_by_one"]) == (7, 3, True)
    assert any("clip 2 of 3" in note for note in made.notes)


def test_batch_counts_up_or_is_taken_apart() -> None:
    own = {"compat": "corrected"}
    counted = {**records.OLD, "actual_seeds": [7, 8, 9], "ace_core": own}
    assert of_kind(graph(counted), "AceSuiteSampler")[0]["batch_size"] == 3
    apart = graph({**records.OLD, "actual_seeds": [7, 1, 9]})
    (sampler,) = of_kind(apart, "AceSuiteSampler")
    assert (sampler["seed"], sampler["batch_size"]) == (7, 1)
    assert any("further seeds: 1, 9" in note for note in apart.notes)


def test_adapters_are_chained() -> None:
    added = [Added("loras/a.safetensors", 0.5), Added("loras/b.safetensors", -1, True)]
    made = graph_of(record_of(records.OLD), added)
    first, second = of_kind(made, "AceSuiteLoRA")
    assert first == {
        "model": link_to(made, "AceSuiteLoad"),
        "lora": "loras/a.safetensors",
        "strength_model": 0.5,
        "training_scale": False,
    }
    assert second["model"] == link_to(made, "AceSuiteLoRA")
    for user in ("AceSuiteTagEncode", "AceSuiteSampler", "AceSuiteSaveAudio"):
        assert of_kind(made, user)[0]["model"] == link_to(made, "AceSuiteLoRA", index=1)


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("rap", "loras/rap.safetensors"),
        ("/root/x/rap", "loras/rap.safetensors"),
        ("C:\\x\\rap.safetensors", "loras/rap.safetensors"),
        ("ACE-Step/choir/", "acestep/lora/choir/pytorch_lora_weights.safetensors"),
        ("loras/rap.safetensors", "loras/rap.safetensors"),
        ("pytorch_lora_weights", None),
        ("rapper", None),
        ("", None),
    ],
)
def test_adapter_is_found_by_its_name_or_folder(name: str, entry: str | None) -> None:
    listed = [
        "loras/other.safetensors",
        "acestep/lora/choir/pytorch_lora_weights.safetensors",
        "loras/rap.safetensors",
    ]
    assert entry_of(name, listed) == entry


def test_adapter_that_is_not_there() -> None:
    recorded = adapters_of(record_of(records.NEW))
    message = rf"theirs_input_params.json was made with the LoRA '{records.LORA}'"
    with pytest.raises(FileError, match=message):
        found_adapters(recorded, ["loras/rap.safetensors"], "error", SOURCE)
    assert found_adapters(recorded, [], "skip", SOURCE) == []
    (found,) = found_adapters(recorded, ["loras/folk_lora.safetensors"], "error", SOURCE)
    assert found == Added("loras/folk_lora.safetensors", 0.8)
    with pytest.raises(SettingError, match="lora is 'ignore'"):
        found_adapters(recorded, [], "ignore", SOURCE)


def test_adapters_on_the_command_line(tmp_path: Path) -> None:
    recorded = [Added(str(tmp_path / "rap.safetensors"), 0.5), Added(str(tmp_path / "choir"), 2)]
    with pytest.raises(FileError, match=r"rap.safetensors', '.*choir', which is not there"):
        placed_adapters(recorded, [], SOURCE)
    assert placed_adapters(recorded, ["skip"], SOURCE) == []
    (tmp_path / "rap.safetensors").touch()
    (tmp_path / "choir").mkdir()
    expected = ["loras/rap.safetensors", "loras/choir/pytorch_lora_weights.safetensors"]
    assert [one.name for one in placed_adapters(recorded, [], SOURCE)] == expected
    given = placed_adapters(recorded, ["loras/a.safetensors", "loras/b.safetensors"], SOURCE)
    assert given == [Added("loras/a.safetensors", 0.5), Added("loras/b.safetensors", 2)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "stems"}, "the task 'stems'; known are"),
        ({"actual_seeds": []}, "names no seed"),
        ({"infer_step": 0}, "Steps is 0"),
        ({"cfg_type": "none"}, "Guidance type is 'none'"),
        ({"audio_duration": 300}, "Duration"),
        ({"audio_duration": -1}, "Duration"),
        ({"task": "repaint", "repaint_start": -1}, "Region start is -1"),
        ({"task": "repaint", "ace_core": {"regions": 3}}, "regions are 3; they must be a list"),
        (
            {"task": "repaint", "ace_core": {"regions": [{"stop": 3}]}},
            "region of the file has stop",
        ),
        (
            {"task": "repaint", "ace_core": {"regions": [{"start_from": "left"}]}},
            "counts from is 'left'",
        ),
        (
            {"task": "repaint", "ace_core": {"regions": [{"start": 2}]}},
            "must have a start and an end",
        ),
        (
            {"task": "repaint", "repaint_end": 2, "ace_core": {"options": [1]}},
            r"options are \[1\]; known are splice",
        ),
        (
            {"task": "repaint", "repaint_end": 2, "ace_core": {"options": {"splice": 1}}},
            "splice is 1; it must be true or false",
        ),
        (
            {"task": "repaint", "repaint_end": 2, "ace_core": {"options": {"crossfade": True}}},
            "crossfade is True; it must be a number",
        ),
        (
            {"task": "repaint", "ace_core": {"regions": [{"start": "soon"}]}},
            "The file's start is 'soon'; it must be a number",
        ),
        ({"task": "extend", "ace_core": {"after": None}}, "The file's after is None"),
        ({"ace_core": {"compat": "exact"}}, "Compatibility is 'exact'"),
        ({"ace_core": {"language": "xx"}}, "language is 'xx'"),
    ],
)
def test_what_cannot_be_a_graph_says_why(changes: dict[str, Any], message: str) -> None:
    with pytest.raises((FileError, SettingError), match=message):
        graph({**records.OLD, **changes})
