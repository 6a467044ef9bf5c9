"""Every node's help page shows the node, and every workflow has its picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.jpeg import LARGEST
from scripts.screenshots import FORM, SHIPPED
from tests.unit.nodes.pack import NODES, ROOT

HELP, SCREENS = ROOT / "web" / "docs", ROOT / "docs" / "screens"
WORKFLOWS = sorted(path.stem for path in (ROOT / "workflows" / "api").glob("*.json"))
WORKFLOWS = [name for name in WORKFLOWS if not name.startswith("hosted_")]
ANEW = "make it with scripts/screenshots.py"


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a JPEG that can be read to its end."""
    from PIL import Image

    with Image.open(path) as picture:
        assert picture.format == "JPEG"
        picture.load()
        return picture.size


@pytest.mark.parametrize("kind", sorted(NODES))
def test_help_page_begins_with_the_nodes_picture(kind: str) -> None:
    page = HELP / f"{kind}.md"
    assert page.is_file(), f"{kind} has no help page"
    first, rest = page.read_text(encoding="utf-8").split("\n", 1)
    # Relative: the page resolves it against docs/, wherever the pack lies.
    assert first.endswith(f"](img/{kind}.jpg)"), f"{page.name} shows no picture: {ANEW} nodes"
    assert rest.strip()
    picture = HELP / "img" / f"{kind}.jpg"
    assert picture.is_file(), f"{picture.name} is missing: {ANEW} nodes"
    assert picture.stat().st_size <= 40_000
    width, height = size_of(picture)
    assert width >= 300
    assert height >= 80


def test_no_picture_of_a_node_that_is_gone() -> None:
    assert {path.stem for path in (HELP / "img").iterdir()} <= set(NODES)


def width_of(name: str) -> int:
    """Of a graph at its own size; of the page around a form."""
    shipped = SHIPPED["text_to_music" if name == "live_preview" else name]
    if shipped.form:
        return FORM["width"]
    text = (ROOT / "workflows" / f"{shipped.file}.json").read_text(encoding="utf-8")
    boxes = [(node["pos"][0], node["size"][0]) for node in json.loads(text)["nodes"]]
    return int(max(x + wide for x, wide in boxes) - min(x for x, _ in boxes))


@pytest.mark.parametrize("name", [*WORKFLOWS, "live_preview"])
def test_workflow_has_a_readable_picture(name: str) -> None:
    picture = SCREENS / f"{name}.jpg"
    assert picture.is_file(), f"{picture.name} is missing: {ANEW} {name}"
    assert picture.stat().st_size <= LARGEST
    assert size_of(picture)[0] >= width_of(name), "smaller, and its text could not be read"


def test_pictures_stay_small_together() -> None:
    found = [*SCREENS.iterdir(), *(HELP / "img").iterdir()]
    assert sum(path.stat().st_size for path in found) <= 2_500_000
