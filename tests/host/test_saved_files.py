"""What a song carries away from the machine it was made on, read as bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest

from scripts.host import page
from scripts.host.comfyui import PACK, Running
from tests.host import shipped
from tests.host.client import Client, Prompt
from tests.host.conftest import id_of, only
from tests.host.test_run import succeeded

KINDS = ("flac", "mp3", "opus", "wav")
HASHES = "acesuite_hashes.json"


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
    files += [server.base / "user" / HASHES]
    places = {str(place) for place in (server.base, PACK, Path.home(), tempfile.gettempdir())}
    for path in files:
        content = path.read_bytes()
        assert (b"is_changed" in content) == (path.suffix not in (".json", ".wav"))
        told = [place for place in places if f"{place}/".encode() in content]
        assert not told, f"{path.name} names {told}"


# As Chromium calls what is dropped.
TYPES = {"flac": "audio/flac", "mp3": "audio/mpeg", "opus": "audio/ogg"}
OPEN = """async ([name, type]) => {
    const answer = await fetch('/view?type=output&subfolder=labelled&filename='
        + encodeURIComponent(name));
    await app.handleFile(new File([await answer.blob()], name, {type}));
}"""
KINDS_ARE = """kinds => JSON.stringify(app.graph._nodes.map(node => node.type).sort())
    === JSON.stringify(kinds)"""
EMPTY = {"nodes": [], "links": [], "last_node_id": 0, "last_link_id": 0, "version": 0.4}
LYRICS = "[verse]\nCaf\u00e9 {\u4f60\u597d} prompt={} // \u00ff\u00fb"


@pytest.mark.page
@pytest.mark.parametrize("kind", TYPES)
def test_song_with_title_and_words_opens_its_workflow(server: Running, kind: str) -> None:
    """What players read must not hide the workflow from the page, however strange the words."""
    workflow = shipped.page_form("inpaint")
    for node in workflow["nodes"]:
        if node["type"] == "AceSuiteSampler":
            node["widgets_values"][2:5] = [2.0, 1, 2]
        if node["type"] == "AceSuiteInpaintMask":
            node["widgets_values"][:2] = [1.0, 3.0]
        if node["type"] == "AceSuiteLyricEncode":
            node["widgets_values"][0] = LYRICS
        if node["type"] == "AceSuiteSaveAudio":
            node["widgets_values"][:2] = ["labelled/%title%", kind]
    with page.opened(server.url) as opened:
        opened.load(workflow)
        outputs = opened.run()["outputs"]
        (saved,) = outputs[str(id_in(workflow, "AceSuiteSaveAudio"))]["audio"]
        opened.load(EMPTY)
        opened.page.evaluate(OPEN, [saved["filename"], TYPES[kind]])
        kinds = sorted(node["type"] for node in workflow["nodes"])
        opened.page.wait_for_function(KINDS_ARE, arg=kinds, timeout=page.LATE)
        assert not opened.said()
    assert saved["filename"].startswith("Caf\u00e9 {\u4f60\u597d} prompt={}")


def id_in(workflow: dict[str, Any], kind: str) -> int:
    (found,) = (node["id"] for node in workflow["nodes"] if node["type"] == kind)
    return found
