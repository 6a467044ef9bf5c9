"""The document is valid, complete, and the same as the tables."""

from __future__ import annotations

import json

import jsonschema_rs
import pytest

from acestep_core.hosted.openapi import document
from acestep_core.hosted.parameters import ENDPOINTS
from acestep_core.hosted.routes import ROUTES
from tests.unit.hosted.schema import check_answer

THEIRS = {
    ("POST", "/acestep/v1/text-to-audio"),
    ("POST", "/acestep/v1/prompt-to-audio"),
    ("POST", "/acestep/v1/audio-to-audio"),
    ("POST", "/acestep/v1/audio-inpaint"),
    ("POST", "/acestep/v1/audio-outpaint"),
    ("GET", "/acestep/v1/predictions/{id}/result"),
    ("POST", "/acestep/v1/predictions/{id}/cancel"),
    ("GET", "/acestep/v1/openapi.json"),
    ("POST", "/api/v3/wavespeed-ai/ace-step"),
    ("POST", "/api/v3/wavespeed-ai/ace-step/prompt-to-audio"),
    ("POST", "/api/v3/wavespeed-ai/ace-step/audio-to-audio"),
    ("POST", "/api/v3/wavespeed-ai/ace-step/audio-inpaint"),
    ("GET", "/api/v3/predictions/{id}/result"),
    ("POST", "/fal-ai/ace-step/audio-to-audio"),
    ("POST", "/acestep/queue/fal-ai/ace-step/audio-to-audio"),
}


def test_every_promised_route_is_there_once() -> None:
    found = [(route.method, route.path) for route in ROUTES]
    assert set(found) >= THEIRS
    assert len(found) == len(set(found))


def test_every_route_is_documented() -> None:
    paths = document()["paths"]
    documented = {(method.upper(), path) for path, found in paths.items() for method in found}
    assert documented == {(route.method, route.path) for route in ROUTES}
    names = [found["operationId"] for path in paths.values() for found in path.values()]
    assert len(names) == len(set(names))


def test_every_schema_is_one() -> None:
    for name, schema in document()["components"]["schemas"].items():
        jsonschema_rs.validator_for({**schema, "components": document()["components"]})
        assert schema.get("additionalProperties") is False or name in ("Document", "Standing")


def test_references_lead_somewhere() -> None:
    known = document()["components"]["schemas"]
    text = json.dumps(document())
    found = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert found <= set(known)
    assert {one.name for one in ENDPOINTS.values()} <= set(known)


def test_ranges_stand_in_the_document() -> None:
    fields = document()["components"]["schemas"]["text-to-audio"]["properties"]
    assert fields["duration"]["minimum"] == 5
    assert fields["duration"]["maximum"] == 240
    assert fields["duration"]["default"] == 60
    assert fields["seed"]["type"] == "integer"
    assert (fields["seed"]["minimum"], fields["seed"]["maximum"]) == (-1, 2**31 - 1)
    edit = document()["components"]["schemas"]["full-control"]["properties"]
    assert edit["guidance_type"]["enum"] == ["apg", "cfg", "cfg_star"]


def test_a_wrong_answer_is_found() -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        check_answer("GET", "/acestep/v1/predictions/a/result", 200, {"code": 200})
    with pytest.raises(AssertionError, match="not documented"):
        check_answer("GET", "/acestep/v1/predictions/a/result", 500, {})
