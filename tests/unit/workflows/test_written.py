"""The workflows' files are what their descriptions say, and can be read at a glance."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.workflows.__main__ import PLACE, blueprints, files
from scripts.workflows.catalogue import WORKFLOWS
from scripts.workflows.example import PLACE as CLIP
from scripts.workflows.kinds import kind_of
from scripts.workflows.layout import bent, placed
from scripts.workflows.model import PICTURE, Node, Note, Wire, Workflow
from scripts.workflows.words import EXAMPLE

ROOT = Path(__file__).resolve().parents[3]
NAMES = [workflow.name for workflow in WORKFLOWS]
WIDEST = 1300
# What pages fill of a laptop's screen of 1366 x 768 when they open a graph: of the hosts 0.3.64 has
# the largest bars around it.
VIEW = (1326 * 0.75, 728 * 0.75)
PADDING = 20  # around it
READABLE = 0.6  # zoom
TITLE, SLOT, FIRST, CLEAR = 30, 20, 14, 4  # as the canvas draws
SEARCHED = 33  # characters of a name that 0.20.1's search looks at


@pytest.fixture(params=WORKFLOWS, ids=NAMES)
def workflow(request: pytest.FixtureRequest) -> Workflow:
    return request.param


def page_form(workflow: Workflow) -> dict[str, Any]:
    return json.loads((PLACE / f"{workflow.file}.json").read_text(encoding="utf-8"))


def test_files_are_as_described(workflow: Workflow) -> None:
    for path, text in files(workflow).items():
        assert path.read_text(encoding="utf-8") == text, "run python -m scripts.workflows"


def test_blueprints_are_as_described() -> None:
    written = blueprints()
    assert set((ROOT / "subgraphs").iterdir()) == set(written)
    for path, text in written.items():
        assert path.read_text(encoding="utf-8") == text, "run python -m scripts.workflows"
        assert "null" not in text, "pages take it for damage"


def test_no_other_workflow_lies_there() -> None:
    written = {path for workflow in WORKFLOWS for path in files(workflow)}
    found = {*PLACE.glob("*.json"), *(PLACE / "api").glob("*.json")}
    assert {path for path in found if not path.name.startswith("hosted_")} == written
    assert {path.stem for path in PLACE.glob("*.jpg")} == {one.file for one in WORKFLOWS}


def test_names_are_numbered_and_found() -> None:
    titles = [workflow.title for workflow in WORKFLOWS]
    numbers = [int(re.match(r"ACE-Step v1 (\d\d) ", title)[1]) for title in titles]  # pyright: ignore[reportOptionalSubscript]
    assert numbers == list(range(1, len(titles) + 1))
    for word in ("ace", "song", "music", "inpaint", "remix"):
        found = [title for title in titles if word in title[:SEARCHED].lower()]
        assert found, word
    assert not any(set(title) & set('#?%&/\\:*"<>|') for title in titles), "part of an address"


def test_picture_is_a_small_square(workflow: Workflow) -> None:
    from PIL import Image

    path = PLACE / f"{workflow.file}.jpg"
    with Image.open(path) as picture:
        assert picture.width == picture.height >= 400
    assert path.stat().st_size <= 30_000


def boxes(workflow: Workflow, after_run: bool) -> dict[str, tuple[int, int, int, int]]:
    """left, top with the bar, right, bottom"""
    return {
        key: (p.x, p.y - TITLE, p.x + p.width, p.y + (p.room if after_run else p.height))
        for key, p in placed(workflow).items()
    }


def test_nodes_have_room_after_a_run(workflow: Workflow) -> None:
    all_boxes = list(boxes(workflow, after_run=True).items())
    for index, (one, a) in enumerate(all_boxes):
        for other, b in all_boxes[index + 1 :]:
            apart = a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]
            assert apart, (one, other)


def test_whole_graph_is_readable_when_it_opens(workflow: Workflow) -> None:
    """Pages fit the nodes alone: groups go down to what nodes show after a run."""
    nodes = boxes(workflow, after_run=False).values()
    left, right = min(box[0] for box in nodes), max(box[2] for box in nodes)
    top, bottom = min(box[1] for box in nodes), max(box[3] for box in nodes)
    assert right - left <= WIDEST
    zoom = min(VIEW[0] / (right - left + PADDING), VIEW[1] / (bottom - top + PADDING))
    assert zoom >= READABLE, (right - left, bottom - top)


def test_no_wire_runs_behind_a_node(workflow: Workflow) -> None:
    saved, behind = page_form(workflow), []
    keys = {number: key for key, number in workflow.ids.items()}
    places = boxes(workflow, after_run=True)
    for _, start, slot_from, end, slot_to, _ in saved["links"]:
        a, b = places[keys[start]], places[keys[end]]
        first = (a[2], a[1] + TITLE + FIRST + SLOT * slot_from)
        last = (b[0], b[1] + TITLE + FIRST + SLOT * slot_to)
        for key, (left, top, right, bottom) in places.items():
            if key not in (keys[start], keys[end]) and any(
                left + CLEAR < x < right - CLEAR and top + CLEAR < y < bottom - CLEAR
                for x, y in bent(first, last)
            ):
                behind.append((keys[start], keys[end], key))
    assert not behind


def test_groups_hold_all_but_free_notes(workflow: Workflow) -> None:
    held = [key for group in workflow.groups for key in group.members]
    assert len(held) == len(set(held))
    missing = set(workflow.cells) - set(held)
    assert all(isinstance(workflow.cells[key], Note) for key in missing)
    assert all(group.title for group in workflow.groups)
    areas = [group["bounding"] for group in page_form(workflow)["groups"]]
    for index, (x, y, width, height) in enumerate(areas):
        for left, top, wide, high in areas[index + 1 :]:
            beside = x + width <= left or left + wide <= x
            assert beside or y + height <= top or top + high <= y, "groups lie upon one another"


def drawn() -> set[str]:
    """Kinds of nodes that the page draws the source on, by its script."""
    scripts = ROOT / "web" / "js" / "regions"
    assert f'addDOMWidget("{PICTURE}"' in (scripts / "mount.js").read_text(encoding="utf-8")
    return set(re.findall(r'"(AceSuite\w+)"', (scripts / "values.js").read_text(encoding="utf-8")))


def test_forms_ask_for_widgets_that_are_there_and_in_sight(workflow: Workflow) -> None:
    if workflow.form is None:
        assert page_form(workflow)["extra"] == {}
        return
    data = page_form(workflow)["extra"]["linearData"]
    assert all(len(pair) == 2 for pair in data["inputs"]), "0.20.1 takes plain pairs alone"
    for key, widget, label in workflow.form.inputs:
        node = workflow.cells[key]
        assert isinstance(node, Node)
        assert label
        if widget == PICTURE:
            assert node.kind in drawn(), "no page draws anything on it"
            continue
        given = kind_of(node.kind).input(widget)
        assert given.is_widget
        assert not isinstance(node.inputs.get(widget), Wire)
    assert 3 <= sum(isinstance(cell, Node) for cell in workflow.cells.values()) <= 5


def test_source_is_the_clip_that_comes_with_the_pack(workflow: Workflow) -> None:
    for cell in workflow.cells.values():
        if isinstance(cell, Node) and cell.kind == "LoadAudio":
            assert cell.inputs["audio"] == EXAMPLE == CLIP.name
    assert 100_000 < CLIP.stat().st_size < 500_000
    script = (ROOT / "web" / "js" / "templates.js").read_text(encoding="utf-8")
    assert f'"{EXAMPLE}"' in script
