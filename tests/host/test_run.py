"""The nodes at work, driven through /prompt as a page or a script does it."""

from __future__ import annotations

import copy
import json
import logging
import time
from typing import Any

import pytest

from acestep_core.config import FRAME, frames_of, seconds_of
from acestep_core.files import read_audio
from tests.host.client import Client, Outcome, Prompt, RefusedError
from tests.host.comfyui import Running
from tests.host.conftest import id_of, only

log = logging.getLogger(__name__)

NAN = float("nan")


def with_preview(prompt: Prompt, kind: str, slot: int) -> str:
    """Show a text output; the id of the node that does."""
    key = str(max(map(int, prompt)) + 1)
    source = [id_of(prompt, kind), slot]
    prompt[key] = {"class_type": "PreviewAny", "inputs": {"source": source}}
    return key


def shown(client: Client, outcome: Outcome, node: str) -> str:
    return client.outputs(outcome)[node]["text"][0]


def succeeded(outcome: Outcome) -> Outcome:
    assert outcome.end
    assert outcome.end.kind == "execution_success", outcome.end.data.get("exception_message")
    return outcome


def test_song_is_made_reported_and_saved(client: Client, server: Running, song: Prompt) -> None:
    texts = {
        name: with_preview(song, *place)
        for name, place in {
            "loaded": ("AceSuiteLoad", 1),
            "lyrics": ("AceSuiteLyricEncode", 1),
            "info": ("AceSuiteSampler", 1),
            "report": ("AceSuiteDCAEDecode", 1),
        }.items()
    }
    outcome = succeeded(client.run(song))
    said = {name: shown(client, outcome, node) for name, node in texts.items()}
    (saved,) = client.outputs(outcome)[id_of(song, "SaveAudio")]["audio"]
    wave, rate = read_audio(server.base / "output" / saved["subfolder"] / saved["filename"])
    frames = frames_of(3.0)
    assert (rate, tuple(wave.shape)) == (44_100, (2, frames * FRAME))
    assert wave.isfinite().all()
    assert 1e-3 < float(wave.abs().max()) <= 1
    info = json.loads(said["info"])
    assert info["actual_seeds"] == [only(song, "AceSuiteSampler")["seed"]]
    assert info["infer_step"] == 8
    assert info["ace_core"]["seconds_made"] == round(seconds_of(frames), 3)
    assert "tiny" in said["loaded"]
    assert said["lyrics"].startswith("[en] [verse]\n[en] morning comes in over the water\n")
    assert said["report"].startswith(f"{seconds_of(frames):.3f} s at 44100 Hz, peak 0.")


def test_progress_counts_model_evaluations(client: Client, song: Prompt) -> None:
    only(song, "AceSuiteSampler").update(seed=11, solver="heun")
    outcome = succeeded(client.run(song))
    moves = outcome.progress(id_of(song, "AceSuiteSampler"))
    evaluations = 2 * 8 - 1
    assert moves[0] == (1, evaluations)
    assert moves[-1] == (evaluations, evaluations)
    assert [value for value, _ in moves] == sorted({value for value, _ in moves})
    decoding = outcome.progress(id_of(song, "AceSuiteDCAEDecode"))
    assert decoding[-1] == (2, 2)


def test_second_run_is_cached_whole(client: Client, song: Prompt) -> None:
    only(song, "AceSuiteSampler").update(seed=12)
    first = succeeded(client.run(song))
    assert first.cached < set(song)
    second = succeeded(client.run(song))
    assert second.cached == set(song)
    assert not second.of("progress")
    changed = copy.deepcopy(song)
    only(changed, "AceSuiteSampler").update(seed=13)
    third = succeeded(client.run(changed))
    assert third.cached == {
        id_of(song, kind) for kind in ("AceSuiteLoad", "AceSuiteTagEncode", "AceSuiteLyricEncode")
    }


