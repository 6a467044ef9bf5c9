"""The source drawn on its node: regions made with the pointer and with keys, both ways with the
node's plain inputs, in both renderers; 0.3.64's newer renderer shows plain inputs alone.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acestep_core.config import FRAME, SAMPLE_RATE
from acestep_core.sound.files import write_audio
from scripts.host import page
from tests.host import shipped
from tests.host.conftest import graph, only

pytestmark = [pytest.mark.page, pytest.mark.usefixtures("_pictures")]

MASK, REMIX, EXTEND = "AceSuiteInpaintMask", "AceSuiteRemixEdit", "AceSuiteExtend"
BEATS, SECONDS, TEMPO, FIRST = "beats.flac", 30.0, 120.0, 0.5
FRAME_SECONDS = FRAME / SAMPLE_RATE
LATE = page.LATE
# The picture of a node, once the sound is there; its box is that of the canvas on the screen.
PICTURE = """kind => {
    const node = [...app.graph._nodes, ...[...(app.graph.subgraphs?.values() ?? [])]
        .flatMap(one => one._nodes)].find(one => one.type === kind || one.comfyClass === kind);
    const outer = node.widgets?.find(one => one.name === 'acesuite_regions')?.element;
    const canvas = outer?.querySelector('canvas');
    if (!canvas?.isConnected) return null;
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return { left, top, width, height,
        hint: outer.querySelector('.acesuite-regions-hint').textContent,
        status: outer.querySelector('.acesuite-regions-status').textContent,
        tempo: outer.querySelector('input').placeholder };
}"""
READY = f"""kind => {{
    const seen = ({PICTURE})(kind);
    return seen?.width > 50 && /\u2248/.test(seen.tempo);
}}"""
# As it is when it has stayed there for ten frames.
STILL = f"""async kind => {{
    let seen = null, before = '';
    for (let same = 0, frame = 0; same < 10 && frame < 1000; frame++) {{
        seen = ({PICTURE})(kind);
        const place = JSON.stringify([seen?.left, seen?.top, seen?.width, seen?.height]);
        same = seen && place === before ? same + 1 : 0;
        before = place;
        await new Promise(requestAnimationFrame);
    }}
    return seen;
}}"""
VALUES = """([kind, names]) => names.map(name =>
    testNode(kind).widgets.find(one => one.name === name).value)"""


@pytest.fixture
def _pictures(panels: bool) -> None:
    if not panels:
        pytest.skip("this renderer shows plain widgets alone")


@pytest.fixture(scope="module", autouse=True)
def _beats(base: Path) -> None:
    write_beats(base / "input" / BEATS, SECONDS)


def write_beats(path: Path, seconds: float, noise: float = 0.003) -> None:
    """Clicks at every half second, every fourth a low one."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    since = (time - FIRST) % (60 / TEMPO)
    is_low = (time - FIRST) // (60 / TEMPO) % 4 == 0
    tone = np.sin(2 * np.pi * np.where(is_low, 70, 900) * since)
    wave = np.where(time >= FIRST, 0.5 * np.exp(-25 * since) * tone, 0)
    wave += noise * np.random.default_rng(0).standard_normal(len(time))
    stereo = torch.from_numpy(np.stack([wave, wave]).astype(np.float32))
    write_audio(path, stereo, SAMPLE_RATE)


def with_beats(name: str) -> dict[str, Any]:
    return shipped.on_song(name, BEATS)


def seen(opened: page.Opened, kind: str) -> dict[str, Any]:
    """The picture, with the sound in it."""
    opened.page.evaluate(page.CENTRE, kind)
    return still(opened, kind)


def still(opened: page.Opened, kind: str) -> dict[str, Any]:
    """Its picture, once that has its place on the screen."""
    opened.page.wait_for_function(READY, arg=kind, timeout=LATE)
    return opened.page.evaluate(STILL, kind)


def drag(
    opened: page.Opened,
    picture: dict[str, Any],
    start: float,
    end: float,
    seconds: float = SECONDS,
) -> None:
    """From one second of the whole clip to another."""
    y = picture["top"] + 0.45 * picture["height"]
    xs = [picture["left"] + picture["width"] * at / seconds for at in (start, end)]
    mouse = opened.page.mouse
    mouse.move(xs[0], y)
    mouse.down()
    mouse.move(sum(xs) / 2, y, steps=4)
    mouse.move(xs[1], y, steps=4)
    mouse.up()
    opened.drawn()


def values(opened: page.Opened, *names: str, kind: str = MASK) -> list[Any]:
    return opened.page.evaluate(VALUES, [kind, list(names)])


def told(start: float, end: float) -> str:
    """As the line below the picture says it, of less than a minute."""
    return f"0:{start:05.2f} \u2013 0:{end:05.2f}"


