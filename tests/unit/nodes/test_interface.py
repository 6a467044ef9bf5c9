"""The public interface of the nodes: nothing that a saved workflow relies on goes or moves.

    python -m tests.unit.nodes.test_interface      records what was added, at the latest when it
                                                   is released; interface.json is what it writes

Saved workflows name outputs by their place and widgets by their order: what is new comes last.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.nodes.pack import NODES

RECORDED = Path(__file__).parent / "interface.json"
Interface = dict[str, dict[str, list[str]]]


def of_node(node: Any) -> dict[str, list[str]]:
    """Inputs as "name: KIND" and outputs as "name: KIND", in their order."""
    inputs = node.INPUT_TYPES()
    found = {
        group: [f"{name}: {_kind(given)}" for name, given in inputs.get(group, {}).items()]
        for group in ("required", "optional")
    }
    outputs = zip(node.RETURN_NAMES, node.RETURN_TYPES, strict=True)
    return {**found, "outputs": [f"{name}: {kind}" for name, kind in outputs]}


def _kind(given: tuple[Any, ...]) -> str:
    return given[0] if isinstance(given[0], str) else "COMBO"


def interface() -> Interface:
    return {name: of_node(node) for name, node in NODES.items()}


def recorded() -> Interface:
    return json.loads(RECORDED.read_text(encoding="utf-8"))


def broken(before: Interface, now: Interface) -> list[str]:
    """What saved workflows would miss, in words; what is recorded must begin what there is."""
    found = [f"{name} is gone" for name in before if name not in now]
    for name in before.keys() & now.keys():
        for group, held in before[name].items():
            there = now[name][group]
            if there[: len(held)] != held:
                found.append(f"{name}, {group}: {held} were recorded, {there} are there")
        if len(now[name]["required"]) > len(before[name]["required"]):
            found.append(f"{name}: a new input must be optional")
    return found


def test_nothing_recorded_is_removed_renamed_or_moved() -> None:
    assert broken(recorded(), interface()) == []


@pytest.mark.parametrize("group", ["required", "optional", "outputs"])
def test_each_kind_of_break_is_found(group: str) -> None:
    before: Interface = {"A": {"required": ["a: X"], "optional": ["b: X"], "outputs": ["c: X"]}}
    for held in ([], ["other: X"], ["new: Y", *before["A"][group]], [before["A"][group][0][0]]):
        assert broken(before, {"A": {**before["A"], group: held}})
    assert broken(before, {})
    grown = {"A": {**before["A"], group: [*before["A"][group], "new: Y"]}}
    assert bool(broken(before, grown)) == (group == "required")


if __name__ == "__main__":
    text = json.dumps(interface(), indent=1) + "\n"
    RECORDED.write_text(text, encoding="utf-8")
