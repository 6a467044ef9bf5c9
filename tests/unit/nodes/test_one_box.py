"""The one-box nodes: the hosted names, and exactly what the small nodes make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.nodes.pack import NODES, module
from tests.unit.sound_kit import OTHER_RATE as RATE
from tests.unit.sound_kit import clip

API = Path(__file__).resolve().parents[3] / "workflows" / "api"
SOUND = module("nodes.sound")
HOSTED = module("nodes.boxes")
INPAINT = "AceSuiteAudioInpaint"
FEW = {"number_of_steps": 3}

# As the services' documents print them: name -> default, least, most or options.
DURATION, SEED = (60, 5, 240), (0, 0, 2**31 - 1)
ENDS, TIME = ("start", ["start", "end"]), (0, 240)
SERVICES: dict[str, dict[str, tuple[Any, ...]]] = {
    "AceSuiteTextToAudio": {"tags": (), "lyrics": ("",), "duration": DURATION, "seed": SEED},
    "AceSuitePromptToAudio": {
        "prompt": (),
        "instrumental": (False,),
        "duration": DURATION,
        "seed": SEED,
    },
    "AceSuiteAudioToAudio": {
        "audio": (),
        "edit_mode": ("remix", ["remix", "lyrics"]),
        "original_tags": (),
        "tags": (),
        "original_lyrics": ("",),
        "lyrics": ("",),
        "number_of_steps": (27, 3, 60),
        "seed": SEED,
        "scheduler": ("euler", ["euler", "heun"]),
        "guidance_type": ("apg", ["apg", "cfg", "cfg_star"]),
        "granularity_scale": (10, -100, 100),
        "guidance_interval": (0.5, 0, 1),
        "guidance_interval_decay": (0, 0, 1),
        "guidance_scale": (15, 0, 200),
        "minimum_guidance_scale": (3, 0, 200),
        "tag_guidance_scale": (5, 0, 10),
        "lyric_guidance_scale": (1.5, 0, 10),
    },
    "AceSuiteAudioInpaint": {
        "audio": (),
        "tags": (),
        "start_time_relative_to": ENDS,
        "start_time": (0, *TIME),
        "end_time_relative_to": ENDS,
        "end_time": (30, *TIME),
        "lyrics": ("",),
        "variance": (0.5, 0, 1),
        "seed": SEED,
    },
    "AceSuiteAudioOutpaint": {
        "audio": (),
        "tags": (),
        "extend_before_duration": (0, *TIME),
        "extend_after_duration": (30, *TIME),
        "lyrics": ("",),
        "seed": SEED,
    },
}
GRAPHS = {
    "hosted_text_to_audio": "AceSuiteTextToAudio",
    "hosted_prompt_to_audio": "AceSuitePromptToAudio",
    "hosted_audio_to_audio": "AceSuiteAudioToAudio",
    "hosted_full_control": "AceSuiteAudioToAudio",
    "hosted_audio_inpaint": "AceSuiteAudioInpaint",
    "hosted_audio_outpaint": "AceSuiteAudioOutpaint",
}


def inputs_of(name: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    inputs = NODES[name].INPUT_TYPES()
    return {**inputs["required"], **inputs["optional"]}


def made(name: str, model: Any, **given: Any) -> dict[str, Any]:
    node = NODES[name]
    return dict(zip(node.RETURN_NAMES, node().make(model, **given), strict=True))


def by_small_nodes(
    model: Any, tags: str, lyrics: str, task: Any = None, **asked: Any
) -> tuple[Any, Any, str]:
    """(audio, latent, report) of the same graph, node by node."""
    (encoded,) = NODES["AceSuiteTagEncode"]().encode(model, tags)
    sung, _ = NODES["AceSuiteLyricEncode"]().encode(model, lyrics)
    preset = asked.pop("settings", None)
    (guidance,) = preset or NODES["AceSuiteGuidance"]().settings("fal")
    (schedule,) = asked.pop("schedule", None) or NODES["AceSuiteSchedule"]().settings("fal")
    settings = {"guidance_settings": guidance, "schedule": schedule, "batch_size": 1}
    asked = {"seconds": 60.0, **asked, **settings}
    latent, _ = NODES["AceSuiteSampler"]().sample(model, encoded, sung, task=task, **asked)
    audio, report = NODES["AceSuiteDCAEDecode"]().decode(model, latent)
    return audio, latent, report


def same(box: dict[str, Any], small: tuple[Any, Any, str]) -> None:
    audio, latent, report = small
    assert torch.equal(box["audio"]["waveform"], audio["waveform"])
    assert box["audio"]["sample_rate"] == audio["sample_rate"]
    assert torch.equal(box["latent"]["samples"], latent["samples"])
    assert box["report"].startswith(report)


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_names_ranges_and_defaults_are_the_services(name: str) -> None:
    inputs = inputs_of(name)
    for given, expected in SERVICES[name].items():
        kind, options = inputs[given]
        if not expected:
            assert given in NODES[name].INPUT_TYPES()["required"]
            continue
        assert options["default"] == expected[0], given
        if isinstance(kind, list):
            assert kind == expected[1]
        elif len(expected) == 3:
            assert (options["min"], options["max"]) == expected[1:], given
    added = set(inputs) - set(SERVICES[name])
    assert added <= {"model", "original_seed", "back_end", "extended"}


@pytest.mark.parametrize("name", sorted(GRAPHS))
def test_shipped_graph_asks_for_the_endpoints_defaults(name: str) -> None:
    graph = json.loads((API / f"{name}.json").read_text(encoding="utf-8"))
    ((key, box),) = ((k, n) for k, n in graph.items() if n["class_type"] == GRAPHS[name])
    inputs, written = inputs_of(GRAPHS[name]), {"model", "audio", "tags", "prompt", "original_tags"}
    given = box["inputs"]
    assert set(given) <= set(inputs)
    assert {name: given[name] for name in given if name not in written} == {
        name: inputs[name][1]["default"] for name in given if name not in written
    }
    if name != "hosted_audio_to_audio":
        assert set(SERVICES[GRAPHS[name]]) <= set(given)
    (save,) = (node for node in graph.values() if node["class_type"] == "AceSuiteSaveAudio")
    outputs = NODES[GRAPHS[name]].RETURN_NAMES
    wires = {"audio": [key, outputs.index("audio")], "info": [key, outputs.index("info")]}
    assert {name: save["inputs"][name] for name in wires} == wires


def test_text_is_the_small_nodes_to_the_last_bit(model: Any) -> None:
    box = made("AceSuiteTextToAudio", model, tags="pop", lyrics=" [INST] ", duration=5, seed=7)
    same(box, by_small_nodes(model, "pop", "[inst]", seconds=5.0, seed=7))
    assert (box["tags"], box["lyrics"]) == ("pop", "[inst]")
    info = json.loads(box["info"])
    assert (info["actual_seeds"], info["infer_step"]) == ([7], 27)
    assert (info["guidance_scale_text"], info["guidance_scale_lyric"]) == (5, 1.5)
    assert info["use_erg_lyric"] is False
    assert info["ace_core"]["notes"] == []


@pytest.mark.parametrize("lyrics", ["", "  ", "[Instrumental]", "[inst]"])
def test_nothing_to_sing_is_the_instrumental_mark(lyrics: str, model: Any) -> None:
    values = {"tags": "pop", "lyrics": lyrics, "duration": 5}
    assert HOSTED.TextToAudio().wanted(model, values).lyrics == "[inst]"


def test_prompt_is_written_and_made(model: Any) -> None:
    asked = {"prompt": "Calm piano inspired by sunrise.", "seed": 3}
    box = made("AceSuitePromptToAudio", model, **asked, duration=5, instrumental=True)
    song = NODES["AceSuiteSongWriter"]().write(**asked, seconds=5.0, instrumental=True)
    assert (box["tags"], box["lyrics"]) == song[:2]
    same(box, by_small_nodes(model, *song[:2], seconds=5.0, seed=3))
    assert box["lyrics"] == "[inst]"


def test_inpaint_is_the_small_nodes_to_the_last_bit(model: Any) -> None:
    source = clip(3.0)
    ends = {"start_time": 2.0, "start_time_relative_to": "end", "end_time": 2.0}
    box = made("AceSuiteAudioInpaint", model, audio=source, tags="rock", seed=5, **ends)
    inputs = {"start": 2.0, "end": 2.0, "start_from": "end", "source_audio": source}
    (task,) = NODES["AceSuiteInpaintMask"]().describe(**inputs)
    same(box, by_small_nodes(model, "rock", "[inst]", task, seed=5))
    assert torch.equal(box["audio"]["waveform"][..., :RATE], source["waveform"][..., :RATE])
    assert json.loads(box["info"])["retake_seeds"] == [5]


@pytest.mark.parametrize("name", [INPAINT, "AceSuiteAudioOutpaint"])
def test_a_page_is_told_the_file_of_the_source(
    name: str, model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module("nodes.host"), "is_watched", lambda: True)
    ends = {"start_time": 1.0, "end_time": 2.0} if name == INPAINT else {}
    loaded = {
        "3": {"class_type": "LoadAudio", "inputs": {"audio": "song.flac"}},
        "7": {"class_type": name, "inputs": {"audio": ["3", 0]}},
    }
    asked = {"audio": clip(2.0), "tags": "rock", "seed": 5, **ends}
    told = NODES[name]().make(model, **asked, prompt=loaded, unique_id="7")
    assert told["ui"] == {"acesuite": [{"source": "song.flac"}]}
    assert told["result"][0]["waveform"].shape[-1] >= 2 * RATE


def test_variance_and_the_sources_seed_count(model: Any) -> None:
    asked = {"audio": clip(2.0), "tags": "rock", "seed": 5, "start_time": 0.5, "end_time": 1.5}
    plain = made("AceSuiteAudioInpaint", model, **asked)
    for change in ({"variance": 0.9}, {"original_seed": 99}):
        other = made("AceSuiteAudioInpaint", model, **asked, **change)
        assert not torch.equal(other["latent"]["samples"], plain["latent"]["samples"])
    assert json.loads(other["info"])["actual_seeds"] == [99]


def test_outpaint_is_the_small_nodes_to_the_last_bit(model: Any) -> None:
    source = clip(2.0)
    added = {"extend_before_duration": 0.5, "extend_after_duration": 1.0}
    box = made("AceSuiteAudioOutpaint", model, audio=source, tags="rock", seed=5, **added)
    (task,) = NODES["AceSuiteExtend"]().describe(before=0.5, after=1.0, source_audio=source)
    same(box, by_small_nodes(model, "rock", "[inst]", task, seed=5))
    first = RATE // 2
    kept = box["audio"]["waveform"][..., first : first + 2 * RATE]
    assert torch.equal(kept, source["waveform"])


def edit_task(model: Any, source: Any, lyrics: str = "[inst]", **settings: Any) -> Any:
    (tags,) = NODES["AceSuiteTagEncode"]().encode(model, "pop")
    sung, _ = NODES["AceSuiteLyricEncode"]().encode(model, lyrics)
    inputs = {"source_tags": tags, "source_lyrics": sung, "source_audio": source, **settings}
    return NODES["AceSuiteRemixEdit"]().describe(**inputs)[0]


@pytest.mark.parametrize("mode", ["remix", "lyrics"])
def test_edit_is_the_small_nodes_to_the_last_bit(model: Any, mode: str) -> None:
    source = clip(2.0)
    words = {"original_tags": "pop", "tags": "rock", "original_lyrics": "[verse]"}
    asked = {**words, "lyrics": "[chorus]", "edit_mode": mode, "seed": 5}
    box = made("AceSuiteAudioToAudio", model, audio=source, **asked)
    task = edit_task(model, source, "[verse]", mode=mode)
    same(box, by_small_nodes(model, "rock", "[chorus]", task, seed=5))
    own = json.loads(box["info"])["ace_core"]
    assert (own["source_tags"], own["source_lyrics"]) == ("pop", "[verse]")
    assert "Without effect" not in box["report"]


CHANGED = {
    "scheduler": "heun",
    "guidance_type": "cfg",
    "granularity_scale": -50,
    "guidance_interval": 0.1,
    "guidance_interval_decay": 0.5,
    "minimum_guidance_scale": 1.0,
    "tag_guidance_scale": 0.0,
    "lyric_guidance_scale": 0.0,
}


def controlled(model: Any, **changes: Any) -> dict[str, Any]:
    asked = {"original_tags": "pop", "tags": "rock", "seed": 5, "number_of_steps": 6, **changes}
    return made("AceSuiteAudioToAudio", model, audio=clip(0.5), **asked)


def test_control_that_does_nothing_says_so(model: Any) -> None:
    """The original's edit reads steps and guidance scale."""
    plain, changed = controlled(model), controlled(model, **CHANGED)
    assert torch.equal(changed["latent"]["samples"], plain["latent"]["samples"])
    assert f"Without effect here: {', '.join(CHANGED)} (" in changed["report"]
    for name, value in {"guidance_scale": 3.0, "number_of_steps": 5}.items():
        other = controlled(model, **{name: value})
        assert not torch.equal(other["latent"]["samples"], plain["latent"]["samples"])
        assert "Without effect" not in other["report"]


