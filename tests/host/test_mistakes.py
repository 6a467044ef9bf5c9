"""Mistakes in the page: each is told in our own sentence, with its fix, on the node it is made at.

Refused before a run or failed in it, the sentence stands on the node and in a toast. 0.3.64's
newer renderer shows no panels: there it is the toast alone.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from scripts.host import page
from tests.host.client import Prompt
from tests.host.conftest import graph, id_of, only
from tests.host.single_file import write_adapter

pytestmark = pytest.mark.page

GONE = "goes_away"  # files that are there when the page opens and not when it runs
NOT_FITTING = "loras/made_for_another.safetensors"
UNREADABLE = "checkpoints/unreadable.safetensors"
UNLINKED, IMAGE, TWO_CLIPS = object(), object(), object()

# workflow, node, values, words of the sentence on that node: what is wrong, and what to do
MISTAKES: list[tuple[str, str, dict[str, Any], tuple[str, ...]]] = [
    ("text_to_music", "AceSuiteTagEncode", {"tags": " "}, ("Tags are empty", "Describe")),
    ("text_to_music", "AceSuiteLyricEncode", {"lyrics": "la " * 40_000}, ("Cut them",)),
    ("text_to_music", "AceSuiteSampler", {"seconds": 1000.0}, ("seconds is 1000", "Lower it")),
    ("text_to_music", "AceSuiteSampler", {"steps": 0}, ("Steps is 0", "between 1 and 1000")),
    ("text_to_music", "AceSuiteSampler", {"solver": "ddim"}, ("ddim", "Choose one")),
    ("text_to_music", "AceSuiteSampler", {"tags": UNLINKED}, ("tags is missing", "Connect it")),
    ("text_to_music", "AceSuiteDCAEDecode", {"latent": IMAGE}, ("1, 4, 8, 8", "Take one that")),
    ("text_to_music", "AceSuiteLoad", {"checkpoint": "gone.safetensors"}, ("gone", "Choose")),
    ("text_to_music", "AceSuiteLoad", {"checkpoint": UNREADABLE}, ("unreadable.safetensors",)),
    ("inpaint", "AceSuiteInpaintMask", {"start": 8.0, "end": 9.0}, ("5.00 s", "use Extend")),
    ("inpaint", "AceSuiteInpaintMask", {"start": 3.0, "end": 1.0}, ("Exchange the two",)),
    ("inpaint", "AceSuiteInpaintMask", {"start": 2.0, "end": 2.0}, ("empty", "Raise its end")),
    ("inpaint", "AceSuiteInpaintMask", {"source_audio": UNLINKED}, ("no source", "Connect")),
    ("extend", "AceSuiteExtend", {"after": 0.0}, ("0 s before", "Ask for some new music")),
    ("takes", "AceSuiteRetake", {"variance": 2.0}, ("variance is 2", "Lower it")),
    ("prompt_to_song", "AceSuiteSongWriter", {"prompt": " "}, ("prompt is empty",)),
    ("lora", "AceSuiteLoRA", {"lora": NOT_FITTING}, ("does not fit this model", "other sizes")),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _wrong_files(base: Path) -> None:
    """Files that are listed and cannot be used; ComfyUI lists again what has changed."""
    write_adapter(base / "models" / NOT_FITTING, width=32)
    (base / "models" / UNREADABLE).write_bytes(b"\0" * 100)


def mistaken(name: str, kind: str, values: dict[str, Any]) -> Prompt:
    prompt = graph(name)
    inputs = only(prompt, kind)
    for field, value in values.items():
        if value is UNLINKED:
            del inputs[field]
        elif value is IMAGE:
            size = {"width": 64, "height": 64, "batch_size": 1}
            prompt["90"] = {"class_type": "EmptyLatentImage", "inputs": size}
            inputs[field] = ["90", 0]
        else:
            inputs[field] = value
    return prompt


def pressed(opened: page.Opened, prompt: Prompt, kind: str, values: dict[str, Any]) -> None:
    """Run a graph with a mistake: whatever the page thinks of the value, it is sent."""
    opened.load(prompt)
    plain = {name: value for name, value in values.items() if value not in (UNLINKED, IMAGE)}
    opened.set(kind, **plain)
    queued = opened.press()
    if queued:  # or what does not depend on it ran
        opened.ended(queued)


def test_mistakes_show_their_sentence_on_their_node(opened: page.Opened, panels: bool) -> None:
    assert len(MISTAKES) >= 15
    wrong = []
    for name, kind, values, parts in MISTAKES:
        pressed(opened, mistaken(name, kind, values), kind, values)
        toasts = opened.told(*parts)
        if not all(part in toasts for part in parts):
            wrong.append((kind, values, "toasts", toasts))
        if panels:
            panel = opened.seen(kind)
            if panel["text"] != panel["error"] or not all(part in panel["error"] for part in parts):
                wrong.append((kind, values, "panel", panel))
            others = opened.page.evaluate(ERRORS)
            if len(others) != 1:
                wrong.append((kind, values, "nodes with errors", others))
        opened.dismiss()
    assert not wrong


# Kinds of the nodes that show an error of ours.
ERRORS = """() => app.graph._nodes.filter(one => one.widgets?.some(
    widget => widget.type === 'acesuite_panel' && widget.element.querySelector('.acesuite-error')
)).map(one => one.type)"""


def test_an_error_goes_with_the_next_run(opened: page.Opened, panels: bool) -> None:
    _, kind, values, parts = MISTAKES[0]
    pressed(opened, mistaken(*MISTAKES[0][:3]), kind, values)
    assert parts[0] in opened.told(parts[0])
    assert not panels or opened.blamed() == ["Tag Encode (ACE-Step)"]
    opened.dismiss()
    opened.set(kind, tags="pop")
    assert opened.run()["status"]["status_str"] == "success"
    assert not opened.blamed()
    opened.page.wait_for_function(f"() => !document.querySelector('{page.TOASTS}')")
    assert not panels or not opened.panel(kind)["error"]


def test_an_error_is_there_after_a_reload(opened: page.Opened, panels: bool) -> None:
    if not panels:
        pytest.skip("this renderer shows plain widgets alone")
    _, kind, values, parts = MISTAKES[0]
    pressed(opened, mistaken(*MISTAKES[0][:3]), kind, values)
    opened.dismiss()
    opened.reload()
    assert parts[0] in opened.seen(kind)["error"]


# Newer pages have a box of their own for errors, where toasts are.
BOX, TOAST = "[data-testid=error-overlay]", ".acesuite-toast"
IS_BELOW = f"""() => {{
    const [box, toast] = ['{BOX}', '{TOAST}']
        .map(one => document.querySelector(one)?.getBoundingClientRect());
    return box?.height > 0 && toast?.top >= box.bottom;
}}"""
# Within five seconds, or never.
COMES = f"""async () => {{
    for (let count = 0; count < 50 && !document.querySelector('{BOX}'); count++)
        await new Promise(done => setTimeout(done, 100));
    return Boolean(document.querySelector('{BOX}'));
}}"""
# As it does where there is more to say.
GROW = f"""() => {{
    const box = document.querySelector('{BOX}');
    box.style.minHeight = `${{box.getBoundingClientRect().height + 120}}px`;
}}"""


def test_a_toast_lies_below_the_pages_own_box(opened: page.Opened) -> None:
    _, kind, values, parts = MISTAKES[2]  # refused: the box is there at once
    pressed(opened, mistaken(*MISTAKES[2][:3]), kind, values)
    assert parts[0] in opened.told(*parts)
    if not opened.page.locator(TOAST).count():
        pytest.skip("this page has other toasts")
    if not opened.page.evaluate(COMES):
        pytest.skip("this page has no such box")
    opened.page.wait_for_function(IS_BELOW, timeout=page.LATE)
    opened.page.evaluate(GROW)
    opened.page.wait_for_function(IS_BELOW, timeout=page.LATE)


def test_errors_are_named_shortly(opened: page.Opened) -> None:
    """Pages print the class of an error: no path of this machine in front of the sentence."""
    opened.load(mistaken(*MISTAKES[0][:3]))
    queued = opened.press()
    assert queued
    messages = dict(opened.ended(queued)["status"]["messages"])
    assert messages["execution_error"]["exception_type"] == "SettingError"


def test_a_source_that_is_gone_is_told_by_the_page_itself(
    opened: page.Opened, panels: bool
) -> None:
    """ComfyUI's own loader refuses it; nothing of ours is blamed."""
    prompt = graph("inpaint")
    opened.load(prompt)
    opened.set("LoadAudio", audio=f"{GONE}.flac")
    assert opened.press() is None
    if panels:
        loader = opened.nodes()[id_of(prompt, "LoadAudio")]
        opened.page.wait_for_function(f"one => ({page.BLAMED})().includes(one)", arg=loader)
    assert not opened.page.evaluate(ERRORS)