def test_stop_ends_sampling_within_one_step(client: Client, server: Running, song: Prompt) -> None:
    only(song, "AceSuiteSampler").update(seed=14, seconds=240.0, steps=1000)
    node, asked = id_of(song, "AceSuiteSampler"), []

    def press_stop(outcome: Outcome) -> None:
        if not asked and len(outcome.progress(node)) >= 2 and outcome.progress(node)[-1][0] >= 3:
            client.post("/interrupt", {})
            asked.append((time.monotonic(), outcome))

    outcome = client.run(song, during=press_stop)
    assert outcome.end
    assert outcome.end.kind == "execution_interrupted"
    moves = [m for m in outcome.messages if m.kind == "progress" and m.data["node"] == node]
    first, last = moves[0], moves[-1]
    one = (last.at - first.at) / (last.data["value"] - first.data["value"])
    took = outcome.end.at - asked[0][0]
    after = [m for m in moves if m.at > asked[0][0]]
    log.info(
        "ComfyUI %s: stopped %.3f s after the request, evaluation %d of 1000, %.3f s each,"
        " %d more reported",
        server.version,
        took,
        last.data["value"],
        one,
        len(after),
    )
    assert len(after) <= 1
    assert took < 2 * one + 0.3


def test_both_checkpoint_layouts_and_16_bit_weights(client: Client, song: Prompt) -> None:
    for choice in (
        {"checkpoint": "checkpoints/tiny_single.safetensors"},
        {"checkpoint": "acestep/tiny", "dtype": "bfloat16", "memory": "offload"},
    ):
        only(song, "AceSuiteLoad").update(choice)
        node = with_preview(song, "AceSuiteLoad", 1)
        outcome = succeeded(client.run(song))
        assert "computing in float32 on cpu" in shown(client, outcome, node)


def test_batch_and_other_rate(client: Client, song: Prompt) -> None:
    only(song, "AceSuiteSampler").update(seed=2**64 - 1, batch_size=2, guidance="cfg_star")
    only(song, "AceSuiteDCAEDecode").update(rate=48_000)
    node = with_preview(song, "AceSuiteSampler", 1)
    outcome = succeeded(client.run(song))
    assert json.loads(shown(client, outcome, node))["actual_seeds"] == [2**64 - 1, 0]
    assert len(client.outputs(outcome)[id_of(song, "SaveAudio")]["audio"]) == 2


def test_native_latent_is_decoded(client: Client, song: Prompt) -> None:
    song["20"] = {
        "class_type": "EmptyAceStepLatentAudio",
        "inputs": {"seconds": 2.0, "batch_size": 1},
    }
    only(song, "AceSuiteDCAEDecode").update(latent=["20", 0])
    del song[id_of(song, "AceSuiteSampler")]
    succeeded(client.run(song))


def test_models_that_were_freed_are_used_again(client: Client, song: Prompt) -> None:
    only(song, "AceSuiteSampler").update(seed=15)
    succeeded(client.run(song))
    client.post("/free", {"unload_models": True})
    time.sleep(1.5)  # ComfyUI looks for the request about once a second
    only(song, "AceSuiteSampler").update(seed=16)
    assert succeeded(client.run(song)).cached


