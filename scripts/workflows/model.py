"""What a workflow is before it has places: nodes in columns of two rows, wires by name.

Workflow(columns of cells, groups, form) ; a cell is a Node or a Note
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PICTURE = "acesuite_regions"  # the page's drawing of a source; no input of its node


@dataclass(frozen=True)
class Wire:
    """An output of another node of the workflow."""

    node: str
    output: str


@dataclass(frozen=True)
class Node:
    kind: str
    inputs: Mapping[str, Any] = field(default_factory=dict)  # values, and Wires
    title: str = ""  # another than the kind's own
    height: int = 0  # of one that holds text; others are as high as they have to be
    more: int = 0  # by which it is higher than usual after a run
    space: int = 0  # left free below it, more than usual
    control: str = "fixed"  # what becomes of its seed after a run; fixed keeps what was made
    models: tuple[Mapping[str, str], ...] = ()  # files that the page offers to download


@dataclass(frozen=True)
class Note:
    text: str  # Markdown
    height: int
    title: str = "About"


Cells = Mapping[str, Node | Note]


@dataclass(frozen=True)
class Column:
    width: int
    first: Cells  # of the upper row, from the top
    second: Cells = field(default_factory=dict)  # of the lower row
    # The upper row begins so far down: wires from the loader pass above the nodes between.
    drop: int = 0
    gap: int = 40  # to the next one: wires bend in it, the more the longer they are


@dataclass(frozen=True)
class Group:
    title: str
    members: tuple[str, ...]
    colour: str


@dataclass(frozen=True)
class Form:
    """What App mode asks for and shows."""

    inputs: tuple[tuple[str, str, str], ...]  # node, widget or PICTURE, what it is called there
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Workflow:
    name: str  # of the API form
    title: str  # of the file, which is all that the template browser knows
    card: str  # large words on its picture
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    form: Form | None = None

    @property
    def file(self) -> str:
        """The name without .json; pages take NAME.app.json for an app."""
        return f"{self.title}.app" if self.form else self.title

    @property
    def cells(self) -> dict[str, Node | Note]:
        rows = [row for one in self.columns for row in (one.first, one.second)]
        return {key: cell for row in rows for key, cell in row.items()}

    @property
    def ids(self) -> dict[str, int]:
        """Notes last: they are none of the prompt's."""
        cells = sorted(self.cells.items(), key=lambda one: isinstance(one[1], Note))
        return {key: number for number, (key, _) in enumerate(cells, start=1)}