@pytest.mark.parametrize("name", sorted(CHANGED))
def test_extended_edit_obeys_or_says_so(model: Any, name: str) -> None:
    """Tags and lyrics guided apart, as by default, leave some of it unread."""
    plain = controlled(model, extended=True)
    changed = controlled(model, extended=True, **{name: CHANGED[name]})
    is_unread = name in HOSTED.REPLACED
    assert torch.equal(changed["latent"]["samples"], plain["latent"]["samples"]) == is_unread
    assert (f"Without effect here: {name} (" in changed["report"]) == is_unread


def test_extended_edit_is_the_small_nodes_to_the_last_bit(model: Any) -> None:
    source = clip(2.0)
    asked = {"original_tags": "pop", "tags": "rock", "seed": 5, **FEW, **CHANGED}
    box = made("AceSuiteAudioToAudio", model, audio=source, **asked, extended=True)
    settings = NODES["AceSuiteGuidance"]().settings(
        "custom",
        kind="cfg",
        interval=0.1,
        decay=0.5,
        min_scale=1.0,
        erg_lyric=False,
    )
    named = {"steps": 3, "solver": "heun", "granularity": -50}
    schedule = NODES["AceSuiteSchedule"]().settings("custom", **named)
    task = edit_task(model, source, mode="remix", extended=True)
    small = {"settings": settings, "schedule": schedule, "seed": 5}
    same(box, by_small_nodes(model, "rock", "[inst]", task, **small))


