"""What an answer is made of: a frozen dataclass that goes out as JSON and into the document.

Shape -> as_json() -> HTTP
      -> schemas_of() (pydantic) -> openapi.py
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from ..records.record import Json

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler

REFERENCE = "#/components/schemas/{model}"


class Shown:
    """What the document says of a value beside its type."""

    def __init__(self, **more: object) -> None:
        self.more = more

    # pydantic's name, so that it need not be imported where an answer is only sent.
    def __get_pydantic_json_schema__(
        self, schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), **self.more}


Url = Annotated[str, Shown(format="uri")]
Time = Annotated[str, Shown(format="date-time")]
Count = Annotated[int, Shown(minimum=0)]


@dataclass(frozen=True)
class Shape:
    """Every field is always there, and no other."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "json_schema_serialization_defaults_required": True,
    }


def as_json(answer: Shape) -> dict[str, Json]:
    return asdict(answer)


def schemas_of(kinds: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(schema of each kind, definitions that they refer to) as pydantic finds them."""
    from pydantic import TypeAdapter

    asked = [(name, "serialization", TypeAdapter(kind)) for name, kind in kinds.items()]
    found, whole = TypeAdapter.json_schemas(asked, ref_template=REFERENCE)  # pyright: ignore[reportArgumentType]
    return {name: schema for (name, _), schema in found.items()}, whole["$defs"]
