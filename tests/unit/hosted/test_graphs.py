"""Requests as graphs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acestep_core.hosted.graphs import graph_of
from acestep_core.hosted.parameters import ENDPOINTS, Endpoint
from acestep_core.hosted.requests import read, with_seeds
from tests.unit.hosted.test_requests import least
from tests.unit.nodes.pack import NODES

EVERY = pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=list(ENDPOINTS))


def inputs(graph: dict, kind: str) -> dict:
    (node,) = (node for node in graph.values() if node["class_type"] == kind)
    return node["inputs"]


@EVERY
def test_every_value_reaches_the_node(endpoint: Endpoint) -> None:
    values = with_seeds(read(endpoint, least(endpoint.name)))
    given = {name: value for name, value in values.items() if value is not None}
    graph = graph_of(endpoint, values, "a.wav [input]", "id")
    found = inputs(graph, endpoint.node)
    for one in endpoint.parameters:
        if one.is_for_node and one.kind != "audio" and one.name in given:
            assert found[one.name] == given[one.name], one.name
        if not one.is_for_node:
            assert one.name not in found
    assert inputs(graph, "AceSuiteSaveAudio")["filename_prefix"] == "acestep_api/id"
    if endpoint.source:
        assert inputs(graph, "AceSuiteOpenAudio")["audio"] == "a.wav [input]"
    else:
        assert "AceSuiteOpenAudio" not in json.dumps(graph)


@EVERY
def test_the_node_has_the_same_inputs_ranges_and_defaults(endpoint: Endpoint) -> None:
    """The box and the route are two faces of one table."""
    kinds = NODES[endpoint.node].INPUT_TYPES()
    widgets = {**kinds["required"], **kinds.get("optional", {})}
    for one in endpoint.parameters:
        if not one.is_for_node or one.kind == "audio":
            continue
        kind, options = widgets[one.name]
        if one.kind == "choice":
            assert set(kind) == set(one.choices)
            assert options["default"] == one.default
        elif one.kind in ("number", "integer") and "seed" not in one.name:
            assert (options["min"], options["max"]) == (one.low, one.high), one.name
            assert options["default"] == one.default, one.name
        elif one.name == "seed":
            assert (options["min"], options["max"]) == (0, one.high)


def test_the_template_stays_as_it_is() -> None:
    endpoint = ENDPOINTS["text-to-audio"]
    values = with_seeds(read(endpoint, {"tags": "one"}))
    first = graph_of(endpoint, values, "", "a")
    second = graph_of(endpoint, {**values, "tags": "two"}, "", "b")
    assert inputs(first, endpoint.node)["tags"] == "one"
    assert inputs(second, endpoint.node)["tags"] == "two"


def test_original_seed_is_given_where_it_is_known(tmp_path: Path) -> None:
    endpoint = ENDPOINTS["full-control"]
    values = with_seeds(read(endpoint, {**least("full-control"), "original_seed": 9}))
    assert inputs(graph_of(endpoint, values, "a", "b"), endpoint.node)["original_seed"] == 9
