"""Every shipped workflow through /prompt, short: to sound, and cached when asked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from acestep_core.sound.files import read_audio
from scripts.host.comfyui import Running
from tests.host.client import Client, Outcome, Prompt, RefusedError
from tests.host.conftest import id_of, only

API = Path(__file__).resolve().parents[2] / "workflows" / "api"
NATIVE = "native_interop"  # needs ComfyUI's own model, which has no tiny form
OTHERS = (NATIVE, "hosted_")  # test_hosted.py runs the latter
NAMES = sorted(path.stem for path in API.glob("*.json") if not path.stem.startswith(OTHERS))
SHORT: dict[str, dict[str, Any]] = {
    "AceSuiteSampler": {"seconds": 2.0, "steps": 4},
    "AceSuiteExtend": {"after": 2.0},
    "AceSuiteInpaintMask": {"start": 1.0, "end": 2.0},
    "AceSuiteLoRA": {"lora": "loras/small_lora.safetensors"},
}


def shortened(name: str) -> Prompt:
    prompt: Prompt = json.loads((API / f"{name}.json").read_text(encoding="utf-8"))
    for node in prompt.values():
        node["inputs"].update(SHORT.get(node["class_type"], {}))
    return prompt


def songs(client: Client, outcome: Outcome, prompt: Prompt, server: Running) -> list[Path]:
    kinds = [node["class_type"] for node in prompt.values()]
    saver = "AceSuiteSaveAudio" if "AceSuiteSaveAudio" in kinds else "SaveAudio"
    shown = client.outputs(outcome)[id_of(prompt, saver)]["audio"]
    return [server.base / "output" / one["subfolder"] / one["filename"] for one in shown]


def succeeded(outcome: Outcome) -> Outcome:
    assert outcome.end
    assert outcome.end.kind == "execution_success", outcome.end.data.get("exception_message")
    return outcome


@pytest.mark.parametrize("name", NAMES)
def test_workflow_makes_sound_and_is_cached(client: Client, server: Running, name: str) -> None:
    prompt = shortened(name)
    outcome = succeeded(client.run(prompt))
    files = songs(client, outcome, prompt, server)
    assert len(files) == (3 if name == "takes" else 1)
    for path in files:
        wave, _ = read_audio(path)
        assert 1e-3 < float(wave.abs().max()) <= 1
    assert succeeded(client.run(prompt)).cached == set(prompt)


@pytest.mark.parametrize("name", ["inpaint", "extend"])
def test_what_is_kept_is_the_source_to_the_last_bit(
    client: Client, server: Running, name: str
) -> None:
    """Saved in 24 bits, so that nothing of 16-bit sources is lost."""
    prompt = shortened(name)
    only(prompt, "AceSuiteSaveAudio")["bits"] = "24"
    (path,) = songs(client, succeeded(client.run(prompt)), prompt, server)
    made, rate = read_audio(path)
    source, own_rate = read_audio(server.base / "input" / "song.flac")
    assert rate == own_rate
    kept = rate if name == "inpaint" else source.shape[-1]
    assert bool((made[:, :kept] == source[:, :kept]).all())


def test_source_is_not_encoded_again_when_settings_change(client: Client) -> None:
    prompt = shortened("inpaint")
    succeeded(client.run(prompt))
    only(prompt, "AceSuiteInpaintMask")["variance"] = 0.7
    outcome = succeeded(client.run(prompt))
    steps = {total for _, total in outcome.progress(id_of(prompt, "AceSuiteSampler"))}
    assert steps == {3}, "sampling alone moved the bar"


def test_native_workflow_lacks_nothing_but_the_model(client: Client) -> None:
    prompt = shortened(NATIVE)
    with pytest.raises(RefusedError) as refused:
        client.queue(prompt)
    ((node, found),) = refused.value.answer["node_errors"].items()
    assert node == id_of(prompt, "CheckpointLoaderSimple")
    assert [one["type"] for one in found["errors"]] == ["value_not_in_list"]
