"""The routes as an OpenAPI 3.1 document, made of the same tables the routes are made of.

ROUTES + models of requests.py + ANSWERS -> document()
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..config import VERSION
from .parameters import ENDPOINTS, Endpoint, Parameter
from .requests import model_of
from .routes import ROUTES, Does, Route

TEXT, COUNT = {"type": "string"}, {"type": "integer", "minimum": 0}
URL = {"type": "string", "format": "uri"}


def _object(**properties: Any) -> dict[str, Any]:
    """An object that has all of these and nothing else; a name ending in _ may be left out."""
    return {
        "type": "object",
        "properties": {name.rstrip("_"): schema for name, schema in properties.items()},
        "required": [name for name in properties if not name.endswith("_")],
        "additionalProperties": False,
    }


def _list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


_REQUEST_URLS = {"request_id": TEXT, "status_url": URL, "response_url": URL, "cancel_url": URL}

ANSWERS: dict[str, dict[str, Any]] = {
    "Error": _object(
        code=COUNT,
        message=TEXT,
        detail=TEXT,
        errors=_list(_object(field=TEXT, message=TEXT, allowed=TEXT)),
    ),
    "Prediction": _object(
        code={"const": 200},
        message={"const": "success"},
        data=_object(
            id=TEXT,
            model={"enum": [one.model for one in ENDPOINTS.values()]},
            input={"type": "object", "description": "The request with its seed resolved."},
            outputs=_list(URL),
            urls=_object(get=URL),
            has_nsfw_contents={"type": "array", "maxItems": 0, "description": "Nothing classifies"},
            status={"enum": ["created", "processing", "completed", "failed"]},
            created_at={"type": "string", "format": "date-time"},
            error=TEXT,
            timings=_object(inference={**COUNT, "description": "milliseconds"}),
        ),
    ),
    "Uploaded": _object(
        code={"const": 200},
        message={"const": "success"},
        data=_object(type={"const": "audio"}, download_url=URL, filename=TEXT, size=COUNT),
    ),
    "Submitted": _object(**_REQUEST_URLS),
    "Standing": _object(
        **_REQUEST_URLS,
        status={"enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]},
        queue_position_=COUNT,
        logs_=_list(_object(message=TEXT)),
        metrics_=_object(inference_time={"type": "number", "minimum": 0}),
    ),
    "Result": _object(
        audio=_object(url=URL), seed={"type": "integer", "minimum": 0}, tags=TEXT, lyrics=TEXT
    ),
    "Stopped": _object(status={"enum": ["CANCELLATION_REQUESTED", "ALREADY_COMPLETED"]}),
    "Document": {"type": "object"},
}

# Of each route: what it says of itself, its answers, the errors it may give.
SAID: dict[Does, tuple[str, dict[int, str], tuple[int, ...]]] = {
    "submit": ("Queue a request.", {200: "Prediction"}, (400, 413, 415, 429)),
    "result": ("How a request is doing, or its outputs.", {200: "Prediction"}, (404,)),
    "cancel": ("Take a request out of the queue, or stop it.", {200: "Prediction"}, (404,)),
    "upload": ("Bring a file; use its URL or name as audio.", {200: "Uploaded"}, (400, 413, 415)),
    "document": ("This document.", {200: "Document"}, ()),
    "direct": (
        "Make it and wait. Hanging up cancels. At a host queue.* the queue form answers.",
        {200: "Result"},
        (400, 413, 415, 422, 429),
    ),
    "queue": ("Queue a request, fal's way.", {200: "Submitted"}, (400, 413, 415, 429)),
    "standing": ("How it is doing.", {200: "Standing"}, (404,)),
    "answer": ("Its result; 400 until it is there.", {200: "Result"}, (400, 404, 422)),
    "stop": ("Cancel it.", {202: "Stopped", 400: "Stopped"}, (404,)),
}


@cache
def document() -> dict[str, Any]:
    """The whole document; shared, so not to be changed."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    requests = {one.name: _schema(one) for one in ENDPOINTS.values()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ACE-Step Suite",
            "version": VERSION,
            "description": "The hosted endpoints' requests against your own ComfyUI.",
        },
        "paths": paths,
        "components": {
            "schemas": {**requests, **ANSWERS},
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
            str(status): _answer(f"#/components/schemas/{kind}")
            for status, kind in {**answers, **_errors(route, answers, errors)}.items()
        },
    }
    if not route.is_open:
        found["security"] = [{}, {"bearer": []}, {"key": []}]
    if "{id}" in route.path:
        found["parameters"] = [{"name": "id", "in": "path", "required": True, "schema": TEXT}]
    if name and route.endpoint:
        found["requestBody"] = _body(route.endpoint)
    elif route.does == "upload":
        file = _object(file={"type": "string", "contentMediaType": "application/octet-stream"})
        found["requestBody"] = _content({"multipart/form-data": file})
    return found


TAKE = ("submit", "direct", "queue")  # have the parameters of an endpoint as their body


def _errors(route: Route, answers: dict[int, str], errors: tuple[int, ...]) -> dict[int, str]:
    always = () if route.is_open else (401,)
    return {status: "Error" for status in (*always, *errors) if status not in answers}


def _body(endpoint: Endpoint) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{endpoint.name}"}
    content: dict[str, Any] = {"application/json": reference}
    if endpoint.source is not None:
        content["multipart/form-data"] = _form(endpoint, endpoint.source)
    return _content(content)


def _form(endpoint: Endpoint, source: Parameter) -> dict[str, Any]:
    """The same fields with the audio as a file."""
    schema = _schema(endpoint)
    file = {"type": "string", "contentMediaType": "application/octet-stream"}
    return {**schema, "properties": {**schema["properties"], source.name: file}}


def _content(kinds: dict[str, Any]) -> dict[str, Any]:
    content = {kind: {"schema": schema} for kind, schema in kinds.items()}
    return {"required": True, "content": content}


def _answer(reference: str) -> dict[str, Any]:
    schema = {"schema": {"$ref": reference}}
    return {"description": reference.rpartition("/")[2], "content": {"application/json": schema}}


def _letters(path: str) -> str:
    return "".join(part.capitalize() for part in path.replace("-", "/").split("/")).translate(
        {ord(char): None for char in "{}._"}
    )