def wait_for(opened: page.Opened, kind: str, text: str) -> None:
    found = f"([kind, text]) => ({PICTURE})(kind)?.status.includes(text)"
    opened.page.wait_for_function(found, arg=[kind, text], timeout=LATE)


def test_a_region_is_drawn_and_heard_of_by_the_inputs(opened: page.Opened) -> None:
    opened.load(with_beats("inpaint"))
    picture = seen(opened, MASK)
    assert picture["tempo"] == f"\u2248{TEMPO:.0f}"
    assert told(4, 8) in picture["status"], "what the numbers say is drawn"

    drag(opened, picture, 10.6, 13.9)  # a tenth beside the beats: they draw it to themselves
    start, end = values(opened, "start", "end")
    assert start == pytest.approx(10.5, abs=FRAME_SECONDS / 4)
    assert end == pytest.approx(14.0, abs=FRAME_SECONDS / 4)
    assert values(opened, "regions") == [""], "one region is start and end"
    wait_for(opened, MASK, told(10.5, 14))

    opened.page.keyboard.down("Alt")  # without beats
    drag(opened, picture, 20.2, 21.2)
    opened.page.keyboard.up("Alt")
    pixel = SECONDS / picture["width"]
    assert values(opened, "start", "end") == pytest.approx([20.2, 21.2], abs=pixel + FRAME_SECONDS)

    opened.page.keyboard.press("u")
    opened.drawn()
    assert values(opened, "start", "end") == [start, end], "undone"

    opened.page.keyboard.down("Shift")  # one more
    drag(opened, picture, 2.1, 4.1)
    opened.page.keyboard.up("Shift")
    (text,) = values(opened, "regions")
    assert len(text.split(";")) == 2
    opened.choose(MASK, "regions", "1:2; -6:-3; 15:")
    wait_for(opened, MASK, f"Region 2: {told(24, 27)}")
    assert not opened.errors()


def test_the_page_undoes_it_and_the_picture_goes_on(opened: page.Opened) -> None:
    opened.load(with_beats("inpaint"))
    before = values(opened, "start", "end")
    drag(opened, seen(opened, MASK), 10.6, 13.9)
    assert values(opened, "start", "end") != before
    opened.page.keyboard.press("Control+z")
    undone = "([kind, names, old]) => JSON.stringify((VALUES)([kind, names])) === old"
    asked = [MASK, ["start", "end"], json.dumps(before, separators=(",", ":"))]
    opened.page.wait_for_function(undone.replace("VALUES", VALUES), arg=asked, timeout=LATE)
    drag(opened, seen(opened, MASK), 10.6, 13.9)
    assert values(opened, "end")[0] == pytest.approx(14.0, abs=FRAME_SECONDS / 4)


def test_regions_live_through_saving_reloading_and_copying(opened: page.Opened) -> None:
    opened.load(with_beats("inpaint"))
    drag(opened, seen(opened, MASK), 10.6, 13.9)
    made = values(opened, "start", "end", "regions", "feather")
    workflow, prompt = opened.saved()
    assert not [name for name in only(prompt, MASK) if name.startswith("acesuite")]
    opened.reload()
    assert values(opened, "start", "end", "regions", "feather") == made
    seen(opened, MASK)
    wait_for(opened, MASK, told(10.5, 14))
    opened.load(json.loads(json.dumps(workflow)))
    assert values(opened, "start", "end", "regions", "feather") == made
    copied = opened.page.evaluate(COPY, MASK)
    assert copied == made
    assert not opened.errors()


COPY = """kind => {
    const node = testNode(kind);
    app.canvas.selectNodes([node]);
    app.canvas.copyToClipboard([node]);
    app.canvas.pasteFromClipboard();
    const all = app.graph._nodes.filter(one => one.type === kind);
    const copy = all.find(one => one !== node);
    const found = ['start', 'end', 'regions', 'feather'].map(name =>
        copy.widgets.find(one => one.name === name).value);
    app.graph.remove(copy);
    return found;
}"""


def test_it_plays_round_and_round_and_only_by_the_keys_it_has(opened: page.Opened) -> None:
    opened.load(with_beats("inpaint"))
    drag(opened, seen(opened, MASK), 10.6, 13.9)
    before = len(opened.nodes())
    for key in ("l", " "):
        opened.page.keyboard.press(key)
    opened.page.wait_for_function(PLAYS, arg=MASK, timeout=LATE)
    opened.page.keyboard.press(" ")
    opened.page.wait_for_function(f"kind => !({PLAYS})(kind)", arg=MASK, timeout=LATE)
    opened.page.keyboard.press("Delete")  # Inpaint keeps its last region; the node stays as well
    assert len(opened.nodes()) == before
    assert values(opened, "end")[0] == pytest.approx(14.0, abs=FRAME_SECONDS / 4)
    opened.page.keyboard.press("Enter")  # one more, four beats from the playhead on
    opened.drawn()
    assert len(values(opened, "regions")[0].split(";")) == 2
    opened.page.keyboard.press("Delete")
    opened.drawn()
    assert len(values(opened, "regions")[0].split(";")) == 1