@pytest.mark.parametrize(
    ("kind", "values", "error"),
    [
        ("AceSuiteSampler", {"seconds": 10_000.0}, "value_bigger_than_max"),
        ("AceSuiteSampler", {"seconds": -1.0}, "value_smaller_than_min"),
        ("AceSuiteSampler", {"seed": -1}, "value_smaller_than_min"),
        ("AceSuiteSampler", {"steps": 0}, "value_smaller_than_min"),
        ("AceSuiteSampler", {"batch_size": 65}, "value_bigger_than_max"),
        ("AceSuiteSampler", {"guidance_scale": 201.0}, "value_bigger_than_max"),
        ("AceSuiteSampler", {"solver": "ddim"}, "value_not_in_list"),
        ("AceSuiteSampler", {"guidance": "none"}, "value_not_in_list"),
        ("AceSuiteSampler", {"steps": "many"}, "invalid_input_type"),
        ("AceSuiteSampler", {"tags": None}, "required_input_missing"),
        ("AceSuiteSampler", {"lyrics": "tags"}, "return_type_mismatch"),
        ("AceSuiteLoad", {"checkpoint": "checkpoints/other.safetensors"}, "value_not_in_list"),
        ("AceSuiteLyricEncode", {"language": "xx"}, "value_not_in_list"),
        ("AceSuiteDCAEDecode", {"rate": 7999}, "value_smaller_than_min"),
    ],
)
def test_bad_value_is_refused_by_name(
    client: Client, song: Prompt, kind: str, values: dict[str, Any], error: str
) -> None:
    ((name, value),) = values.items()
    inputs = only(song, kind)
    if value is None:
        del inputs[name]
    elif value == "tags":
        inputs[name] = [id_of(song, "AceSuiteTagEncode"), 0]
    else:
        inputs[name] = value
    with pytest.raises(RefusedError) as refused:
        client.queue(song)
    found = refused.value.answer["node_errors"][id_of(song, kind)]["errors"]
    assert [one["type"] for one in found] == [error]
    assert found[0]["extra_info"]["input_name"] == name


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("AceSuiteTagEncode", {"tags": "  "}, "Tag Encode (ACE-Step): Tags are empty."),
        (
            "AceSuiteLyricEncode",
            {"lyrics": "la " * 40_000},
            "Lyric Encode (ACE-Step): The lyrics have",
        ),
        (
            "AceSuiteSampler",
            {"seconds": NAN},
            "Sampler (ACE-Step): Duration (seconds) is nan; it must be between",
        ),
        (
            "AceSuiteSampler",
            {"guidance_scale": NAN},
            "Sampler (ACE-Step): Guidance scale is nan; it must be between 0 and 200.",
        ),
    ],
)
def test_bad_value_fails_with_the_nodes_name(
    client: Client, song: Prompt, kind: str, values: dict[str, Any], message: str
) -> None:
    only(song, kind).update(values)
    outcome = client.run(song)
    assert outcome.end
    assert outcome.end.kind == "execution_error"
    assert outcome.end.data["node_id"] == id_of(song, kind)
    assert outcome.error.startswith(message)
    assert outcome.error.count("\n") <= 1, "one or two lines are enough"


@pytest.mark.parametrize(
    ("latent", "message"),
    [
        ({"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 64}}, "(1, 4, 8, 8)"),
        ({"class_type": "EmptyAceStep1.5LatentAudio", "inputs": {"seconds": 5.0}}, "ACE-Step 1.5"),
    ],
)
def test_latent_of_another_model_is_refused(
    client: Client, server: Running, song: Prompt, latent: dict[str, Any], message: str
) -> None:
    if "1.5" in latent["class_type"] and server.version == "0.3.64":
        pytest.skip("this version has no ACE-Step 1.5")
    song["20"] = {**latent, "inputs": {**latent["inputs"], "batch_size": 1}}
    only(song, "AceSuiteDCAEDecode").update(latent=["20", 0])
    outcome = client.run(song)
    assert outcome.error.startswith("DCAE Decode (ACE-Step): The latent has the shape")
    assert message in outcome.error


def test_only_the_page_that_asked_sees_the_nodes_line(
    client: Client, server: Running, song: Prompt
) -> None:
    """What was loaded, on the loader; older pages would save it among the widgets."""
    only(song, "AceSuiteLoad").update(checkpoint="acestep/tiny", dtype="float32")
    other = Client(client.url)
    try:
        succeeded(client.run(song))
    finally:
        other.close()
    assert not other.texts()
    is_old = server.version == "0.3.64"
    assert {node for node, _ in client.texts()} == (
        set() if is_old else {id_of(song, "AceSuiteLoad")}
    )
