"""Leave to bring one file: asked for with a name, used once, gone after an hour.

    POST uploads -> Ticket (its id is the leave, its name the file's) -> PUT uploads/ID

The file's address has to be told before the file is there, so its name cannot be the hash of its
bytes; it is the ticket's, which nobody can guess.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..records.record import Json
from .errors import RequestError, shown

MOST_OPEN = 1_000
HOUR = 3600.0  # seconds
LONGEST_NAME = 400
EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")  # the rest of a name is never the sender's


@dataclass(frozen=True)
class Ticket:
    id: str
    name: str  # of the file, once it is there
    most_bytes: int
    until: float  # of the clock that only goes on


@dataclass
class Tickets:
    """All methods belong to one event loop."""

    _open: dict[str, Ticket] = field(default_factory=dict)

    def given(self, file_name: str, most_bytes: int) -> Ticket:
        now = time.monotonic()
        for one in [one for one in self._open.values() if one.until < now]:
            del self._open[one.id]
        if len(self._open) >= MOST_OPEN:
            text = f"{MOST_OPEN} uploads were begun and not finished. Try again in an hour."
            raise RequestError(text, status=429)
        found = EXTENSION.search(file_name)
        extension = found[0].lower() if found else ""
        ticket = Ticket(
            secrets.token_hex(16), secrets.token_hex(16) + extension, most_bytes, now + HOUR
        )
        self._open[ticket.id] = ticket
        return ticket

    def taken(self, ticket_id: str) -> Ticket:
        """It is nobody's afterwards; `back` gives it back where nothing came."""
        ticket = self._open.pop(ticket_id, None)
        if ticket is None or ticket.until < time.monotonic():
            raise RequestError.about("id", "There is no upload with this id.", status=404)
        return ticket

    def back(self, ticket: Ticket) -> None:
        self._open[ticket.id] = ticket


def asked_file(body: Mapping[str, Json], name: str, most_bytes: int) -> tuple[str, int]:
    """(file's name, most bytes) of what somebody wants to bring; `name` is the field it is in."""
    given, size = body.get(name), body.get("size", most_bytes)
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST_NAME:
        allowed = f"a file's name of 1 to {LONGEST_NAME} characters"
        text = f"{name} is {shown(given)}; it must be {allowed}."
        raise RequestError.about(name, text)
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise RequestError.about("size", f"size is {shown(size)}; it must be the number of bytes.")
    if size > most_bytes:
        text = f"The file is larger than {most_bytes // 2**20} MiB, which is the limit."
        raise RequestError.about("size", text, status=413)
    return given, size
