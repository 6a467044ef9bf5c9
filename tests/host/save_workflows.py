"""Writes the shipped workflows: as a page saves them, as it sends them, and their pictures.

    python -m tests.host.save_workflows [NAME ...]

DRAFTS -> the older ComfyUI's page (COMFYUI_PATH names it first) -> workflows/NAME.json and
.jpg, workflows/api/NAME.json. text_to_music was laid out by hand; only its API form is renewed.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from acestep_core.weights.tiny import write_folder
from scripts.host import comfyui, page
from tests.host.drafts import DRAFTS, Draft, write_source

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows"
BY_HAND = "text_to_music"
SIZE = (3000, 1500)  # of the page: smaller, the nodes would be drawn without their text
ARRANGE = """({places, notes}) => {
    for (const node of app.graph._nodes) {
        const [x, y, width, height] = places[node.id];
        node.pos = [x, y];
        node.setSize([width, Math.max(height, node.computeSize()[1])]);
    }
    for (const [x, y, width, height, text] of notes) {
        const note = LiteGraph.createNode('MarkdownNote');
        app.graph.add(note);
        note.pos = [x, y];
        note.setSize([width, height]);
        note.widgets[0].value = text;
    }
}"""


def write(opened: page.Opened, name: str, draft: Draft) -> None:
    opened.load(draft.prompt)
    opened.page.evaluate(ARRANGE, {"places": draft.places, "notes": draft.notes})
    opened.page.wait_for_timeout(500)
    workflow, prompt = opened.saved()
    _store(WORKFLOWS / f"{name}.json", {**without_nulls(workflow), "extra": {}})
    _store(WORKFLOWS / "api" / f"{name}.json", without_players(prompt))
    opened.shot(WORKFLOWS / f"{name}.jpg")
    halved(WORKFLOWS / f"{name}.jpg")


def halved(path: Path) -> None:
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.resize((picture.width // 2, picture.height // 2))
    small.save(path, quality=80)


def without_nulls(value: Any) -> Any:
    """Keys without a value left out: pages that check the file take null for damage."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):  # of widgets' values, where places count
        return ["" if one is None else without_nulls(one) for one in value]
    return value


def without_players(prompt: dict[str, Any]) -> dict[str, Any]:
    for node in prompt.values():
        node["inputs"].pop("audioUI", None)
    return prompt


def _store(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = comfyui.make_base(Path(folder))
        write_folder(base / "models" / "acestep" / "tiny")
        write_source(base / "input" / "song.flac")
        with comfyui.running(comfyui.checkouts()[0], base) as server:
            with page.opened(server.url, size=SIZE) as opened:
                for name in names or DRAFTS:
                    write(opened, name, DRAFTS[name])
            with page.opened(server.url) as opened:
                text = (WORKFLOWS / f"{BY_HAND}.json").read_text(encoding="utf-8")
                opened.load(json.loads(text))
                prompt = without_players(opened.saved()[1])
                _store(WORKFLOWS / "api" / f"{BY_HAND}.json", prompt)


if __name__ == "__main__":
    main(sys.argv[1:])
