"""Fingers on the picture: regions drawn and changed by one, the picture moved by two, and
nothing of it taken by the graph below or by a form that is swiped.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acestep_core.config import FRAME, SAMPLE_RATE
from scripts.host import page
from tests.host.test_regions import BEATS, MASK, SECONDS, seen, values, with_beats, write_beats

pytestmark = [pytest.mark.page, pytest.mark.usefixtures("_pictures")]

FRAME_SECONDS = FRAME / SAMPLE_RATE
STEPS = 6  # of a movement
GRAPH = "kind => [app.canvas.ds.scale, ...app.canvas.ds.offset, ...testNode(kind).pos]"
Places = list[tuple[float, float]]


@pytest.fixture
def _pictures(panels: bool) -> None:
    if not panels:
        pytest.skip("this renderer shows plain widgets alone")


class Fingers:
    """As a touch screen sends them, by the browser's own protocol."""

    def __init__(self, opened: page.Opened) -> None:
        self.page = opened.page
        self.session = opened.page.context.new_cdp_session(opened.page)
        touch = {"enabled": True, "maxTouchPoints": 5}
        self.session.send("Emulation.setTouchEmulationEnabled", touch)

    def send(self, kind: str, places: Places) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self.page.wait_for_timeout(30)

    def move(self, start: Places, end: Places) -> None:
        """Down one after the other, along, and up one after the other."""
        for count in range(1, len(start) + 1):
            self.send("touchStart", start[:count])
        for step in range(1, STEPS + 1):
            share = step / STEPS
            pairs = zip(start, end, strict=True)
            self.send(
                "touchMove",
                [(a + (c - a) * share, b + (d - b) * share) for (a, b), (c, d) in pairs],
            )
        for count in range(len(end) - 1, -1, -1):
            self.send("touchEnd", end[:count])
        self.page.evaluate(page.DRAWN)

    def close(self) -> None:
        self.session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
        self.session.detach()


@pytest.fixture
def fingers(opened: page.Opened, base: Path) -> Iterator[Fingers]:
    write_beats(base / "input" / BEATS, SECONDS)
    made = Fingers(opened)
    yield made
    made.close()


def at(picture: dict[str, Any], share: float, height: float = 0.45) -> tuple[float, float]:
    """A place of the picture, by shares of its width and height."""
    return (
        picture["left"] + share * picture["width"],
        picture["top"] + height * picture["height"],
    )


def test_regions_by_a_finger(opened: page.Opened, fingers: Fingers) -> None:
    opened.load(with_beats("inpaint"))
    picture = seen(opened, MASK)
    graph = opened.page.evaluate(GRAPH, MASK)

    def slide(start: float, end: float) -> list[float]:
        places = [[at(picture, one / SECONDS)] for one in (start, end)]
        fingers.move(*places)
        return values(opened, "start", "end")

    near = FRAME_SECONDS / 4
    assert slide(16.1, 19.9) == pytest.approx([16, 20], abs=near), "made"
    assert slide(20.1, 23.1) == pytest.approx([16, 23], abs=near), "an edge"
    assert slide(19, 15) == pytest.approx([12, 19], abs=near), "the whole of it"
    assert opened.page.evaluate(GRAPH, MASK) == graph, "the graph stays where it is"
    assert not opened.errors()


def test_the_picture_is_moved_by_two_fingers(opened: page.Opened, fingers: Fingers) -> None:
    opened.load(with_beats("inpaint"))
    picture = seen(opened, MASK)
    graph, before = opened.page.evaluate(GRAPH, MASK), values(opened, "start", "end")

    def both(*shares: float) -> Places:
        return [at(picture, share) for share in shares]

    fingers.move(both(0.4, 0.6), both(0.25, 0.75))  # 2.5 times as large: 9 to 21 s
    fingers.move(both(0.4, 0.6), both(0.15, 0.35))  # and on by a quarter of that: 12 to 24 s
    assert values(opened, "start", "end") == before, "two fingers make no region"
    assert opened.page.evaluate(GRAPH, MASK) == graph, "the graph is not zoomed"
    fingers.move(both(0.26), both(0.74))
    start, end = values(opened, "start", "end")
    assert start == pytest.approx(15, abs=0.6)
    assert end == pytest.approx(21, abs=0.6)
    assert not opened.errors()