def test_words_that_fall_away_are_said(model: Any) -> None:
    asked = {"audio": clip(2.0), "original_tags": "pop", "tags": "pop", "seed": 5, **FEW}
    box = made("AceSuiteAudioToAudio", model, **asked, original_lyrics="[verse]\n[chorus]")
    assert "nothing is sung any more. To keep the words, repeat original_lyrics" in box["report"]
    assert box["lyrics"] == "[inst]"
    assert "sung any more" not in made("AceSuiteAudioToAudio", model, **asked)["report"]


def test_long_source_goes_to_the_small_node_as_it_is(model: Any) -> None:
    source = clip(300.0, rate=8000)
    values = {name: options.get("default") for name, (_, options) in inputs_of(INPAINT).items()}
    values |= {"audio": source, "start_time": 5.0, "end_time": 3.0}
    values |= dict.fromkeys(("start_time_relative_to", "end_time_relative_to"), "end")
    task = HOSTED.AudioInpaint().wanted(model, values).task
    inputs = {"start_from": "end", "end_from": "end", "source_audio": source}
    (small,) = NODES["AceSuiteInpaintMask"]().describe(start=5.0, end=3.0, **inputs)
    assert task.task == small.task
    assert task.given.source_audio is source


TEXT = {"tags": "pop", "seed": 1, "duration": 5.0}
EDIT = {"original_tags": "pop", "tags": "pop", "seed": 1}


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("AceSuiteTextToAudio", {**TEXT, "tags": " "}, "tags is empty"),
        ("AceSuiteTextToAudio", {**TEXT, "duration": 4.9}, "duration is 4.9; it must be between 5"),
        ("AceSuiteTextToAudio", {**TEXT, "duration": float("nan")}, "duration is nan"),
        ("AceSuiteTextToAudio", {**TEXT, "seed": -1}, "seed is -1"),
        ("AceSuiteTextToAudio", {**TEXT, "seed": 2**31}, "seed is 2147483648"),
        ("AceSuiteTextToAudio", {**TEXT, "lyrics": "la " * 40_000}, "The lyrics have"),
        ("AceSuitePromptToAudio", {**TEXT, "prompt": ""}, "prompt is empty"),
        ("AceSuiteAudioToAudio", {**EDIT, "number_of_steps": 2}, "number_of_steps is 2"),
        ("AceSuiteAudioToAudio", {**EDIT, "scheduler": "pingpong"}, "scheduler is 'pingpong'"),
        ("AceSuiteAudioToAudio", {**EDIT, "original_tags": ""}, "original_tags is empty"),
        ("AceSuiteAudioInpaint", {**TEXT, "end_time": 241.0}, "end_time is 241.0"),
        ("AceSuiteAudioInpaint", {**TEXT, "start_time": 5.0}, "is not before the end of the clip"),
        ("AceSuiteAudioOutpaint", {**TEXT, "extend_after_duration": 0.0}, "Ask for some new music"),
    ],
)
def test_wrong_value_names_the_box_and_the_field(
    model: Any, name: str, values: dict[str, Any], message: str
) -> None:
    source = {} if "Text" in name or "Prompt" in name else {"audio": clip(3.0)}
    known = {key: value for key, value in values.items() if key in inputs_of(name)}
    with pytest.raises(ValueError, match=message) as raised:
        made(name, model, **source, **known)
    title = f"{NODES[name].TITLE}: "
    assert str(raised.value).startswith(title)
    assert "(ACE-Step)" not in str(raised.value).removeprefix(title), "one box, one name"


def test_source_that_cannot_be_used_is_refused_with_its_numbers(model: Any) -> None:
    with pytest.raises(ValueError, match=r"^Audio to Audio .*Length of audio .* is 250"):
        made("AceSuiteAudioToAudio", model, audio=clip(250, rate=8000), **EDIT)
    with pytest.raises(ValueError, match=r"^Audio Inpaint .*: audio holds 2 clips"):
        made("AceSuiteAudioInpaint", model, audio=clip(3.0, clips=2), tags="pop", seed=1)
