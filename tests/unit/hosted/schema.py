"""Whether an answer is what the shipped OpenAPI document says of its route."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs

from acestep_core.hosted.openapi import document


def operation_of(method: str, path: str) -> dict[str, Any]:
    """What the document says of a route; `path` with an id in place of {id}."""
    for template, found in document()["paths"].items():
        pattern = re.escape(template).replace(re.escape("{id}"), "[^/]+")
        if re.fullmatch(pattern, path) and method.lower() in found:
            return found[method.lower()]
    raise AssertionError(f"{method} {path} is not in the document")


def check_answer(method: str, path: str, status: int, body: Any) -> None:
    """Raise where the answer is not one that the document knows."""
    answers = operation_of(method, path)["responses"]
    assert str(status) in answers, f"{method} {path} answers {status}, which is not documented"
    schema = answers[str(status)]["content"]["application/json"]["schema"]
    whole = {**schema, "components": document()["components"]}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(body)
