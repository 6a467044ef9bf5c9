"""Places for the nodes of a workflow: columns beside one another, two rows, groups around them.

    columns, heights -> {key: Place}, [x, y, width, height] of groups

A node's place has room for what it shows after a run, in both renderers: Nodes 2.0 draws
larger. Heights are measured (tests/host/test_look.py holds them to the real page).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from scripts.workflows.model import Cells, Node, Note, Workflow

TITLE = 30  # a node's bar, above its place
BELOW = 8  # between a node and the bar of the next
EDGE = 10  # of a group around its members
LOWEST = 1160  # that a group may reach: what a laptop shows of the smallest that it opens at
LETTERS = 30  # by which Nodes 2.0 draws a note higher
HEAD = 28  # of a group, for its title
# Kind -> height when it is opened, and after a run with all it then shows.
HEIGHTS = {
    "AceSuiteLoad": (130, 360),
    "AceSuiteLoRA": (150, 195),
    "AceSuiteTagEncode": (88, 144),
    "AceSuiteLyricEncode": (156, 212),
    "AceSuiteSampler": (330, 540),
    "AceSuiteInpaintMask": (462, 590),  # with its waveform, as the next two
    "AceSuiteExtend": (350, 430),
    "AceSuiteRetake": (90, 140),
    "AceSuiteRemixEdit": (502, 540),
    "AceSuiteAudioReference": (90, 135),
    "AceSuiteDCAEDecode": (110, 230),
    "AceSuiteToConditioning": (90, 130),
    "AceSuiteSaveAudio": (220, 600),
    "AceSuiteSongWriter": (390, 540),
    "AceSuiteTextToAudio": (400, 650),
    "AceSuiteAudioToAudio": (600, 700),
    "AceSuiteAudioInpaint": (660, 730),  # with its waveform, as the next one
    "AceSuiteAudioOutpaint": (580, 630),
    "LoadAudio": (136, 154),
    "CheckpointLoaderSimple": (100, 155),
    "ModelSamplingSD3": (60, 85),
    "ConditioningZeroOut": (30, 50),
    "EmptyAceStepLatentAudio": (85, 115),
    "KSampler": (262, 320),
    "AceSuiteCompareTakes": (100, 300),
    "PreviewImage": (340, 370),
}


@dataclass(frozen=True)
class Place:
    x: int
    y: int
    width: int
    height: int
    room: int  # its height after a run, and what is left free below


def placed(workflow: Workflow) -> dict[str, Place]:
    places: dict[str, Place] = {}
    lefts = [0, *accumulate(column.width + column.gap for column in workflow.columns)]
    for x, column in zip(lefts, workflow.columns, strict=False):
        _stack(places, column.first, x, column.drop, column.width)
    lower = _second_row(workflow, places)
    for x, column in zip(lefts, workflow.columns, strict=False):
        _stack(places, column.second, x, lower, column.width)
    return places


def _stack(places: dict[str, Place], cells: Cells, x: int, y: int, width: int) -> None:
    for key, cell in cells.items():
        height, room = _heights(cell)
        room += cell.space if isinstance(cell, Node) else 0
        places[key] = Place(x, y, width, height, room)
        y += room + BELOW + TITLE


def _heights(cell: Node | Note) -> tuple[int, int]:
    if isinstance(cell, Note):
        return cell.height, cell.height + LETTERS
    height, room = HEIGHTS[cell.kind]
    given = cell.height or height
    return given, max(given + room - height, room) + cell.more


def _second_row(workflow: Workflow, places: dict[str, Place]) -> int:
    """Where it begins: below the upper row of the columns that have a lower one."""
    above = [places[key] for one in workflow.columns if one.second for key in one.first]
    bottom = max((place.y + place.room for place in above), default=0)
    return bottom + EDGE + BELOW // 2 + HEAD + TITLE


def bounds(workflow: Workflow, places: dict[str, Place], members: tuple[str, ...]) -> list[int]:
    """x, y, width and height of a group around these."""
    inside = [places[key] for key in members]
    left, right = min(p.x for p in inside), max(p.x + p.width for p in inside)
    top = min(p.y for p in inside) - TITLE - HEAD
    bottom = min(LOWEST, max(p.y + p.room for p in inside))
    return [left - EDGE, top, right - left + 2 * EDGE, bottom - top + EDGE]


def bent(first: tuple[float, float], last: tuple[float, float]) -> list[tuple[float, float]]:
    """Points of a wire from a node's right side to another's left, as pages bend it."""
    (x1, y1), (x2, y2) = first, last
    bend = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5 / 4
    points = []
    for step in range(41):
        t = step / 40
        a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        x = a * x1 + b * (x1 + bend) + c * (x2 - bend) + d * x2
        points.append((x, (a + b) * y1 + (c + d) * y2))
    return points
