"""Every shipped workflow through /prompt, short: to sound, and cached when asked again."""

from __future__ import annotations

from pathlib import Path

import pytest

from acestep_core.sound.files import read_audio
from scripts.host.comfyui import Running, get_json
from scripts.workflows.kinds import COMFY
from tests.host import shipped
from tests.host.client import Client, Outcome, Prompt, RefusedError, succeeded
from tests.host.conftest import id_of, only
from tests.host.shipped import NATIVE, SHIPPED, shortened

NAMES = sorted(set(SHIPPED) - {NATIVE})


def songs(client: Client, outcome: Outcome, prompt: Prompt, server: Running) -> list[Path]:
    shown = client.outputs(outcome)[id_of(prompt, "AceSuiteSaveAudio")]["audio"]
    return [server.base / "output" / one["subfolder"] / one["filename"] for one in shown]


@pytest.mark.parametrize("name", NAMES)
def test_workflow_makes_sound_and_is_cached(client: Client, server: Running, name: str) -> None:
    prompt = shortened(shipped.prompt(name))
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
    prompt = shortened(shipped.prompt(name))
    only(prompt, "AceSuiteSaveAudio")["bits"] = "24"
    (path,) = songs(client, succeeded(client.run(prompt)), prompt, server)
    made, rate = read_audio(path)
    source, own_rate = read_audio(server.base / "input" / "song.flac")
    assert rate == own_rate
    kept = rate if name == "inpaint" else source.shape[-1]
    assert bool((made[:, :kept] == source[:, :kept]).all())


def test_source_is_not_encoded_again_when_settings_change(client: Client) -> None:
    prompt = shortened(shipped.prompt("inpaint"))
    succeeded(client.run(prompt))
    only(prompt, "AceSuiteInpaintMask")["variance"] = 0.7
    outcome = succeeded(client.run(prompt))
    steps = {total for _, total in outcome.progress(id_of(prompt, "AceSuiteSampler"))}
    assert steps == {3}, "sampling alone moved the bar"


def test_native_workflow_lacks_nothing_but_the_model(client: Client) -> None:
    prompt = shortened(shipped.prompt(NATIVE))
    with pytest.raises(RefusedError) as refused:
        client.queue(prompt)
    ((node, found),) = refused.value.answer["node_errors"].items()
    assert node == id_of(prompt, "CheckpointLoaderSimple")
    assert [one["type"] for one in found["errors"]] == ["value_not_in_list"]


def test_tables_of_comfyuis_own_nodes_are_true(server: Running) -> None:
    """Names and order of inputs and outputs, which the written workflows rest on."""
    for name, kind in COMFY.items():
        told = get_json(f"{server.url}/object_info/{name}")[name]
        given = [one for group in ("required", "optional") for one in told["input"].get(group, {})]
        assert [one.name for one in kind.inputs] == given, name
        outputs = [type_ for _, type_ in kind.outputs]
        assert outputs == told["output"][: len(outputs)], name  # newer versions add some
