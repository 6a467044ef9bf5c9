"""The routes as an OpenAPI 3.1 document, made of what the routes are made of.

ROUTES + models of requests.py + answers.py -> document()
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..config import VERSION
from . import answers
from .parameters import ENDPOINTS, Endpoint, Parameter
from .queue import BEGIN_WITHIN
from .requests import model_of
from .routes import ROUTES, Does, Route
from .shapes import REFERENCE, schemas_of

TEXT = {"type": "string"}
FILE = {"type": "string", "contentMediaType": "application/octet-stream"}
EVENTS = "text/event-stream"

# Everything a route may answer with.
KINDS: dict[str, Any] = {
    "Error": answers.Error,
    "Prediction": answers.Prediction,
    "Uploaded": answers.Uploaded,
    "Begun": answers.Begun,
    "Initiated": answers.Initiated,
    "CdnToken": answers.CdnToken,
    "Stored": answers.Stored,
    "Queued": answers.Queued,
    "Standing": answers.Standing,
    "Result": answers.Result,
    "Stopped": answers.Stopped,
    "Document": dict[str, Any],
}

BROUGHT = (400, 404, 413)
# Of each route: what it says of itself, its answers, the errors it may give.
SAID: dict[Does, tuple[str, dict[int, str], tuple[int, ...]]] = {
    "submit": ("Queue a request.", {200: "Prediction"}, (400, 413, 415, 429)),
    "result": ("How a request is doing, or its outputs.", {200: "Prediction"}, (404,)),
    "cancel": ("Take a request out of the queue, or stop it.", {200: "Prediction"}, (404,)),
    "upload": (
        "Bring a file; use its URL or name as audio.",
        {200: "Uploaded"},
        (400, 413, 415),
    ),
    "begin": (
        "Begin to bring a file: where to PUT it, and the URL it will have.",
        {200: "Begun"},
        (400, 413, 429),
    ),
    "bring": ("The file itself, to the address that was given for it.", {200: "Uploaded"}, BROUGHT),
    "initiate": ("The same, fal's way.", {200: "Initiated"}, (400, 413, 429)),
    "pass": ("What fal's Python client asks for before it stores.", {200: "CdnToken"}, ()),
    "store": ("A file as the body, fal's way.", {200: "Stored"}, (400, 413)),
    "document": ("This document.", {200: "Document"}, ()),
    "direct": (
        "Make it and wait. Hanging up cancels. At a host queue.* the queue form answers.",
        {200: "Result"},
        (400, 413, 415, 422, 429, 504),
    ),
    "queue": ("Queue a request, fal's way.", {200: "Queued"}, (400, 413, 415, 429)),
    "standing": ("How it is doing.", {200: "Standing"}, (404,)),
    "watch": ("How it is doing, whenever that changes, until it is over.", {200: EVENTS}, (404,)),
    "answer": ("Its result; 400 until it is there.", {200: "Result"}, (400, 404, 422, 504)),
    "stop": ("Cancel it.", {202: "Stopped", 400: "Stopped"}, (404,)),
}


def _named(name: str) -> dict[str, Any]:
    """What is told of a file before it comes."""
    size = {"type": "integer", "minimum": 1}
    fields = {name: {**TEXT, "minLength": 1}, "size": size, "content_type": TEXT}
    return {"type": "object", "properties": fields, "required": [name]}


@cache
def document() -> dict[str, Any]:
    """The whole document; shared, so not to be changed."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    requests = {one.name: _schema(one) for one in ENDPOINTS.values()}
    kinds, definitions = schemas_of(KINDS)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ACE-Step Suite",
            "version": VERSION,
            "description": "The hosted endpoints' requests against your own ComfyUI.",
        },
        "paths": paths,
        "components": {
            "schemas": {**requests, **kinds, **definitions},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "Key TOKEN, as fal's clients write it.",
                },
            },
        },
    }


def _schema(endpoint: Endpoint) -> dict[str, Any]:
    return model_of(endpoint).model_json_schema()


def _operation(route: Route) -> dict[str, Any]:
    summary, answers, errors = SAID[route.does]
    name = route.endpoint.name if route.endpoint and route.does in TAKE else ""
    found: dict[str, Any] = {
        "summary": route.endpoint.about if name and route.endpoint else summary,
        "description": summary,
        "operationId": f"{route.method.lower()}{_letters(route.path)}",
        "responses": {
            str(status): _answer(kind)
            for status, kind in {**answers, **_errors(route, answers, errors)}.items()
        },
    }
    if not (route.is_open or route.has_ticket):
        found["security"] = [{}, {"bearer": []}, {"key": []}]
    if route.does in BODIES:
        found["requestBody"] = _content(BODIES[route.does])
    if "{id}" in route.path:
        found["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    if route.does in ("direct", "queue"):
        found["parameters"] = [{"name": BEGIN_WITHIN, "in": "header", "schema": SECONDS}]
    if name and route.endpoint:
        found["requestBody"] = _body(route.endpoint)
    elif route.does == "upload":
        form = {"type": "object", "properties": {"file": FILE}, "required": ["file"]}
        found["requestBody"] = _content({"multipart/form-data": form})
    return found


TAKE_FILE = {"application/octet-stream": {}}
BODIES: dict[Does, dict[str, Any]] = {
    "begin": {"application/json": _named("filename")},
    "initiate": {"application/json": _named("file_name")},
    "bring": TAKE_FILE,
    "store": TAKE_FILE,
}
SECONDS = {
    "type": "number",
    "exclusiveMinimum": 0,
    "description": "Within which it has to begin; it is given up otherwise (504).",
}
TAKE = ("submit", "direct", "queue")  # have the parameters of an endpoint as their body


def _errors(route: Route, answers: dict[int, str], errors: tuple[int, ...]) -> dict[int, str]:
    token = () if route.is_open or route.has_ticket else (401,)
    always = () if route.is_open else (*token, 403, 507)
    return {status: "Error" for status in (*always, *errors) if status not in answers}


def _body(endpoint: Endpoint) -> dict[str, Any]:
    reference = {"$ref": REFERENCE.format(model=endpoint.name)}
    content: dict[str, Any] = {"application/json": reference}
    if endpoint.source is not None:
        content["multipart/form-data"] = _form(endpoint, endpoint.source)
    return _content(content)


def _form(endpoint: Endpoint, source: Parameter) -> dict[str, Any]:
    """The same fields with the audio as a file."""
    schema = _schema(endpoint)
    return {**schema, "properties": {**schema["properties"], source.name: FILE}}


def _content(kinds: dict[str, Any]) -> dict[str, Any]:
    content = {kind: {"schema": schema} for kind, schema in kinds.items()}
    return {"required": True, "content": content}


def _answer(kind: str) -> dict[str, Any]:
    if kind == EVENTS:  # each event's data is a Standing
        return {"description": "Standing", "content": {EVENTS: {"schema": TEXT}}}
    schema = {"schema": {"$ref": REFERENCE.format(model=kind)}}
    return {"description": kind, "content": {"application/json": schema}}


def _letters(path: str) -> str:
    return "".join(part.capitalize() for part in path.replace("-", "/").split("/")).translate(
        {ord(char): None for char in "{}._"}
    )
