"""The moving picture of regions in README and help: a part is pointed at, changed and played.

    COMFYUI_PATH=/path/to/ComfyUI python -m scripts.moving [FILE]

    page -> pointer drawn on top -> a screenshot a step -> web/docs/moving/regions.webp

Nothing is arranged for it but a wide node with the example song.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from scripts.host import comfyui, page
from scripts.workflows.words import EXAMPLE

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / "web" / "docs" / "moving" / "regions.webp"
MOST = 1_000_000  # bytes
SLOW, STILL = 90, 900  # milliseconds a picture is seen
MASK, WIDTH = "AceSuiteInpaintMask", 660
NODES = """([file, width]) => {
    app.graph.clear();
    const load = LiteGraph.createNode('LoadAudio');
    const mask = LiteGraph.createNode('AceSuiteInpaintMask');
    app.graph.add(load); app.graph.add(mask);
    load.pos = [-900, 0]; mask.pos = [0, 0]; mask.setSize([width, mask.size[1]]);
    const widget = load.widgets.find(one => one.name === 'audio');
    if (!widget.options.values.includes(file)) widget.options.values.push(file);
    widget.value = file;
    load.connect(0, mask, mask.inputs.findIndex(one => one.name === 'source_audio'));
    for (const [name, value] of [['start', 2], ['end', 2.5]])
        mask.widgets.find(one => one.name === name).value = value;
    app.canvas.ds.scale = 1; app.canvas.ds.offset = [120, 140];
    app.canvas.setDirty(true, true);
    const hand = document.createElement('div');
    hand.id = 'hand';
    hand.style = 'position:fixed;z-index:99999;width:14px;height:14px;margin:-7px;'
        + 'border:2px solid #fff;border-radius:50%;background:#ff6b6baa;pointer-events:none';
    document.body.append(hand);
}"""
AREA = """() => {
    const outer = testNode('AceSuiteInpaintMask').widgets
        .find(one => one.name === 'acesuite_regions').element;
    const box = one => {
        const { left, top, width, height } = one.getBoundingClientRect();
        return [left, top, width, height];
    };
    return { outer: box(outer), canvas: box(outer.querySelector('canvas')),
        ready: /\\u2248/.test(outer.querySelector('input').placeholder) };
}"""
HAND = """([x, y]) => Object.assign(document.getElementById('hand').style,
    {left: `${x}px`, top: `${y}px`})"""


@dataclass
class Film:
    """Pictures of the node, a pointer on them."""

    opened: page.Opened
    box: list[float]  # of the canvas: left, top, width, height
    area: dict[str, float]
    pictures: list[Image.Image]
    times: list[int]

    def shot(self, milliseconds: int = SLOW) -> None:
        data = self.opened.page.screenshot(clip=self.area)  # pyright: ignore[reportArgumentType]
        self.pictures.append(Image.open(io.BytesIO(data)).convert("RGB"))
        self.times.append(milliseconds)

    def to(self, share: float, height: float = 0.45, steps: int = 1) -> None:
        """The pointer to a share of the picture's width."""
        left, top, width, high = self.box
        for x, y in self._way(left + share * width, top + height * high, steps):
            self.opened.page.mouse.move(x, y)
            self.opened.page.evaluate(HAND, [x, y])
            self.opened.page.wait_for_timeout(40)
            self.shot()
            self.at = (x, y)

    def _way(self, x: float, y: float, steps: int) -> Iterator[tuple[float, float]]:
        first = getattr(self, "at", (x, y))
        for step in range(1, steps + 1):
            yield tuple(a + (b - a) * step / steps for a, b in zip(first, (x, y), strict=True))  # type: ignore[misc]

    def press(self, key: str, milliseconds: int = STILL) -> None:
        self.opened.page.keyboard.press(key)
        self.opened.page.wait_for_timeout(250)
        self.shot(milliseconds)


def filmed(opened: page.Opened) -> Film:
    opened.page.evaluate(NODES, [EXAMPLE, WIDTH])
    found = opened.page.evaluate(AREA)
    for _ in range(120):
        if found["ready"]:
            break
        opened.page.wait_for_timeout(500)
        found = opened.page.evaluate(AREA)
    opened.page.wait_for_timeout(800)
    left, top, width, height = found["outer"]
    area = {"x": left - 6, "y": top - 6, "width": width + 12, "height": height + 12}
    film = Film(opened, found["canvas"], area, [], [])
    film.to(0.2)
    opened.page.mouse.down()
    film.to(0.46, steps=12)
    opened.page.mouse.up()
    opened.page.wait_for_timeout(400)
    film.shot(STILL)
    film.to(0.7, steps=4)
    opened.page.keyboard.down("Shift")
    opened.page.mouse.down()
    film.to(0.86, steps=8)
    opened.page.mouse.up()
    opened.page.keyboard.up("Shift")
    opened.page.wait_for_timeout(400)
    film.shot(STILL)
    film.press("z")
    for key in ("l", " "):
        film.press(key, SLOW)
    for _ in range(14):
        opened.page.wait_for_timeout(SLOW)
        film.shot()
    film.press(" ", SLOW)
    film.press("0")
    return film


def main(arguments: list[str]) -> int:
    place = Path(arguments[0]) if arguments else PLACE
    if not comfyui.checkouts() or page.chromium() is None:
        print("COMFYUI_PATH has to name a ComfyUI checkout, and a Chromium has to be there.")
        return 2
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        base = comfyui.make_base(Path(folder))
        (base / "input" / EXAMPLE).write_bytes((ROOT / "web" / "examples" / EXAMPLE).read_bytes())
        with (
            comfyui.running(comfyui.checkouts()[-1], base, 400) as server,
            page.opened(server.url, size=(1366, 900)) as opened,
        ):
            film = filmed(opened)
    first, *others = film.pictures
    first.save(
        place,
        save_all=True,
        append_images=others,
        duration=film.times,
        loop=0,
        quality=60,
        method=4,
    )
    size = place.stat().st_size
    print(f"{place}: {len(film.pictures)} pictures, {size} bytes")
    return 0 if size < MOST else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
