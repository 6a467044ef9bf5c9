"""The small checkpoint in each layout a user may have it in, run to sound."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor

from acestep_core.sound.files import read_audio
from scripts.host.comfyui import Running, get_json
from tests.host.client import Client, Prompt
from tests.host.conftest import id_of, only

SINGLE = "checkpoints/tiny_single.safetensors"
COPIES = ("diffusion_models", "acestep")  # the same file below another folder
LAYOUTS = {
    "folder of four": "acestep/tiny",
    "single file in checkpoints": SINGLE,
    **{
        f"single file in {folder}": f"{folder}/tiny_copy/tiny_copy.safetensors" for folder in COPIES
    },
    "whatever is found": "auto",
}


def sound(client: Client, server: Running, prompt: Prompt) -> Tensor:
    outcome = client.run(prompt)
    assert outcome.end
    assert outcome.end.kind == "execution_success", outcome.error
    (shown,) = client.outputs(outcome)[id_of(prompt, "AceSuiteSaveAudio")]["audio"]
    wave, _ = read_audio(Path(server.base) / "output" / shown["subfolder"] / shown["filename"])
    return wave


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layout_is_listed_and_makes_sound(
    client: Client, server: Running, song: Prompt, layout: str
) -> None:
    listed = get_json(server.url + "/object_info/AceSuiteLoad")["AceSuiteLoad"]["input"]
    assert LAYOUTS[layout] in listed["required"]["checkpoint"][0]
    only(song, "AceSuiteLoad")["checkpoint"] = LAYOUTS[layout]
    only(song, "AceSuiteSampler")["seconds"] = 2.0
    wave = sound(client, server, song)
    assert wave.isfinite().all()
    assert 1e-3 < float(wave.abs().max()) <= 1


def test_every_place_of_the_single_file_makes_the_same_song(
    client: Client, server: Running, song: Prompt
) -> None:
    only(song, "AceSuiteSampler").update(seconds=2.0, seed=21)
    made = []
    for entry in (SINGLE, *(LAYOUTS[f"single file in {folder}"] for folder in COPIES)):
        only(song, "AceSuiteLoad")["checkpoint"] = entry
        made.append(sound(client, server, song))
    assert all(bool((wave == made[0]).all()) for wave in made)
