"""How a sound of an hour does on its node: first picture, frames a second, memory.

    COMFYUI_PATH=/path/to/ComfyUI python -m scripts.hour [MINUTES]

    hour.flac in input/ -> chosen in the loader -> first picture -> all read -> scrolled at several
                           zooms by the wheel, played -> lines, and one of JSON

Both renderers; memory is what the browser's own tracing counts, with a moment's sound and with
the hour.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from acestep_core.sound.files import write_audio
from acestep_core.sound.track import Track
from scripts.host import comfyui, memory, page

FILE, BEFORE = "hour.flac", "a moment.flac"
RATE = 44_100
SCROLLED = 4.0  # seconds at every zoom
PRESSES = (0, 6, 6, 6)  # of the key that zooms, before each of them
PLAYED = 4000  # milliseconds
LAPTOP = (1366, 768)
NODES = """() => {
    app.graph.clear();
    const load = LiteGraph.createNode('LoadAudio');
    const mask = LiteGraph.createNode('AceSuiteInpaintMask');
    app.graph.add(load); app.graph.add(mask);
    load.pos = [0, 0]; mask.pos = [320, 0]; mask.setSize([640, mask.size[1]]);
    load.connect(0, mask, mask.inputs.findIndex(one => one.name === 'source_audio'));
    app.canvas.ds.scale = 1; app.canvas.ds.offset = [90, 120];
    app.canvas.setDirty(true, true);
}"""
# Milliseconds from the choice of a file until the middle of the picture has something bright.
CHOOSE = """name => new Promise((done, fail) => {
    const [load, mask] = app.graph._nodes;
    const canvas = mask.widgets.find(one => one.name === 'acesuite_regions').element
        .querySelector('canvas');
    const widget = load.widgets.find(one => one.name === 'audio');
    const began = performance.now();
    const context = canvas.getContext('2d');
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height); // what it showed of another file
    widget.value = name; widget.callback?.(name);
    const look = () => {
        const took = performance.now() - began;
        const row = context.getImageData(0, Math.round(canvas.height * 0.44), canvas.width, 1).data;
        let bright = 0;
        for (let n = 0; n < row.length; n += 4) if (row[n] > 70) bright += 1;
        // The region of a new node begins at 10 s: BEFORE has none there.
        const isOther = canvas.closest('.acesuite-regions').textContent.includes('0:10.00');
        if (isOther && bright > canvas.width / 4) return done(took);
        if (took > 60000) return fail(new Error('no picture'));
        requestAnimationFrame(look);
    };
    look();
})"""
READ = """() => /\\u2248/.test(app.graph._nodes[1].widgets
    .find(one => one.name === 'acesuite_regions').element.querySelector('input').placeholder)"""
READ_SHORT = """() => app.graph._nodes[1].widgets.find(one => one.name === 'acesuite_regions')
    .element.querySelector('.acesuite-regions-status').textContent"""
# Frames a second while the wheel scrolls at every one of them.
SCROLL = """async seconds => {
    const canvas = app.graph._nodes[1].widgets.find(one => one.name === 'acesuite_regions')
        .element.querySelector('canvas');
    canvas.focus();
    let frames = 0, way = 1;
    const began = performance.now();
    await new Promise(done => {
        const step = now => {
            if (now - began > seconds * 1000) return done();
            if (++frames % 90 === 0) way = -way;
            canvas.dispatchEvent(new WheelEvent('wheel',
                {deltaX: 14 * way, bubbles: true, cancelable: true}));
            requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
    });
    return frames / ((performance.now() - began) / 1000);
}"""


class Beats(Track):
    """So many seconds of clicks over a tone, never all at once."""

    channels, rate = 2, RATE

    def __init__(self, seconds: float) -> None:
        self.samples = round(seconds * RATE)

    def part(self, first: int, last: int) -> Tensor:
        time = np.arange(first, last) / RATE
        click = np.exp(-25 * (time % 0.5)) * np.sin(2 * np.pi * 900 * (time % 0.5))
        wave = (0.5 * click + 0.1 * np.sin(2 * np.pi * 220 * time)).astype(np.float32)
        return torch.from_numpy(np.stack([wave, wave]))


def measured(opened: page.Opened) -> dict[str, Any]:
    opened.page.evaluate(NODES)  # with the first file, which is BEFORE
    opened.page.wait_for_function(READ_SHORT, timeout=60_000)
    before = memory.measured(opened)
    first = opened.page.evaluate(CHOOSE, FILE) / 1000
    opened.page.wait_for_function(READ, timeout=300_000)
    opened.page.evaluate("() => document.activeElement?.blur()")
    rates = []
    for presses in PRESSES:
        opened.page.evaluate(SCROLL, 0.1)
        for _ in range(presses):
            opened.page.keyboard.press("+")
        rates.append(round(opened.page.evaluate(SCROLL, SCROLLED), 1))
    opened.page.keyboard.press(" ")
    opened.page.wait_for_timeout(PLAYED)
    after = memory.measured(opened)
    opened.page.keyboard.press(" ")
    more = {name: round(after[name] - before[name], 1) for name in after}
    return {"first": round(first, 2), "rates": rates, "memory": after, "more": more}


def main(arguments: list[str]) -> int:
    minutes = float(arguments[0]) if arguments else 60.0
    if not comfyui.checkouts() or page.chromium() is None:
        print("COMFYUI_PATH has to name a ComfyUI checkout, and a Chromium has to be there.")
        return 2
    found: dict[str, Any] = {"minutes": minutes}
    with tempfile.TemporaryDirectory() as folder:
        base = comfyui.make_base(Path(folder))
        write_audio(base / "input" / BEFORE, Beats(3), RATE)
        write_audio(base / "input" / FILE, Beats(60 * minutes), RATE)
        for nodes2 in (False, True):
            with comfyui.running(comfyui.checkouts()[-1], base, 400) as server:
                found["comfyui"] = server.version
                with page.opened(server.url, nodes2, size=LAPTOP) as opened:
                    one = found["nodes2" if nodes2 else "canvas"] = measured(opened)
            print(
                f"{'Nodes 2.0' if nodes2 else 'canvas'}: first picture of {minutes:g} minutes after"
                f" {one['first']} s, {min(one['rates'])} to {max(one['rates'])} frames a second"
                f" while scrolling, {one['more']['private']} MiB more in the page's process"
                f" ({one['more']['scripts']} of scripts), which has {one['memory']['private']}",
                flush=True,
            )
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
