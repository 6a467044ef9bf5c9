"""A body, checked against the table of parameters.

    JSON object -> pydantic model, made from parameters.py -> every value, defaults filled in
    form fields -> values as JSON would have them          -> the same

A field that nobody knows is refused by name: a misspelt setting would otherwise do nothing, in
silence. The few fields about the answer that the services know are in the table too.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ..config import MAX_SECONDS, seconds_of
from ..records.record import Json
from ..settings import HOSTED_SEED, PICK, SettingError, Value
from ..tasks.region import windows
from ..types import Region
from .errors import Problem, RequestError, shown
from .parameters import Endpoint, Parameter

if TYPE_CHECKING:
    from pydantic import BaseModel


def parsed(body: bytes | str) -> dict[str, Json]:
    """The JSON object of a request."""
    try:
        found = json.loads(body or b"{}", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The body is not JSON ({str(error)[:80]}).") from None
    if not isinstance(found, dict):
        raise RequestError('The body must be a JSON object, such as {"tags": "pop, piano"}.')
    return found


def no_query(names: Iterable[str]) -> None:
    """RequestError for settings in the address: nothing reads them, and a webhook that is never
    called would be waited for."""
    problems = [
        Problem(name, f"{shown(name)} in the address is not offered. {_instead(name)}")
        for name in dict.fromkeys(names)
    ]
    if problems:
        raise RequestError.of(problems)


def _instead(name: str) -> str:
    if "webhook" in name:
        return "Nothing is called from here; ask how the request is doing."
    return "Settings stand in the body."


def from_form(endpoint: Endpoint, fields: Mapping[str, str]) -> dict[str, Json]:
    """The text fields of a form, each as JSON would have it."""
    values: dict[str, Json] = {}
    for name, text in fields.items():
        parameter = endpoint.parameter(name)
        is_text = parameter is None or parameter.kind in ("text", "choice", "audio")
        values[name] = text if is_text else _as_json(text)
    return values


def read(endpoint: Endpoint, body: Mapping[str, Json]) -> dict[str, Value]:
    """Every parameter with its value, or RequestError naming each field that is wrong."""
    from pydantic import ValidationError

    try:
        model = model_of(endpoint).model_validate(dict(body))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        names = list(dict.fromkeys(str(one["loc"][0]) for one in found if one["loc"]))
        if not names:  # half of a character in a name
            raise RequestError("The body has a field whose name is no text.") from None
        raise RequestError.of([_problem(endpoint, name, body) for name in names]) from None
    return model.model_dump()


def fits(values: Mapping[str, Value], source: str, seconds: float) -> None:
    """RequestError for what the run would refuse in a file of so many seconds; `source` is the
    parameter that brought it."""
    if seconds < seconds_of(1):
        text = f"{source} lasts {seconds:.3f} s; at least {seconds_of(1):.3f} s are needed."
        raise RequestError.about(source, text)
    if "start_time" in values:
        _fits_region(values, seconds)
    elif "extend_after_duration" in values:
        _fits_ends(values, seconds)
    elif seconds > MAX_SECONDS:
        text = (
            f"{source} lasts {seconds:.1f} s; at most {MAX_SECONDS:g} s can be edited at once. Cut"
            " it, or make a part of it new with audio-inpaint."
        )
        raise RequestError.about(source, text)


def _fits_region(values: Mapping[str, Value], seconds: float) -> None:
    start, end = float(values["start_time"] or 0), float(values["end_time"] or 0)
    first, last = (str(values[f"{name}_time_relative_to"]) for name in ("start", "end"))
    try:
        windows((Region(start, end, first, last),), seconds)
    except SettingError as error:
        raise RequestError.about("end_time", f"start_time, end_time: {error}") from None


def _fits_ends(values: Mapping[str, Value], seconds: float) -> None:
    names = ("extend_before_duration", "extend_after_duration")
    before, after = (float(values[name] or 0) for name in names)
    if not before and not after:
        text = f"{names[0]} and {names[1]} are 0; one of them must be more."
        raise RequestError.of([Problem(name, text) for name in names])
    # The model's frames begin with the source: what follows it may need one more.
    most = MAX_SECONDS - seconds_of(1)
    if before and after and (seconds > MAX_SECONDS or after > most):
        text = (
            f"Both ends at once: {names[1]} may be {most:.1f} s then, of a source of at most"
            f" {MAX_SECONDS:g} s; this one lasts {seconds:.1f} s. Make one end, then the other."
        )
        raise RequestError.about(names[1], text)


def with_seeds(values: Mapping[str, Value]) -> dict[str, Value]:
    """The same with a number in place of every "pick one"; an unknown one stays unknown."""
    picked = dict(values)
    if picked.get("seed") in (None, PICK):
        picked["seed"] = secrets.randbelow(HOSTED_SEED + 1)
    if picked.get("original_seed") == PICK:
        picked["original_seed"] = None
    return picked


@cache
def model_of(endpoint: Endpoint) -> type[BaseModel]:
    """Made at the first request, because only ComfyUI's environment has pydantic."""
    from pydantic import ConfigDict, create_model

    about: dict[str, Any] = {"description": endpoint.about}
    settings = ConfigDict(
        extra="forbid", strict=True, title=_title(endpoint), json_schema_extra=about
    )
    fields: dict[str, Any] = {one.name: _field(one) for one in endpoint.parameters}
    return create_model(_title(endpoint), __config__=settings, **fields)


def _title(endpoint: Endpoint) -> str:
    return "".join(word.capitalize() for word in endpoint.name.split("-"))


def _field(parameter: Parameter) -> tuple[Any, Any]:
    from pydantic import BeforeValidator, Field

    default = ... if parameter.is_required else parameter.default
    limits: dict[str, Any] = {"description": parameter.about}
    # With the number itself: beside "or null" the document would lose them.
    ends = Field(ge=parameter.low, le=parameter.high)
    if parameter.kind == "text":
        limits["max_length"] = parameter.longest
    if parameter.is_required:
        limits["pattern"] = r"\S"  # spaces alone say nothing
    kinds: dict[str, Any] = {
        "audio": str,
        "text": str,
        "number": Annotated[float, ends],
        # JSON has one kind of number: 42.0 is whole.
        "integer": Annotated[int, ends, BeforeValidator(_whole)],
        "switch": Literal[False] if parameter.is_never_true else bool,
        "choice": Literal[parameter.choices or ("",)],
    }
    kind = kinds[parameter.kind]
    is_open = parameter.default is None and not parameter.is_required
    return (kind | None if is_open else kind), Field(default, **limits)


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _problem(endpoint: Endpoint, name: str, body: Mapping[str, Json]) -> Problem:
    parameter = endpoint.parameter(name)
    if parameter is None:
        known = ", ".join(one.name for one in endpoint.parameters)
        text = f"{shown(name)} is no parameter of {endpoint.name}; it takes: {known}."
        return Problem(name.encode("ascii", "replace").decode(), text, known)
    given = f"is {shown(body[name])}" if name in body else "is missing"
    text = f"{name} {given}; it must be {parameter.allowed}."
    return Problem(name, text, parameter.allowed)


def _as_json(text: str) -> Json:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text  # the check says what it should have been


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")
