"""What a song carries away from the machine it was made on, read as bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from tests.host.client import Client, Prompt
from tests.host.comfyui import PACK, Running
from tests.host.conftest import id_of, only
from tests.host.test_run import succeeded

KINDS = ("flac", "mp3", "opus", "wav")
JOBS = "acesuite_hashes.json"


def added(prompt: Prompt, kind: str, **inputs: Any) -> str:
    key = str(max(map(int, prompt)) + 1)
    prompt[key] = {"class_type": kind, "inputs": inputs}
    return key


def everything_saved(song: Prompt) -> Prompt:
    """A song with a LoRA, in every format, with its picture and its latent."""
    loaded, sampler = id_of(song, "AceSuiteLoad"), id_of(song, "AceSuiteSampler")
    lora = {"lora": "loras/tiny_lora.safetensors", "model": [loaded, 0]}
    only(song, "AceSuiteLoad").update(checkpoint="acestep/tiny")
    only(song, "AceSuiteSampler").update(model=[added(song, "AceSuiteLoRA", **lora), 0], steps=2)
    audio = [id_of(song, "AceSuiteDCAEDecode"), 0]
    told = {"audio": audio, "info": [sampler, 1], "model": [loaded, 0], "save_settings": True}
    for kind in KINDS:
        added(song, "AceSuiteSaveAudio", filename_prefix=f"told/{kind}", format=kind, **told)
    picture = added(song, "AceSuiteMelView", audio=audio)
    added(song, "SaveImage", images=[picture, 0], filename_prefix="told/mel")
    added(song, "SaveLatent", samples=[sampler, 0], filename_prefix="told/latent")
    return song


def test_no_saved_file_names_a_folder_of_the_machine(
    client: Client, server: Running, song: Prompt
) -> None:
    succeeded(client.run(everything_saved(song)))
    files = [path for path in (server.base / "output" / "told").iterdir() if path.is_file()]
    assert {path.suffix for path in files} == {*(f".{kind}" for kind in KINDS), ".json", ".png"} | {
        ".latent"
    }
    files += [server.base / "user" / JOBS]
    places = {str(place) for place in (server.base, PACK, Path.home(), tempfile.gettempdir())}
    for path in files:
        content = path.read_bytes()
        assert (b"is_changed" in content) == (path.suffix not in (".json", ".wav"))
        told = [place for place in places if f"{place}/".encode() in content]
        assert not told, f"{path.name} names {told}"
