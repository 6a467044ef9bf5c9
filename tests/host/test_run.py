"""The nodes at work, driven through /prompt as a page or a script does it."""

from __future__ import annotations

import copy
import json
import logging
import re
import time

import pytest

from acestep_core.config import FRAME, frames_of, seconds_of
from acestep_core.sound.files import read_audio
from scripts.host.comfyui import Running
from tests.host.client import Client, Outcome, Prompt, succeeded
from tests.host.conftest import id_of, only

log = logging.getLogger(__name__)


def with_preview(prompt: Prompt, kind: str, slot: int) -> str:
    """Show a text output; the id of the node that does."""
    key = str(max(map(int, prompt)) + 1)
    source = [id_of(prompt, kind), slot]
    prompt[key] = {"class_type": "PreviewAny", "inputs": {"source": source}}
    return key


def shown(client: Client, outcome: Outcome, node: str) -> str:
    return client.outputs(outcome)[node]["text"][0]


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
    (saved,) = client.outputs(outcome)[id_of(song, "AceSuiteSaveAudio")]["audio"]
    wave, rate = read_audio(server.base / "output" / saved["subfolder"] / saved["filename"])
    frames = frames_of(3.0)
    assert (rate, tuple(wave.shape)) == (44_100, (2, frames * FRAME))
    assert wave.isfinite().all()
    assert 1e-3 < float(wave.abs().max()) <= 1
    info = json.loads(said["info"])
    assert info["actual_seeds"] == [only(song, "AceSuiteSampler")["seed"]]
    assert info["infer_step"] == 8
    assert info["ace_core"]["seconds_made"] == round(seconds_of(frames), 3)
    assert "small demonstration model" in said["loaded"]
    assert said["lyrics"].startswith("[en] [verse]\n[en] morning comes in over the water\n")
    report = re.match(rf"{seconds_of(frames):.3f} s at 44100 Hz, peak (\d\.\d+)", said["report"])
    assert report
    # What is louder than a file can hold is cut when it is saved.
    assert min(float(report[1]), 1) == pytest.approx(float(wave.abs().max()), abs=0.01)


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


def test_16_bit_weights_and_offload(client: Client, song: Prompt) -> None:
    for choice in ({"dtype": "bfloat16"}, {"dtype": "bfloat16", "memory": "offload"}):
        only(song, "AceSuiteLoad").update(checkpoint="acestep/tiny", **choice)
        node = with_preview(song, "AceSuiteLoad", 1)
        outcome = succeeded(client.run(song))
        assert "computing in float32 on cpu" in shown(client, outcome, node)


def test_batch_and_other_rate(client: Client, song: Prompt) -> None:
    only(song, "AceSuiteSampler").update(seed=2**64 - 1, batch_size=2, guidance="cfg_star")
    only(song, "AceSuiteDCAEDecode").update(sample_rate=48_000)
    node = with_preview(song, "AceSuiteSampler", 1)
    outcome = succeeded(client.run(song))
    assert json.loads(shown(client, outcome, node))["actual_seeds"] == [2**64 - 1, 0]
    assert len(client.outputs(outcome)[id_of(song, "AceSuiteSaveAudio")]["audio"]) == 2


def test_native_latent_is_decoded(client: Client, song: Prompt) -> None:
    song["20"] = {
        "class_type": "EmptyAceStepLatentAudio",
        "inputs": {"seconds": 2.0, "batch_size": 1},
    }
    only(song, "AceSuiteDCAEDecode").update(latent=["20", 0])
    del song[id_of(song, "AceSuiteSampler")]
    del only(song, "AceSuiteSaveAudio")["info"]
    succeeded(client.run(song))


def test_lyric_preview_says_what_is_heard(client: Client) -> None:
    lyrics = {"lyrics": "[verse]\nHello my 2 friends\n[blah]", "seconds": 30.0}
    prompt: Prompt = {"1": {"class_type": "AceSuiteLyricPreview", "inputs": lyrics}}
    outcome = succeeded(client.run(prompt))
    assert "heard as: hello my two friends" in shown(client, outcome, "1")


def test_models_that_were_freed_are_used_again(client: Client, song: Prompt) -> None:
    only(song, "AceSuiteSampler").update(seed=15)
    succeeded(client.run(song))
    client.post("/free", {"unload_models": True})
    time.sleep(1.5)  # ComfyUI looks for the request about once a second
    only(song, "AceSuiteSampler").update(seed=16)
    assert succeeded(client.run(song)).cached


def test_only_the_page_that_asked_hears_what_nodes_show(client: Client, song: Prompt) -> None:
    only(song, "AceSuiteLoad").update(checkpoint="acestep/tiny", dtype="float32")
    other = Client(client.url)
    try:
        outcome = succeeded(client.run(song))
    finally:
        other.close()
    heard = {data["node"] for data in outcome.of("executed") if "acesuite" in data["output"]}
    assert {id_of(song, kind) for kind in ("AceSuiteLoad", "AceSuiteSampler")} <= heard
    assert not other.heard("executed")
