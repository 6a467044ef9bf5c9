"""Files that are brought: in a form, as a body, or with a ticket; each service's clients their way.

form, body       -> incoming -> checked -> input/acestep_api/HASH.ext   -> its URL
ticket, then PUT -> incoming -> checked -> input/acestep_api/TICKET.ext    told beforehand
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from aiohttp import web

from ...acestep_core.hosted.answers import (
    Begun,
    BegunData,
    CdnToken,
    Initiated,
    Instruction,
    Stored,
    Uploaded,
    UploadedData,
)
from ...acestep_core.hosted.errors import RequestError
from ...acestep_core.hosted.queue import OutputFile
from ...acestep_core.hosted.records import Place
from ...acestep_core.hosted.requests import parsed
from ...acestep_core.hosted.routes import UPLOADS, Does
from ...acestep_core.hosted.shapes import Shape
from ...acestep_core.hosted.sources import FOLDER, Source, Sources
from ...acestep_core.hosted.tickets import HOUR, Ticket, Tickets, asked_file
from .form import read_body, read_form

Work = Callable[[Callable[[], Source]], Awaitable[Source]]
Answer = Callable[[web.Request, Place], Awaitable[Shape]]


@dataclass(frozen=True)
class Uploads:
    sources: Sources
    worked: Work  # in a thread for what decodes
    most_bytes: int
    tickets: Tickets = field(default_factory=Tickets)

    def answers(self) -> dict[Does, Answer]:
        return {
            "upload": self.form,
            "begin": self.begin,
            "bring": self.bring,
            "initiate": self.initiate,
            "pass": self.token,
            "store": self.store,
        }

    async def form(self, request: web.Request, place: Place) -> Shape:
        async with read_form(request, self.sources, "file", self.most_bytes) as form:
            path = form.file
            if path is None:
                raise RequestError.about("file", "The form has no part named file.")
            source = await self.worked(lambda: self.sources.kept(path))
        return Uploaded(_about(source, place))

    async def begin(self, request: web.Request, place: Place) -> Shape:
        """WaveSpeed's: where to PUT the file, and the URL it will have."""
        ticket = await self._ticket(request, "filename")
        address, url = _addresses(ticket, place)
        return Begun(BegunData(Instruction(address), url, f"{FOLDER}/{ticket.name}"))

    async def initiate(self, request: web.Request, place: Place) -> Shape:
        """fal's storage: the same."""
        return Initiated(*_addresses(await self._ticket(request, "file_name"), place))

    async def bring(self, request: web.Request, place: Place) -> Shape:
        ticket = self.tickets.taken(request.match_info["id"])
        try:
            source = await self._body(request, ticket.most_bytes, ticket.name)
        except BaseException:
            self.tickets.back(ticket)  # a client may try again what broke off
            raise
        return Uploaded(_about(source, place))

    async def token(self, request: web.Request, place: Place) -> Shape:
        """What fal's Python client asks for before it stores: the caller's own token."""
        given = request.headers.get("Authorization", "").partition(" ")[2].strip()
        until = datetime.now(timezone.utc) + timedelta(seconds=HOUR)
        return CdnToken(given or "none", "Bearer", f"{place.server}{place.base}", until.isoformat())

    async def store(self, request: web.Request, place: Place) -> Shape:
        """fal's CDN: the body is the file."""
        source = await self._body(request, self.most_bytes, "")
        return Stored(_about(source, place).download_url)

    async def _ticket(self, request: web.Request, name: str) -> Ticket:
        body = parsed(await request.read())
        return self.tickets.given(*asked_file(body, name, self.most_bytes))

    async def _body(self, request: web.Request, most_bytes: int, name: str) -> Source:
        async with read_body(request, self.sources, most_bytes) as path:
            return await self.worked(lambda: self.sources.kept(path, name))


def _addresses(ticket: Ticket, place: Place) -> tuple[str, str]:
    """(where the file is to be put, where it is then)."""
    url = place.view(OutputFile(ticket.name, FOLDER, "input"))
    return f"{place.server}{UPLOADS}/{ticket.id}", url


def _about(source: Source, place: Place) -> UploadedData:
    url = place.view(OutputFile(source.path.name, FOLDER, "input"))
    return UploadedData(url, f"{FOLDER}/{source.path.name}", source.path.stat().st_size)
