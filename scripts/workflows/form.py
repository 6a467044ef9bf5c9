"""A workflow as files: as a page saves it, and as /prompt takes it.

Workflow, places -> {nodes, links, groups, extra}      Workflow -> {id: {inputs, class_type}}
"""

from __future__ import annotations

import uuid
from typing import Any

from scripts.workflows import layout
from scripts.workflows.kinds import OPTIONAL, Input, Kind, kind_of
from scripts.workflows.layout import Place
from scripts.workflows.model import Node, Note, Wire, Workflow

NOTE_COLOURS = {"color": "#432", "bgcolor": "#653"}
FONT = 22  # of a group's title


def page_form(workflow: Workflow) -> dict[str, Any]:
    places, ids, links = layout.placed(workflow), workflow.ids, _links(workflow)
    nodes = [
        _note(ids[key], cell, places[key])
        if isinstance(cell, Note)
        else _node(workflow, key, cell, places[key], links)
        for key, cell in sorted(workflow.cells.items(), key=lambda one: ids[one[0]])
    ]
    order = _order(workflow)
    for node in nodes:
        node["order"] = order.index(node["id"])
    groups = [
        {
            "id": number,
            "title": group.title,
            "bounding": layout.bounds(workflow, places, group.members),
            "color": group.colour,
            "font_size": FONT,
            "flags": {},
        }
        for number, group in enumerate(workflow.groups, start=1)
    ]
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"acestep-suite/{workflow.name}")),
        "revision": 0,
        "last_node_id": len(nodes),
        "last_link_id": len(links),
        "nodes": nodes,
        "links": links,
        "groups": groups,
        "config": {},
        "extra": _extra(workflow),
        "version": 0.4,
    }


def prompt_form(workflow: Workflow) -> dict[str, Any]:
    ids = workflow.ids
    return {
        str(ids[key]): {
            "inputs": _asked(workflow, node),
            "class_type": node.kind,
            "_meta": {"title": node.title or kind_of(node.kind).title},
        }
        for key, node in _nodes(workflow)
    }


def _nodes(workflow: Workflow) -> list[tuple[str, Node]]:
    return [(key, cell) for key, cell in workflow.cells.items() if isinstance(cell, Node)]


def _asked(workflow: Workflow, node: Node) -> dict[str, Any]:
    kind = kind_of(node.kind)
    for name in node.inputs:
        kind.input(name)  # a name that is none is a fault of the description
    values = {one.name: _value(node, one) for one in kind.widgets}
    wires = {name: one for name, one in node.inputs.items() if isinstance(one, Wire)}
    return values | {
        name: [str(workflow.ids[wire.node]), _slot(workflow, wire)] for name, wire in wires.items()
    }


def _value(node: Node, given: Input) -> Any:
    value = node.inputs.get(given.name, given.default)
    if isinstance(value, Wire):  # an example's text would look like what the wire brings
        value = "" if given.type == "STRING" else given.default
    # As JavaScript writes a number.
    return int(value) if isinstance(value, float) and value == int(value) else value


def _slot(workflow: Workflow, wire: Wire) -> int:
    source = workflow.cells[wire.node]
    assert isinstance(source, Node)
    return kind_of(source.kind).slot_of(wire.output)


def _links(workflow: Workflow) -> list[list[Any]]:
    """[id, from, slot, to, slot, type] of every wire."""
    made: list[list[Any]] = []
    for key, node in _nodes(workflow):
        for slot, given in enumerate(_slots(workflow, key, node)):
            wire = node.inputs.get(given.name)
            if isinstance(wire, Wire):
                start = (workflow.ids[wire.node], _slot(workflow, wire))
                type_ = _kind(workflow, wire.node).outputs[start[1]][1]
                made.append([len(made) + 1, *start, workflow.ids[key], slot, type_])
    return made


def _kind(workflow: Workflow, key: str) -> Kind:
    node = workflow.cells[key]
    assert isinstance(node, Node)
    return kind_of(node.kind)


def _slots(workflow: Workflow, key: str, node: Node) -> list[Input]:
    """Sockets, then widgets that a wire comes into or that have a name of their own in a form."""
    kind = kind_of(node.kind)
    named = _labels(workflow, key)
    more = [
        one
        for one in kind.widgets
        if isinstance(node.inputs.get(one.name), Wire) or one.name in named
    ]
    return [*kind.sockets, *more]


def _labels(workflow: Workflow, key: str) -> dict[str, str]:
    asked = workflow.form.inputs if workflow.form else ()
    return {widget: label for node, widget, label in asked if node == key and label != widget}


def _node(
    workflow: Workflow, key: str, node: Node, place: Place, links: list[list[Any]]
) -> dict[str, Any]:
    kind, own = kind_of(node.kind), workflow.ids[key]
    outputs = [
        {
            "name": name,
            "type": type_,
            "links": [link[0] for link in links if link[1:3] == [own, slot]],
        }
        for slot, (name, type_) in enumerate(kind.outputs)
    ]
    made = {
        "id": own,
        "type": node.kind,
        **({"title": node.title} if node.title else {}),
        "pos": [place.x, place.y],
        "size": [place.width, place.height],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": _inputs(workflow, key, node, links),
        "outputs": outputs,
        "properties": {"Node name for S&R": node.kind},
        "widgets_values": _saved(node, kind),
    }
    if node.models:
        made["properties"]["models"] = [dict(model) for model in node.models]
    return made


def _inputs(
    workflow: Workflow, key: str, node: Node, links: list[list[Any]]
) -> list[dict[str, Any]]:
    into = {link[4]: link[0] for link in links if link[3] == workflow.ids[key]}
    labels = _labels(workflow, key)
    return [
        {
            "name": given.name,
            **({"shape": OPTIONAL} if given.is_optional else {}),
            "type": given.type,
            **({"label": labels[given.name]} if given.name in labels else {}),
            **({"widget": {"name": given.name}} if given.is_widget else {}),
            **({"link": into[slot]} if slot in into else {}),
        }
        for slot, given in enumerate(_slots(workflow, key, node))
    ]


def _saved(node: Node, kind: Kind) -> list[Any]:
    values: list[Any] = []
    for one in kind.widgets:
        values.append(_value(node, one))
        if one.has_control:
            values.append(node.control)
    return [*values, *kind.saved_after]


def _note(own: int, note: Note, place: Place) -> dict[str, Any]:
    return {
        "id": own,
        "type": "MarkdownNote",
        "title": note.title,
        "pos": [place.x, place.y],
        "size": [place.width, place.height],
        "flags": {},
        "order": 0,
        "mode": 0,
        "inputs": [],
        "outputs": [],
        "properties": {},
        "widgets_values": [note.text],
        **NOTE_COLOURS,
    }


def _order(workflow: Workflow) -> list[int]:
    """Ids, every node behind those that it has wires from."""
    ids, done = workflow.ids, list[str]()

    def visit(key: str) -> None:
        if key in done:
            return
        cell = workflow.cells[key]
        for wire in cell.inputs.values() if isinstance(cell, Node) else ():
            if isinstance(wire, Wire):
                visit(wire.node)
        done.append(key)

    for key in ids:
        visit(key)
    return [ids[key] for key in done]


def _extra(workflow: Workflow) -> dict[str, Any]:
    """Pairs of node and widget: the one form that every page with App mode reads."""
    if workflow.form is None:
        return {}
    ids = workflow.ids
    return {
        "linearMode": True,
        "linearData": {
            "inputs": [[ids[node], widget] for node, widget, _ in workflow.form.inputs],
            "outputs": [ids[node] for node in workflow.form.outputs],
        },
    }
