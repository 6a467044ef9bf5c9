"""Pictures of what nodes show, to be looked at: both renderers, dark and light.

    COMFYUI_PATH=/path/to/ComfyUI python -m scripts.looks FOLDER [SCENE ...]

    workflows/NAME.json -> changed, run, clicked on -> FOLDER/SCENE_RENDERER_COLOURS.png

Nothing is arranged for the picture: what overlaps or is cut in it does so on the page.
COMFY_FRONTEND names another page than the server's own, as for the tests.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.host import comfyui, page
from scripts.screenshots import framed, make_base, read

SHORT = {"seconds": 8.0, "steps": 4, "seed": 77}
SONG, SAMPLER = "AceSuiteSaveAudio", "AceSuiteSampler"
WORDS = (
    "[verse]\nMorning comes in over the water\n"
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01\nsmile \U0001f600"
)
NO_MAP = "() => app.extensionManager.setting.set('Comfy.Minimap.Visible', false)"
ALONE = """kinds => {
    app.graph.clear();
    let x = 0;
    for (const kind of kinds) {
        const node = LiteGraph.createNode(kind);
        app.graph.add(node);
        node.pos = [x, 0];
        const [width, height] = node.computeSize();
        node.setSize([Math.max(width, 400), Math.max(height, 260)]);
        x += 440;
    }
}"""


# As narrow as the pointer can make them.
NARROW = """() => {
    for (const node of app.graph._nodes)
        node.setSize([Math.min(node.size[0], node.computeSize()[0]), node.size[1]]);
}"""
WINDOW, SMALL_WINDOW = (1600, 1000), (1024, 640)
# Of the pack, what a ComfyUI needs of it but for the model.
PACKED = ("__init__.py", "acestep_core", "locales", "nodes", "subgraphs", "web", "workflows")


@dataclass(frozen=True)
class Scene:
    workflow: str | None = None  # else these nodes alone:
    kinds: tuple[str, ...] = ()
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    clicks: tuple[str, ...] = ()  # buttons of the song
    again: dict[str, dict[str, Any]] = field(default_factory=dict)  # values of another run
    whole_page: bool = False  # with its toasts
    size: tuple[int, int] = WINDOW
    is_narrow: bool = False  # its nodes
    has_model: bool = True  # any at all


SCENES = {
    "song": Scene("text_to_music"),
    "takes": Scene("takes"),
    "inpaint": Scene("inpaint"),
    "words": Scene("prompt_to_song"),
    "locked": Scene(
        "prompt_to_song",
        values={"AceSuiteSongWriter": {"lock": True, "tags": "jazz", "lyrics": WORDS}},
    ),
    "grey": Scene("remix"),
    "tools": Scene(
        kinds=("AceSuiteLyricPreview", "AceSuiteSetupCheck"),
        values={"AceSuiteLyricPreview": {"lyrics": WORDS}},
    ),
    "failed": Scene("text_to_music", values={"AceSuiteTagEncode": {"tags": " "}}, whole_page=True),
    "refused": Scene("text_to_music", values={SAMPLER: {"steps": 5000}}, whole_page=True),
    "vary": Scene("text_to_music", clicks=("Vary this",), whole_page=True),
    "inpaint_this": Scene("text_to_music", clicks=("Inpaint this",), whole_page=True),
    "extend_this": Scene("text_to_music", clicks=("Extend this",)),
    "chains": Scene(
        "text_to_music",
        clicks=("Inpaint this", "Vary this", "Inpaint this"),
        again={SAMPLER: {"batch_size": 3}},
    ),
    "lora": Scene("lora"),
    "no_model": Scene("text_to_music", whole_page=True, has_model=False),
    "no_download": Scene(
        "text_to_music",
        values={"AceSuiteLoad": {"checkpoint": "download"}},
        whole_page=True,
        has_model=False,
    ),
    "small_window": Scene("text_to_music", whole_page=True, size=SMALL_WINDOW),
    "small_window_failed": Scene(
        "inpaint",
        values={"AceSuiteInpaintMask": {"start": 8.0, "end": 4.0}},
        whole_page=True,
        size=SMALL_WINDOW,
    ),
    "narrow_takes": Scene("takes", is_narrow=True),
    "narrow_inpaint": Scene("inpaint", is_narrow=True),
    "narrow_words": Scene("prompt_to_song", is_narrow=True),
}


def shown(opened: page.Opened, scene: Scene) -> None:
    """The scene, as it is once it was run."""
    opened.page.evaluate(NO_MAP)
    if scene.workflow:
        opened.load(read(scene.workflow))
        opened.set(SAMPLER, **SHORT)
        opened.choose(SAMPLER, "control_after_generate", "fixed")
        if scene.workflow == "inpaint":
            opened.set("AceSuiteInpaintMask", start=4.0, end=8.0)
    else:
        opened.page.evaluate(ALONE, scene.kinds)
    run(opened, scene.values)
    for button in scene.clicks:
        opened.click(SONG, button)
    if scene.again:
        run(opened, scene.again)
    if scene.is_narrow:
        opened.page.evaluate(NARROW)


def run(opened: page.Opened, asked: dict[str, dict[str, Any]]) -> None:
    for kind, values in asked.items():
        for name, value in values.items():
            opened.choose(kind, name, value)
    queued = opened.press()
    if queued:
        opened.ended(queued, 240)


def picture(opened: page.Opened, scene: Scene, path: Path) -> None:
    shown(opened, scene)
    if scene.whole_page:
        opened.shot(path)
    else:
        framed(opened).save(path)
    print(path, " | ".join(opened.said()), flush=True)
    for error in opened.errors():
        print(f"  the page says: {error}", flush=True)


@contextmanager
def started(has_model: bool) -> Iterator[comfyui.Running]:
    """A server; without a model the pack is a copy that lacks its own."""
    checkout = comfyui.checkouts()[-1]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        if has_model:
            make_base(base)
        else:
            link = comfyui.make_base(base) / "custom_nodes" / comfyui.NAME
            link.unlink()
            link.mkdir()
            for name in PACKED:
                whole = comfyui.PACK / name
                copy = shutil.copytree if whole.is_dir() else shutil.copy
                copy(whole, link / name)
        with comfyui.running(checkout, base) as server:
            yield server


def main(arguments: list[str]) -> int:
    folder, *names = arguments or [""]
    if not folder or set(names) - set(SCENES):
        print(f"python -m scripts.looks FOLDER [SCENE ...]; scenes: {', '.join(SCENES)}.")
        return 2
    if not comfyui.checkouts() or page.chromium() is None:
        print("COMFYUI_PATH has to name a ComfyUI checkout, and a Chromium has to be there.")
        return 2
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for has_model in (True, False):
        chosen = [one for one in names or SCENES if SCENES[one].has_model is has_model]
        if chosen:
            with started(has_model) as server:
                pictures(server, chosen, place)
    return 0


def pictures(server: comfyui.Running, names: list[str], place: Path) -> None:
    for nodes2 in (False, True):
        for colours in ("dark", "light"):
            for name in names:
                scene, renderer = SCENES[name], "nodes2" if nodes2 else "canvas"
                with page.opened(server.url, nodes2, scene.size, colours=colours) as opened:
                    picture(opened, scene, place / f"{name}_{renderer}_{colours}.png")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