PLAYS = """kind => testNode(kind).widgets.find(one => one.name === 'acesuite_regions').element
    .querySelector('[aria-pressed]').getAttribute('aria-pressed') === 'true'"""


def test_an_edit_and_an_extension(opened: page.Opened) -> None:
    opened.load(with_beats("remix"))
    picture = seen(opened, REMIX)
    assert "whole clip" in picture["status"]
    drag(opened, picture, 10.6, 13.9)
    (text,) = values(opened, "regions", kind=REMIX)
    start, end = (float(part) for part in text.split(":"))
    assert (start, end) == pytest.approx((10.5, 14.0), abs=FRAME_SECONDS / 4)
    opened.page.keyboard.press("Delete")
    opened.drawn()
    assert values(opened, "regions", kind=REMIX) == [""]

    opened.load(with_beats("extend"))
    picture = seen(opened, EXTEND)
    assert "15 s after" in picture["status"]
    opened.choose(EXTEND, "after", 20.0)
    wait_for(opened, EXTEND, "20 s after")
    assert not opened.errors()


def test_a_sound_of_the_graph_is_drawn_after_a_run(opened: page.Opened) -> None:
    prompt = graph("inpaint", seed=7)
    only(prompt, "LoadAudio")["audio"] = BEATS
    loader = next(key for key, node in prompt.items() if node["class_type"] == "LoadAudio")
    prompt["40"] = {
        "class_type": "TrimAudioDuration",
        "inputs": {"audio": [loader, 0], "start_index": 0.0, "duration": 8.0},
    }
    only(prompt, MASK)["source_audio"] = ["40", 0]
    opened.load(prompt)
    opened.page.evaluate(page.CENTRE, MASK)
    hint = f"kind => ({PICTURE})(kind)?.hint.includes('run once')"
    opened.page.wait_for_function(hint, arg=MASK, timeout=LATE)
    assert opened.run()["status"]["status_str"] == "success"
    opened.page.evaluate(page.CENTRE, MASK)
    gone = (
        f"kind => {{ const seen = ({PICTURE})(kind); return seen && !seen.hint && seen.status; }}"
    )
    opened.page.wait_for_function(gone, arg=MASK, timeout=LATE)


def test_in_a_subgraph(opened: page.Opened) -> None:
    if not opened.page.evaluate("() => Boolean(app.canvas.graph?.convertToSubgraph)"):
        pytest.skip("this page has no subgraphs")
    opened.load(with_beats("inpaint"))
    seen(opened, MASK)
    opened.page.evaluate(INTO_SUBGRAPH, MASK)
    drag(opened, still(opened, MASK), 10.6, 13.9)
    _, prompt = opened.saved()
    inputs = only(prompt, MASK)
    assert inputs["start"] == pytest.approx(10.5, abs=FRAME_SECONDS / 4)
    # 0.3.64's page complains of itself when it leaves a graph.
    assert not [one for one in opened.errors() if "cleanup event listeners" not in one]


INTO_SUBGRAPH = """kind => {
    const node = testNode(kind);
    const { node: box } = app.graph.convertToSubgraph(new Set([node]));
    app.canvas.setGraph(box.subgraph);
    const inner = box.subgraph._nodes.find(one => one.type === kind);
    app.canvas.ds.scale = 1;
    app.canvas.centerOnNode(inner);
    app.canvas.setDirty(true, true);
}"""


def test_a_picture_that_fails_leaves_the_inputs(opened: page.Opened) -> None:
    opened.page.evaluate(NO_PICTURE)
    opened.load(with_beats("inpaint"))
    opened.choose(MASK, "start", 3.0)
    _, prompt = opened.saved()
    assert only(prompt, MASK)["start"] == 3.0
    assert not opened.page.evaluate(PICTURE, MASK)


# Of canvases that are in no document yet, as a picture's is when it is made.
NO_PICTURE = """() => {
    const own = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (...words) {
        if (!this.isConnected && this.getAttribute('role') === 'application')
            throw new Error('no picture');
        return own.apply(this, words);
    };
}"""


def test_the_next_graph_has_a_picture_of_its_own(opened: page.Opened) -> None:
    """Its nodes have the ids of those before: some pages keep what they drew of these."""
    for length in (14.0, 9.0):
        workflow = with_beats("inpaint")
        opened.load(workflow)
        opened.choose(MASK, "end", length)
        picture = seen(opened, MASK)
        wait_for(opened, MASK, told(4, length))
    drag(opened, picture, 15.0, 17.0)
    assert values(opened, "start", "end") == pytest.approx([15, 17], abs=FRAME_SECONDS / 4)
    assert not opened.errors()
