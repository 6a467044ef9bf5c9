"""Takes the pictures of workflows and nodes, in a real ComfyUI's page.

    COMFYUI_PATH=/path/to/ComfyUI python -m scripts.screenshots [NAME ...]

    a workflow -> opened, run in few steps -> docs/screens/NAME.jpg; those with a form as a form
    text_to_music while it samples -> docs/screens/live_preview.jpg
    each node of /object_info, alone -> web/docs/img/ID.jpg, shown first in web/docs/ID.md

A NAME is a workflow's, `live_preview` or `nodes`; without one everything is made anew. The last
checkout that COMFYUI_PATH names is used, with the small model that comes with the project or
else the tiny one. Needs Playwright and a Chromium, as the tests of the page do.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acestep_core.weights import small
from acestep_core.weights.download import SINGLE_FILE
from acestep_core.weights.tiny import write_folder
from scripts import jpeg
from scripts.host import comfyui, page
from scripts.host.comfyui import get_json
from scripts.workflows.catalogue import WORKFLOWS as CATALOGUE

if TYPE_CHECKING:
    from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS, SCREENS, HELP = ROOT / "workflows", ROOT / "docs" / "screens", ROOT / "web" / "docs"
LIVE, NODES = "live_preview", "nodes"
NOT_RUN = {"native_interop"}  # needs ComfyUI's own checkpoint, which has no small form
SHIPPED = {one.name: one for one in CATALOGUE}
FORM = {"width": 1280, "height": 920}  # of the page around a form
LARGEST_NODE = 40_000  # bytes of a picture
LONG = {"seconds": 240.0, "steps": 1000}  # so that previews come while it samples
SHORT = {"seconds": 12.0}  # to have results soon
WAIT = 240  # seconds that a run may take

HOLLOW = (2).to_bytes(8, "little") + b"{}"  # a safetensors file that holds nothing
EDGE = 16  # pixels around what is shown
MARGIN = (140, 200, 120, 180)  # left, top, right, bottom: where the page has its bars
PLAIN = """() => {
    for (const [key, value] of [['Comfy.NodeBadge.NodeSourceBadgeMode', 'None'],
                                ['Comfy.Minimap.Visible', false]])
        app.extensionManager.setting.set(key, value);
}"""
# Nodes grow while they run: what lies below them makes room.
ROOM = """gap => {
    const nodes = [...app.graph._nodes].sort((a, b) => a.pos[1] - b.pos[1]);
    for (const node of nodes)
        node.setSize([node.size[0], Math.max(node.size[1], node.computeSize()[1])]);
    for (const [i, upper] of nodes.entries())
        for (const lower of nodes.slice(i + 1)) {
            const beside = lower.pos[0] >= upper.pos[0] + upper.size[0]
                || upper.pos[0] >= lower.pos[0] + lower.size[0];
            const free = upper.pos[1] + upper.size[1] + LiteGraph.NODE_TITLE_HEIGHT + gap;
            if (!beside && lower.pos[1] < free) lower.pos = [lower.pos[0], free];
        }
}"""
BOUNDS = """() => {
    const title = LiteGraph.NODE_TITLE_HEIGHT;
    const boxes = [
        ...app.graph._nodes.map(n => [
            n.pos[0], n.pos[1] - title, n.pos[0] + n.size[0], n.pos[1] + n.size[1]]),
        ...(app.graph.groups ?? app.graph._groups).map(one => [
            ...one.pos, one.pos[0] + one.size[0], one.pos[1] + one.size[1]]),
    ];
    return [0, 1, 2, 3].map(i => (i < 2 ? Math.min : Math.max)(...boxes.map(box => box[i])));
}"""
SHOW = """([x, y]) => {
    app.canvas.deselectAll?.();
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [x, y];
    app.canvas.setDirty(true, true);
}"""
OPEN = """async ([workflow, name]) => {
    await app.loadGraphData(workflow, true, true, name);
    const store = app.extensionManager.workflow; // no tab but its own
    for (const other of store.openWorkflows.filter(one => one !== store.activeWorkflow))
        await store.closeWorkflow(other);
}"""
ALONE = """kind => {
    app.graph.clear();
    const node = LiteGraph.createNode(kind);
    app.graph.add(node);
    node.pos = [0, 0];
    const [width, height] = node.computeSize();
    node.setSize([Math.max(width, 330), height]); // no title is cut
}"""
SET = """values => {
    for (const node of app.graph._nodes.filter(node => node.type === 'AceSuiteSampler'))
        for (const widget of node.widgets)
            if (widget.name in values) widget.value = values[widget.name];
}"""
HAS_PREVIEW = """() => app.graph._nodes
    .some(node => node.type === 'AceSuiteSampler' && node.imgs?.length)"""


def read(name: str) -> dict[str, Any]:
    text = (WORKFLOWS / f"{SHIPPED[name].file}.json").read_text(encoding="utf-8")
    return json.loads(text)


def framed(opened: page.Opened) -> Image.Image:
    """The whole graph at its own size, without the page's bars around it."""
    from PIL import Image

    x, y, right, bottom = opened.page.evaluate(BOUNDS)
    width, height = int(right - x) + 2 * EDGE, int(bottom - y) + 2 * EDGE
    left, top = MARGIN[:2]
    size = {"width": width + left + MARGIN[2], "height": height + top + MARGIN[3]}
    opened.page.set_viewport_size(size)  # pyright: ignore[reportArgumentType]
    opened.page.wait_for_timeout(400)
    opened.page.evaluate(SHOW, [left + EDGE - x, top + EDGE - y])
    opened.page.wait_for_timeout(600)
    place = {"x": left, "y": top, "width": width, "height": height}
    shot = opened.page.screenshot(clip=place, type="png")  # pyright: ignore[reportArgumentType]
    return Image.open(io.BytesIO(shot)).convert("RGB")


