"""What nodes show on themselves: texts, players, errors; in both renderers, after a reload too.

Run in the page, read from the nodes' panels. 0.3.64's newer renderer shows no such thing: there
errors stand in a toast, and nothing else may break.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.host import page
from tests.host.client import Prompt
from tests.host.comfyui import Running
from tests.host.conftest import API, only

RENDERERS = pytest.mark.parametrize("nodes2", [False, True], ids=["canvas", "Nodes 2.0"])


@pytest.fixture(autouse=True)
def _browser() -> None:
    pytest.importorskip("playwright", reason="playwright is missing: NO page was opened")
    if page.chromium() is None:
        pytest.skip("no Chromium was found (CHROMIUM): NO page was opened")


@pytest.fixture
def opened(server: Running, nodes2: bool) -> Iterator[page.Opened]:
    with page.opened(server.url, nodes2) as one:
        yield one


def has_panels(server: Running, nodes2: bool) -> bool:
    return not (nodes2 and server.version == "0.3.64")


def graph(name: str, **sampler: Any) -> Prompt:
    """A shipped graph, short enough for a test; its seed stays."""
    prompt: Prompt = json.loads((API / f"{name}.json").read_text(encoding="utf-8"))
    only(prompt, "AceSuiteSampler").update({"seconds": 2.0, "steps": 3, **sampler})
    for node in prompt.values():
        if node["class_type"] == "AceSuiteInpaintMask":
            node["inputs"].update(start=1.0, end=3.0)
    return prompt


def seen(opened: page.Opened, kind: str) -> dict[str, Any]:
    panel = opened.panel(kind)
    assert panel["is_seen"], f"{kind}: nothing is seen of {panel}"
    assert panel["is_whole"], f"{kind}: cut off: {panel}"
    return panel


@RENDERERS
def test_takes_have_a_player_each(opened: page.Opened, server: Running, nodes2: bool) -> None:
    if not has_panels(server, nodes2):
        pytest.skip("this renderer shows no such widget")
    opened.load(graph("takes", seed=77))
    assert opened.run()["status"]["status_str"] == "success"
    for kind in ("AceSuiteSaveAudio", "AceSuiteCompareTakes"):
        players = seen(opened, kind)["players"]
        assert [one["label"] for one in players] == [f"Take {n}, seed {76 + n}" for n in (1, 2, 3)]
        assert all(one["seconds"] > 1 for one in players), players
    assert not opened.said()
    assert not opened.errors()


@RENDERERS
def test_the_source_has_its_player(opened: page.Opened, server: Running, nodes2: bool) -> None:
    if not has_panels(server, nodes2):
        pytest.skip("this renderer shows no such widget")
    opened.load(graph("inpaint", seed=77))
    assert opened.run()["status"]["status_str"] == "success"
    takes = [one["label"] for one in seen(opened, "AceSuiteCompareTakes")["players"]]
    assert takes == ["Source", "Song, seed 77"]
    song = seen(opened, "AceSuiteSaveAudio")
    assert [one["label"] for one in song["players"]] == ["Song, seed 77", "Source"]
    assert "LUFS" in song["text"]
    assert "dBTP" in song["text"]
    assert "Inpaint: new 1.00-3.00 s of 5.00 s" in song["text"]
    assert "Outside, the source, sample for sample" in song["text"]
    assert "Inpaint: new" in seen(opened, "AceSuiteDCAEDecode")["text"]


THAI = "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01"
WORDS = f"[verse]\nMorning comes in over the water\n{THAI}\nsmile \U0001f600"


@RENDERERS
def test_every_node_that_computes_text_shows_it(
    opened: page.Opened, server: Running, nodes2: bool
) -> None:
    if not has_panels(server, nodes2):
        pytest.skip("this renderer shows no such widget")
    prompt = graph("prompt_to_song", seed=77)
    only(prompt, "AceSuiteLyricEncode")["lyrics"] = WORDS
    prompt["20"] = {"class_type": "AceSuiteSetupCheck", "inputs": {"seconds": 60.0}}
    preview = {"lyrics": WORDS, "language": "auto", "seconds": 10.0}
    prompt["21"] = {"class_type": "AceSuiteLyricPreview", "inputs": preview}
    opened.load(prompt)
    assert opened.run()["status"]["status_str"] == "success"
    texts = {
        "AceSuiteLoad": "emonstration model",
        "AceSuiteSampler": "Made with seed 77",
        "AceSuiteDCAEDecode": "LUFS",
        "AceSuiteSetupCheck": "lyric vocabulary",
        "AceSuiteSongWriter": "seed 1",
    }
    for kind, text in texts.items():
        assert text in seen(opened, kind)["text"], kind
    # What is not sung is said by both, in the same words.
    for kind in ("AceSuiteLyricPreview", "AceSuiteLyricEncode", "AceSuiteSaveAudio"):
        panel = seen(opened, kind)
        assert "unknown to the model" in panel["text"], kind
        assert "\U0001f600" in panel["all"]
        assert "heard as: morning comes in over the water" in panel["all"]
    assert not opened.errors()


# workflow, node, values, words of the sentence that must stand on that node (its fix among them)
MISTAKES: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    ("text_to_music", "AceSuiteTagEncode", {"tags": " "}, ("Tags are empty", "Describe")),
    ("text_to_music", "AceSuiteLyricEncode", {"lyrics": "la " * 40_000}, ("Cut them",)),
    ("text_to_music", "AceSuiteSampler", {"seconds": 1000.0}, ("seconds is 1000", "Lower it")),
    ("text_to_music", "AceSuiteSampler", {"steps": 0}, ("steps is 0", "Raise it")),
    ("text_to_music", "AceSuiteSampler", {"solver": "ddim"}, ("ddim", "Choose one")),
    ("text_to_music", "AceSuiteSampler", {"tags": None}, ("tags is missing", "Connect it")),
    ("text_to_music", "AceSuiteDCAEDecode", {"latent": "image"}, ("ACE-Step", "Connect")),
    ("inpaint", "AceSuiteInpaintMask", {"start": 8.0, "end": 9.0}, ("5.00 s", "use Extend")),
    ("inpaint", "AceSuiteInpaintMask", {"start": 3.0, "end": 1.0}, ("Exchange the two",)),
    ("inpaint", "AceSuiteInpaintMask", {"start": 2.0, "end": 2.0}, ("empty", "Raise its end")),
    ("inpaint", "AceSuiteInpaintMask", {"source_audio": None}, ("no source", "Connect")),
    ("extend", "AceSuiteExtend", {"after": 0.0}, ("0 s before", "Ask for some new music")),
    ("prompt_to_song", "AceSuiteSongWriter", {"prompt": " "}, ("prompt is empty",)),
    ("text_to_music", "AceSuiteLoad", {"checkpoint": "gone.safetensors"}, ("gone", "Choose")),
    ("takes", "AceSuiteRetake", {"variance": 2.0}, ("variance is 2", "Lower it")),
]  # fmt: skip


def mistaken(name: str, kind: str, values: dict[str, Any]) -> Prompt:
    prompt = graph(name)
    inputs = only(prompt, kind)
    for field, value in values.items():
        if value is None:
            del inputs[field]
        elif value == "image":
            size = {"width": 64, "height": 64, "batch_size": 1}
            prompt["90"] = {"class_type": "EmptyLatentImage", "inputs": size}
            inputs[field] = ["90", 0]
        else:
            inputs[field] = value
    return prompt


def pressed(opened: page.Opened, prompt: Prompt, kind: str, values: dict[str, Any]) -> None:
    """Run a graph with a mistake: whatever the page thinks of the value, it is sent."""
    opened.load(prompt)
    plain = {field: v for field, v in values.items() if v is not None and v != "image"}
    opened.set(kind, **plain)
    queued = opened.press()
    if queued:
        assert opened.ended(queued)["status"]["status_str"] == "error"
    opened.page.wait_for_timeout(800)


@RENDERERS
def test_mistakes_show_their_sentence_on_their_node(
    opened: page.Opened, server: Running, nodes2: bool
) -> None:
    assert len(MISTAKES) >= 15
    for name, kind, values, parts in MISTAKES:
        pressed(opened, mistaken(name, kind, values), kind, values)
        toasts = " ".join(opened.toasts())
        for part in parts:
            assert part in toasts, (kind, values, toasts)
        if has_panels(server, nodes2):
            panel = seen(opened, kind)
            assert all(part in panel["text"] for part in parts), (kind, values, panel)
        opened.dismiss()


@RENDERERS
def test_an_error_goes_with_the_next_run(
    opened: page.Opened, server: Running, nodes2: bool
) -> None:
    pressed(opened, mistaken(*MISTAKES[0][:3]), *MISTAKES[0][1:3])
    assert opened.toasts()
    opened.dismiss()
    opened.set("AceSuiteTagEncode", tags="pop")
    assert opened.run()["status"]["status_str"] == "success"
    assert not opened.toasts()
    if has_panels(server, nodes2):
        assert not opened.panel("AceSuiteTagEncode")["is_seen"]


@RENDERERS
def test_errors_are_named_shortly(opened: page.Opened, nodes2: bool) -> None:
    """Pages print the class of an error: no path of this machine in front of the sentence."""
    opened.load(mistaken(*MISTAKES[0][:3]))
    queued = opened.press()
    assert queued
    messages = dict(opened.ended(queued)["status"]["messages"])
    assert messages["execution_error"]["exception_type"] == "SettingError"


@RENDERERS
def test_reload_brings_back_what_was_shown(
    opened: page.Opened, server: Running, nodes2: bool
) -> None:
    if not has_panels(server, nodes2):
        pytest.skip("this renderer shows no such widget")
    opened.load(graph("takes", seed=77))
    opened.run()
    opened.set("AceSuiteTagEncode", tags="jazz")  # another run, in which the loader is cached
    opened.set("AceSuiteSampler", seed=80)
    opened.run()
    opened.reload()
    assert "emonstration model" in seen(opened, "AceSuiteLoad")["text"]
    assert "Made with seeds 80, 81, 82" in seen(opened, "AceSuiteSampler")["text"]
    assert len(seen(opened, "AceSuiteSaveAudio")["players"]) == 3
    assert not opened.errors()


@RENDERERS
def test_reload_while_it_runs(opened: page.Opened, server: Running, nodes2: bool) -> None:
    if not has_panels(server, nodes2):
        pytest.skip("this renderer shows no such widget")
    opened.load(graph("text_to_music", seed=78, seconds=20.0, steps=40))
    queued = opened.press()
    assert queued
    opened.reload()
    assert opened.ended(queued)["status"]["status_str"] == "success"
    opened.page.wait_for_timeout(1500)
    assert "Made with seed 78" in seen(opened, "AceSuiteSampler")["text"]
    assert "emonstration model" in seen(opened, "AceSuiteLoad")["text"]
