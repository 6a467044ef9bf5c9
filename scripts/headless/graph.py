"""A graph in ComfyUI's API format: read, its nodes by name, its values changed, errors told.

    {"4": {"class_type": "AceSuiteSampler", "inputs": {"seed": 1, "model": ["1", 0]}}, ...}

Only the standard library.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Graph = dict[str, dict[str, Any]]
InputsOf = Callable[[str], list[str]]  # class of a node -> the names of its inputs


class GraphError(ValueError):
    """What is wrong with a graph or with a name in it, and what there is instead."""


def read_graph(name: str) -> Graph:
    try:
        data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        graph = json.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise GraphError(f"{name} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise GraphError(f"{name} is no JSON: {error}.") from None
    if isinstance(graph, dict) and isinstance(graph.get("nodes"), list):
        raise GraphError(
            f"{name} is a workflow as the page saves it; the server takes the API format. In the"
            " page: Workflow, Export (API). The shipped ones are in workflows/api.",
        )
    nodes = list(graph.values()) if isinstance(graph, dict) else []
    if not nodes or not all(isinstance(node, dict) and "class_type" in node for node in nodes):
        raise GraphError(f'{name} is no graph in API format: {{"1": {{"class_type": ...}}, ...}}.')
    for node in nodes:
        node.setdefault("inputs", {})
    return graph


def title_of(graph: Graph, node: str) -> str:
    return f"{_names(graph, node)[1]} ({node})" if node in graph else f"node {node}"


def _names(graph: Graph, node: str) -> tuple[str, str, str]:
    """What a node may be called: its id, its title, its class."""
    kind = str(graph[node]["class_type"])
    return node, str((graph[node].get("_meta") or {}).get("title") or kind), kind


def node_called(graph: Graph, name: str) -> str:
    """The id of a node by its id, or by a title or class that only one node has."""
    for place in range(3):
        found = [node for node in graph if _names(graph, node)[place] == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise GraphError(f"{name!r} names {len(found)} nodes: {', '.join(found)}. Give the id.")
    there = "\n".join("  {}: {}, {}".format(*_names(graph, node)) for node in graph)
    raise GraphError(f"No node is called {name!r}. The graph has:\n{there}")


def target_of(graph: Graph, words: str, inputs_of: InputsOf) -> tuple[str, str]:
    """NODE.input -> (id, input), where both exist."""
    name, dot, field = words.rpartition(".")
    if not dot:
        raise GraphError(f"{words!r} has no input: write NODE.input.")
    node = node_called(graph, name)
    known = list(graph[node]["inputs"])
    if field not in known:
        # Optional inputs may be left out of a graph; what no node reads would change nothing.
        known += [n for n in inputs_of(graph[node]["class_type"]) if n not in known]
    if field not in known:
        raise GraphError(
            f"{title_of(graph, node)} has no input {field!r}, but: {', '.join(known)}."
        )
    return node, field


def value_of(text: str, before: Any) -> Any:
    """JSON where it is that, else the text as it stands.

    What was a text stays one, "24" in a list of choices for example, unless JSON says a text, a
    list or an object.
    """
    try:
        value = json.loads(text)
    except ValueError:
        return text
    is_plain = value is None or isinstance(value, bool | int | float)
    return text if is_plain and isinstance(before, str) else value


def refusals(graph: Graph, answer: dict[str, Any]) -> list[str]:
    """One line for each thing the server does not like: node, input, reason, value."""
    lines = []
    for node, found in (answer.get("node_errors") or {}).items():
        for one in found.get("errors", []):
            extra = one.get("extra_info") or {}
            parts = [title_of(graph, node), extra.get("input_name")]
            text = " ".join(filter(None, [one.get("message", ""), one.get("details", "")]))
            if "received_value" in extra:
                text += f" (given: {json.dumps(extra['received_value'], ensure_ascii=False)})"
            lines.append(f"{', '.join(filter(None, parts))}: {text}")
    return lines
