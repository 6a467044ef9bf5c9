"""Subgraph blueprints: loader and one box as a single node, in ComfyUI's own node menu.

    Blueprint -> subgraphs/NAME.json      (hosts of late 2025 and after; older ones ignore them)

A page complains at every start about one that is not as it should be, so a test opens them all.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.workflows.kinds import OPTIONAL, Input, kind_of
from scripts.workflows.words import STYLE, TAGS, WORDS

INPUT, OUTPUT = -10, -20  # ids of a subgraph's own ends
LOAD, BOX = 1, 2
WIDTH, COLUMN = 300, 380
STATE = {"lastGroupId": 0, "lastNodeId": BOX, "lastLinkId": 0, "lastRerouteId": 0}
GIVEN = ("audio", "info")  # outputs of the box that the node has
CONTROL = "randomize"


@dataclass(frozen=True)
class Blueprint:
    name: str
    box: str
    about: str
    widgets: tuple[str, ...]  # of the box, that the node shows
    values: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"acestep-suite/blueprint/{self.name}"))


CHANGED = {"tags": STYLE, "lyrics": ""}
BLUEPRINTS = (
    Blueprint(
        "ACE-Step Song",
        "AceSuiteTextToAudio",
        "A song from tags and lyrics.",
        ("tags", "lyrics", "duration"),
        {"tags": TAGS, "lyrics": WORDS, "duration": 30},
    ),
    Blueprint(
        "ACE-Step Inpaint",
        "AceSuiteAudioInpaint",
        "A part of a song made new; the rest stays, sample for sample.",
        ("tags", "lyrics", "start_time", "end_time", "variance"),
        {**CHANGED, "start_time": 4, "end_time": 8},
    ),
    Blueprint(
        "ACE-Step Extend",
        "AceSuiteAudioOutpaint",
        "New music before a song, after it, or both; the song itself stays.",
        ("tags", "lyrics", "extend_before_duration", "extend_after_duration"),
        {**CHANGED, "extend_after_duration": 15},
    ),
    Blueprint(
        "ACE-Step Remix",
        "AceSuiteAudioToAudio",
        "Another style for a song; rhythm, tempo and melody stay.",
        ("original_tags", "tags", "original_lyrics", "lyrics"),
        {"original_tags": STYLE, "tags": "house, synthesizer, synth bass, fast, 110 bpm"},
    ),
)


def file_of(blueprint: Blueprint) -> dict[str, Any]:
    """The file: one node, and the subgraph that it stands for."""
    kind = kind_of(blueprint.box)
    sockets = [one for one in kind.sockets if one.type == "AUDIO"]
    shown = [*sockets, *(kind.input(name) for name in blueprint.widgets)]
    node = {
        "id": 1,
        "type": blueprint.id,
        "title": blueprint.name,
        "pos": [0, 0],
        "size": [WIDTH, 300],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [_slot(one) for one in shown],
        "outputs": [{"name": name, "type": _type_of(blueprint, name)} for name in GIVEN],
        "properties": {"proxyWidgets": [["-1", name] for name in blueprint.widgets]},
        "widgets_values": [_value(blueprint, kind.input(name)) for name in blueprint.widgets],
    }
    return {
        "revision": 0,
        "last_node_id": 1,
        "last_link_id": 0,
        "nodes": [node],
        "links": [],
        "version": 0.4,
        "definitions": {"subgraphs": [_subgraph(blueprint, shown)]},
        "extra": {},
    }


def _type_of(blueprint: Blueprint, output: str) -> str:
    kind = kind_of(blueprint.box)
    return kind.outputs[kind.slot_of(output)][1]


def _value(blueprint: Blueprint, given: Input) -> Any:
    value = blueprint.values.get(given.name, given.default)
    return int(value) if isinstance(value, float) and value == int(value) else value


def _slot(given: Input) -> dict[str, Any]:
    return {
        "name": given.name,
        **({"shape": OPTIONAL} if given.is_optional and not given.is_widget else {}),
        "type": given.type,
        **({"widget": {"name": given.name}} if given.is_widget else {}),
    }


def _subgraph(blueprint: Blueprint, shown: list[Input]) -> dict[str, Any]:
    box = kind_of(blueprint.box)
    slots = [*box.sockets, *(one for one in shown if one.is_widget)]
    links = [_link(1, (LOAD, 0), (BOX, slots.index(box.input("model"))), "ACESUITE_MODEL")]
    for place, one in enumerate(shown):
        links.append(_link(len(links) + 1, (INPUT, place), (BOX, slots.index(one)), one.type))
    for place, name in enumerate(GIVEN):
        start = (BOX, box.slot_of(name))
        type_ = _type_of(blueprint, name)
        links.append(_link(len(links) + 1, start, (OUTPUT, place), type_))
    height = 30 + 20 * max(len(shown), 2)
    return {
        "id": blueprint.id,
        "version": 1,
        "state": {**STATE, "lastLinkId": len(links)},
        "revision": 0,
        "config": {},
        "name": blueprint.name,
        "inputNode": {"id": INPUT, "bounding": [-200, 200, 140, height]},
        "outputNode": {"id": OUTPUT, "bounding": [2 * COLUMN + 60, 0, 120, 80]},
        "inputs": [
            _end(blueprint, one.name, one.type, links, ("origin_id", INPUT, place))
            for place, one in enumerate(shown)
        ],
        "outputs": [
            _end(blueprint, name, _type_of(blueprint, name), links, ("target_id", OUTPUT, place))
            for place, name in enumerate(GIVEN)
        ],
        "widgets": [],
        "nodes": [_inner(blueprint, LOAD, [], links), _inner(blueprint, BOX, slots, links)],
        "groups": [],
        "links": links,
        "extra": {},
        "category": "ACE-Step",
        "description": blueprint.about,
    }


def _link(number: int, start: tuple[int, int], end: tuple[int, int], type_: str) -> dict[str, Any]:
    return {
        "id": number,
        "origin_id": start[0],
        "origin_slot": start[1],
        "target_id": end[0],
        "target_slot": end[1],
        "type": type_,
    }


def _end(
    blueprint: Blueprint,
    name: str,
    type_: str,
    links: list[dict[str, Any]],
    at: tuple[str, int, int],
) -> dict[str, Any]:
    """A slot of the subgraph's own ends; `at` is which side of a link, whose, and where."""
    side, own, place = at
    slot = f"{side.removesuffix('_id')}_slot"
    return {
        "id": str(uuid.uuid5(uuid.UUID(blueprint.id), f"{side} {name}")),
        "name": name,
        "type": type_,
        "linkIds": [one["id"] for one in links if one[side] == own and one[slot] == place],
    }


def _inner(
    blueprint: Blueprint, own: int, slots: list[Input], links: list[dict[str, Any]]
) -> dict[str, Any]:
    type_ = blueprint.box if own == BOX else "AceSuiteLoad"
    kind = kind_of(type_)
    into = {one["target_slot"]: one["id"] for one in links if one["target_id"] == own}
    values: list[Any] = []
    for one in kind.widgets:
        values.append(_value(blueprint, one) if own == BOX else one.default)
        values += [CONTROL] if one.has_control else []
    return {
        "id": own,
        "type": type_,
        "pos": [0 if own == LOAD else COLUMN, 0],
        "size": [WIDTH, 130 if own == LOAD else 420],
        "flags": {},
        "order": own - 1,
        "mode": 0,
        "inputs": [
            {**_slot(one), **({"link": into[place]} if place in into else {})}
            for place, one in enumerate(slots)
        ],
        "outputs": [
            {
                "name": name,
                "type": of,
                "links": [
                    one["id"]
                    for one in links
                    if (one["origin_id"], one["origin_slot"]) == (own, place)
                ],
            }
            for place, (name, of) in enumerate(kind.outputs)
        ],
        "properties": {"Node name for S&R": type_},
        "widgets_values": values,
    }
