"""Without what our script adds: everything that matters can be done with plain widgets.

0.3.64's newer renderer shows no panels at all. Held there and, so that nothing comes to depend
on them, in every other renderer: plain inputs work, words can be read and typed, files and
reports are made, and the page has nothing to complain of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from acestep_core.sound.files import read_audio
from scripts.host import page
from scripts.host.comfyui import NAME, Running
from tests.host import shipped
from tests.host.conftest import graph, id_of
from tests.host.source import SONG
from tests.host.test_actions import cached
from tests.host.test_shown import succeeded

pytestmark = pytest.mark.page

# Inputs of a node that can be seen, by what they hold; those of text come with their text.
SEEN = """async kind => {
    const node = testNode(kind);
    app.canvas.ds.scale = 1;
    app.canvas.centerOnNode(node);
    app.canvas.setDirty(true, true);
    await new Promise(done => setTimeout(done, 700));
    const box = document.querySelector(`[data-node-id="${node.id}"]`);
    return box ? box.innerText + [...box.querySelectorAll('input, textarea')]
        .map(one => one.value).join(' ') : null;
}"""


def test_takes_are_made_and_saved(opened: page.Opened, server: Running) -> None:
    """Each with its file, named in the history; its seed stands in the Sampler's info."""
    prompt = graph("takes", seed=77)
    opened.load(prompt)
    outputs = succeeded(opened.run())["outputs"]
    files = outputs[id_of(prompt, "AceSuiteSaveAudio")]["audio"]
    assert len(files) == 3
    for one in files:
        assert (server.base / "output" / one["subfolder"] / one["filename"]).is_file()
    assert outputs[id_of(prompt, "AceSuiteSampler")]["acesuite"][0]["seeds"] == ["77", "78", "79"]
    assert not opened.said()
    assert not opened.errors()


def test_plain_inputs_are_seen_and_work(opened: page.Opened, nodes2: bool) -> None:
    prompt = graph("text_to_music", seed=77)
    opened.load(prompt)
    opened.type_into("AceSuiteTagEncode", "tags", "jazz, piano")
    opened.choose("AceSuiteSampler", "seconds", 3.0)
    opened.choose("AceSuiteSaveAudio", "format", "mp3")
    sent: dict[str, Any] = opened.saved()[1]
    assert sent[id_of(prompt, "AceSuiteTagEncode")]["inputs"]["tags"] == "jazz, piano"
    if nodes2:
        assert "jazz, piano" in opened.page.evaluate(SEEN, "AceSuiteTagEncode")
        shown = opened.page.evaluate(SEEN, "AceSuiteSampler")
        for name in ("seed", "seconds", "steps", "guidance_scale"):
            assert name in shown, name
    outputs = succeeded(opened.run())["outputs"]
    song = outputs[id_of(prompt, "AceSuiteSaveAudio")]
    assert song["acesuite"][0]["tags"] == "jazz, piano"
    assert song["acesuite"][0]["asked_seconds"] == 3.0
    assert song["audio"][0]["filename"].endswith(".mp3")
    assert not opened.errors()


def test_songs_play_somewhere(opened: page.Opened, panels: bool) -> None:
    """Where no panel shows it, a song plays from where the page keeps its results: by its URL."""
    prompt = graph("text_to_music", seed=77)
    opened.load(prompt)
    (song,) = succeeded(opened.run())["outputs"][id_of(prompt, "AceSuiteSaveAudio")]["audio"]
    assert opened.page.evaluate(PLAYS, song) > 1
    if panels:
        assert opened.seen("AceSuiteSaveAudio")["players"][0]["seconds"] > 1


PLAYS = """async song => {
    const sound = new Audio(app.api.apiURL('/view?' + new URLSearchParams(song)));
    await new Promise((done, failed) => { sound.onloadedmetadata = done; sound.onerror = failed; });
    return sound.duration;
}"""


# What each workflow is asked with: regions in writing, where it takes them.
WRITTEN: dict[str, tuple[str, dict[str, Any]]] = {
    "inpaint": ("AceSuiteInpaintMask", {"regions": "0.5:1.5; -1.5:-0.5"}),
    "extend": ("AceSuiteExtend", {"before": 0.5, "after": 1.0}),
    "remix": ("AceSuiteRemixEdit", {"regions": "1:2.5"}),
}
FORGET = """async () => {
    await app.api.fetchApi('/free', {method: 'POST', headers: {'Content-Type': 'application/json'},
        body: JSON.stringify({unload_models: true, free_memory: true})});
}"""
TRIES = 10  # runs until ComfyUI has forgotten: it does so at its next turn


@pytest.mark.parametrize("name", WRITTEN)
def test_graphs_need_no_script(server: Running, nodes2: bool, name: str) -> None:
    """The page as it is without our script makes the same prompt, and that the same sound."""
    made = []
    for refused in (f"**/extensions/{NAME}/**", ""):
        with page.opened(server.url, nodes2, refused=refused) as opened:
            made.append(run_written(opened, server.base, name, has_script=not refused))
    (prompt, file, wave), (other_prompt, other_file, other_wave) = made
    assert own(prompt) == own(other_prompt)
    assert file != other_file, "the second was not made at all"
    assert torch.equal(wave, other_wave)
    source = read_audio(server.base / "input" / SONG)[0]
    assert not torch.equal(wave[:, : source.shape[1]], source)


def own(prompt: dict[str, Any]) -> dict[str, Any]:
    """Nodes of ours: in those of the page there are addresses with a number drawn at random."""
    return {key: node for key, node in prompt.items() if node["class_type"].startswith("AceSuite")}


def run_afresh(opened: page.Opened) -> dict[str, Any]:
    """A run in which every node ran."""
    for _ in range(TRIES):
        opened.page.evaluate(FORGET)
        entry = succeeded(opened.run())
        if not cached(entry):
            return entry
    raise AssertionError(f"something was still kept after {TRIES} runs")


def run_written(
    opened: page.Opened, base: Path, name: str, has_script: bool
) -> tuple[dict[str, Any], str, torch.Tensor]:
    """The prompt, the file it made and what is in that."""
    kind, values = WRITTEN[name]
    opened.load(shipped.on_song(name, SONG))
    opened.set("AceSuiteSampler", seed=7, steps=3)
    opened.set(kind, **values)
    names = opened.page.evaluate("kind => testNode(kind).widgets.map(one => one.name)", kind)
    assert ("acesuite_regions" in names) is has_script
    _, prompt = opened.saved()
    outputs = run_afresh(opened)["outputs"]
    (shown,) = outputs[id_of(prompt, "AceSuiteSaveAudio")]["audio"]
    wave, _ = read_audio(base / "output" / shown["subfolder"] / shown["filename"])
    return prompt, shown["filename"], wave