def test_parameters_that_are_gone(opened: page.Opened, panels: bool) -> None:
    """A file of ours: refused on its node, by name."""
    prompt = graph("text_to_music")
    file = {"file": f"{GONE}_input_params.json"}
    prompt["90"] = {"class_type": "AceSuiteLoadParameters", "inputs": file}
    only(prompt, "AceSuiteTagEncode")["tags"] = ["90", 1]
    pressed(opened, prompt, "AceSuiteLoadParameters", file)
    assert GONE in opened.told(GONE)
    if panels:
        assert GONE in opened.seen("AceSuiteLoadParameters")["error"]


# path below the services' own, body, words of the answer: the field and what it may be
ASKED: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("", {"tags": "pop", "duration": 1000}, ("duration", "240")),
    ("", {"lyrics": "la"}, ("tags",)),
    ("/audio-inpaint", {"audio": "none.flac", "tags": "pop"}, ("none.flac",)),
]
SERVICES = "/api/v3/wavespeed-ai/ace-step"
ASK = """async ([path, body]) => {
    const answer = await fetch(path, {
        method: 'POST', body: JSON.stringify(body), headers: {'Content-Type': 'application/json'},
    });
    return [answer.status, await answer.text()];
}"""


def test_routes_answer_mistakes_in_sentences(opened: page.Opened) -> None:
    for path, body, parts in ASKED:
        status, text = opened.page.evaluate(ASK, [SERVICES + path, body])
        assert 400 <= status < 500, (path, status, text)
        assert all(part in text for part in parts), (path, text)
        assert "Traceback" not in text
    assert not opened.said()


LOOKED_AT = re.compile(r"/history\?max_items=32$")


def test_a_failed_request_is_no_error_of_the_open_graph(opened: page.Opened) -> None:
    """Requests of others run in the same queue: their nodes have ids of open ones."""
    opened.page.evaluate(ASK, ["/history", {"clear": True}])  # of other tests' runs of this graph
    prompt = mistaken(*MISTAKES[0][:3])
    opened.load(graph("text_to_music"))
    body = {"prompt": prompt, "client_id": "another"}
    with opened.page.expect_response(LOOKED_AT, timeout=page.LATE):  # by our script, at its end
        status, text = opened.page.evaluate(ASK, ["/prompt", body])
        assert status == 200, text
        opened.ended(opened.page.evaluate("text => JSON.parse(text).prompt_id", text))
    opened.drawn()
    assert not opened.page.evaluate(ERRORS)
    assert not opened.toasts()
