"""What is wrong with a request, in the one shape every route answers with.

Problem (field, message, allowed) -> RequestError (HTTP status) -> answers.Error
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from .shapes import Shape

SHOWN = 60  # characters of a wrong value in a message


@dataclass(frozen=True)
class Problem(Shape):
    """One field that cannot be used, and what could be."""

    field: str
    message: str
    allowed: str = ""


class RequestError(ValueError):
    """A request that is not carried out; `status` is HTTP's."""

    def __init__(self, message: str, *problems: Problem, status: int = 400) -> None:
        super().__init__(message)
        self.problems, self.status = problems, status

    @classmethod
    def of(cls, problems: list[Problem]) -> RequestError:
        return cls(" ".join(problem.message for problem in problems[:5]), *problems)

    @classmethod
    def about(cls, field: str, message: str, *, status: int = 400) -> RequestError:
        return cls(message, Problem(field, message), status=status)


def shown(value: object) -> str:
    """A given value in a message: short, and printable whatever it is."""
    value = value[:SHOWN] if isinstance(value, str) else value
    try:
        text = json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        text = ascii(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
