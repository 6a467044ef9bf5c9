"""Pictures of what nodes show, to be looked at: both renderers, dark and light.

    COMFYUI_PATH=/path/to/ComfyUI python -m scripts.looks FOLDER [SCENE ...]

    workflows/NAME.json -> changed, run, clicked on -> FOLDER/SCENE_RENDERER_COLOURS.png

Nothing is arranged for the picture: what overlaps or is cut in it does so on the page.
COMFY_FRONTEND names another page than the server's own, as for the tests.
"""

from __future__ import annotations

import sys
import tempfile
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


@dataclass(frozen=True)
class Scene:
    workflow: str | None = None  # else these nodes alone:
    kinds: tuple[str, ...] = ()
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    click: str | None = None  # a button of the song
    whole_page: bool = False  # with its toasts


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
    "vary": Scene("text_to_music", click="Vary this", whole_page=True),
    "inpaint_this": Scene("text_to_music", click="Inpaint this", whole_page=True),
    "extend_this": Scene("text_to_music", click="Extend this"),
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
    for kind, values in scene.values.items():
        for name, value in values.items():
            opened.choose(kind, name, value)
    queued = opened.press()
    if queued:
        opened.ended(queued, 240)
    if scene.click:
        opened.click(SONG, scene.click)


def picture(opened: page.Opened, scene: Scene, path: Path) -> None:
    shown(opened, scene)
    if scene.whole_page:
        opened.shot(path)
    else:
        framed(opened).save(path)
    print(path, " | ".join(opened.said()), flush=True)
    for error in opened.errors():
        print(f"  the page says: {error}", flush=True)


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
    with (
        tempfile.TemporaryDirectory() as base,
        comfyui.running(comfyui.checkouts()[-1], make_base(Path(base))) as server,
    ):
        for nodes2 in (False, True):
            for colours in ("dark", "light"):
                for name in names or SCENES:
                    renderer = "nodes2" if nodes2 else "canvas"
                    with page.opened(server.url, nodes2, colours=colours) as opened:
                        path = place / f"{name}_{renderer}_{colours}.png"
                        picture(opened, SCENES[name], path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