def store(opened: page.Opened, path: Path, largest: int = jpeg.LARGEST) -> None:
    opened.page.evaluate(ROOM, EDGE)
    picture = framed(opened)
    quality, size = jpeg.write(picture, path, largest), path.stat().st_size
    width, height = picture.size
    print(
        f"{path.relative_to(ROOT)}: {width} x {height}, {size / 1000:.0f} kB, q{quality}",
        flush=True,
    )


def workflow(opened: page.Opened, name: str) -> None:
    if SHIPPED[name].form:
        return form(opened, name)
    opened.load(read(name))
    if name not in NOT_RUN:
        opened.page.evaluate(SET, SHORT)
        entry = opened.run(WAIT)
        assert entry["status"]["status_str"] == "success", (name, entry["status"])
    assert not opened.said(), (name, opened.said())
    store(opened, SCREENS / f"{name}.jpg")


def form(opened: page.Opened, name: str) -> None:
    """A form that was filled in and run, as App mode shows it."""
    from PIL import Image

    opened.page.set_viewport_size(FORM)  # pyright: ignore[reportArgumentType]
    opened.page.evaluate(OPEN, [read(name), SHIPPED[name].file])
    entry = opened.run(WAIT)
    assert entry["status"]["status_str"] == "success", (name, entry["status"])
    opened.dismiss()
    opened.page.wait_for_timeout(2500)
    shot = Image.open(io.BytesIO(opened.page.screenshot(type="png"))).convert("RGB")
    jpeg.write(shot, SCREENS / f"{name}.jpg")
    opened.page.evaluate("() => app.graph.clear()")


def live(opened: page.Opened) -> None:
    """A run that is long enough, looked at as soon as the Sampler shows something."""
    opened.load(read("text_to_music"))
    opened.page.evaluate(SET, LONG)
    prompt = opened.page.evaluate(page.QUEUE)
    until = time.monotonic() + WAIT
    while not opened.page.evaluate(HAS_PREVIEW):
        entry = get_json(f"{opened.url}/history/{prompt}").get(prompt)
        assert not entry, f"it was over before a preview came: {entry['status']}"
        assert time.monotonic() < until, "no preview came"
        opened.page.wait_for_timeout(300)
    opened.page.wait_for_timeout(4000)  # the first pictures are short
    store(opened, SCREENS / f"{LIVE}.jpg")
    opened.page.evaluate("() => app.api.interrupt()")
    while not get_json(f"{opened.url}/history/{prompt}").get(prompt):
        time.sleep(0.2)


def nodes(opened: page.Opened) -> None:
    known = get_json(f"{opened.url}/object_info")
    for kind, about in known.items():
        if about["python_module"] == f"custom_nodes.{comfyui.NAME}":
            opened.page.evaluate(ALONE, kind)
            store(opened, HELP / "img" / f"{kind}.jpg", LARGEST_NODE)
            show_in_help(kind, about["display_name"])


def show_in_help(kind: str, title: str) -> None:
    """Put the picture at the top of a node's help page, where it is not there yet."""
    path, line = HELP / f"{kind}.md", f"![{title}](img/{kind}.jpg)"
    if not path.is_file():
        print(f"{path.relative_to(ROOT)} is missing: {title} has no help page")
        return
    text = path.read_text(encoding="utf-8")
    if not text.startswith(f"{line}\n"):
        path.write_text(f"{line}\n\n{text}", encoding="utf-8")


def make_base(folder: Path) -> Path:
    """A place for ComfyUI with a checkpoint."""
    base = comfyui.make_base(folder)
    models = base / "models" / "acestep"
    if small.is_here():
        models.mkdir()
        (models / small.FOLDER.name).symlink_to(small.FOLDER, target_is_directory=True)
    else:
        write_folder(models / "tiny")
    return base


@contextmanager
def checkpoint(base: Path, opened: page.Opened) -> Iterator[None]:
    """A file of the name that ComfyUI's own loader asks for: nothing is red for want of it."""
    folder = base / "models" / "checkpoints"
    folder.mkdir(exist_ok=True)
    (folder / SINGLE_FILE).write_bytes(HOLLOW)
    opened.reload()
    yield
    (folder / SINGLE_FILE).unlink()  # our own loader would take it


def main(names: list[str]) -> int:
    works: dict[str, Callable[[page.Opened], None]] = {
        name: lambda opened, name=name: workflow(opened, name) for name in SHIPPED
    }
    works |= {LIVE: live, NODES: nodes}
    if unknown := set(names) - set(works):
        print(f"No such picture: {', '.join(unknown)}. There are: {', '.join(works)}.")
        return 2
    if not comfyui.checkouts() or page.chromium() is None:
        print("COMFYUI_PATH has to name a ComfyUI checkout, and a Chromium has to be there.")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder))
        with (
            comfyui.running(comfyui.checkouts()[-1], base) as server,
            page.opened(server.url) as opened,
        ):
            opened.page.evaluate(PLAIN)
            for name in names or works:
                with checkpoint(base, opened) if name in NOT_RUN else nullcontext():
                    works[name](opened)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
