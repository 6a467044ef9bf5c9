"""A request as a graph for ComfyUI's queue: the shipped one, with the request's values in it.

workflows/api/GRAPH.json + values + audio file -> graph
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from ..records.record import Json
from ..settings import Value
from .parameters import Endpoint
from .queue import Graph

WORKFLOWS = Path(__file__).resolve().parents[2] / "workflows" / "api"
LOADER, SAVER = "AceSuiteOpenAudio", "AceSuiteSaveAudio"
OUTPUTS = "acestep_api"  # folder below output/


def graph_of(
    endpoint: Endpoint,
    values: Mapping[str, Value],
    source: str,
    job_id: str,
    folder: Path = WORKFLOWS,
) -> Graph:
    """`values` as requests.py leaves them, seeds resolved; `source` as the loader takes it."""
    graph = copy.deepcopy(_template(folder / f"{endpoint.graph}.json"))
    given = {
        one.name: values[one.name]
        for one in endpoint.parameters
        if one.is_for_node and one.kind != "audio" and values[one.name] is not None
    }
    _inputs(graph, endpoint.node).update(given)
    # Of its own for each request: an equal one would otherwise show the earlier one's file.
    _inputs(graph, SAVER)["filename_prefix"] = f"{OUTPUTS}/{job_id}"
    if endpoint.source is not None:
        _inputs(graph, LOADER)["audio"] = source
    return graph


def _inputs(graph: Graph, kind: str) -> dict[str, Json]:
    """The inputs of the one node of that kind."""
    (node,) = (one for one in graph.values() if one["class_type"] == kind)
    inputs = node["inputs"]
    assert isinstance(inputs, dict)
    return inputs


@cache
def _template(path: Path) -> Graph:
    return json.loads(path.read_text(encoding="utf-8"))
