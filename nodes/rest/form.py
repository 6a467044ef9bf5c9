"""A form with a file in it, written to disk as it arrives.

multipart body -> text fields (small, in memory) + one file (in input/acestep_api) -> Form
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from ...acestep_core.hosted.errors import RequestError
from ...acestep_core.hosted.sources import Sources

BLOCK = 2**20
# What aiohttp raises on forms that are none.
BROKEN = (ValueError, AssertionError, LookupError, RuntimeError, HttpProcessingError)
MOST_FIELDS, MOST_TEXT = 50, 256 * 1024  # of the text fields: how many, bytes of all


@dataclass
class Form:
    fields: dict[str, str] = field(default_factory=dict)
    file: Path | None = None


@asynccontextmanager
async def read_form(
    request: web.Request, sources: Sources, name: str, most_bytes: int
) -> AsyncIterator[Form]:
    """The form while the block lasts, `name` its file; one that nobody kept is gone afterwards."""
    if request.content_type != "multipart/form-data":
        given = request.content_type
        raise RequestError(
            f"The body is of the type {given}; send multipart/form-data with a file.", status=415
        )
    with sources.incoming() as place:
        form = Form()
        try:
            await _read(request, form, place, (name, most_bytes))
        except BROKEN as error:
            if isinstance(error, RequestError):
                raise
            raise RequestError(f"The form cannot be read ({ascii(error)[:80]}).") from None
        yield form


@asynccontextmanager
async def read_body(request: web.Request, sources: Sources, most_bytes: int) -> AsyncIterator[Path]:
    """The body as a file while the block lasts, unless somebody keeps it."""
    with sources.incoming() as place:
        await _store(request.content.iter_chunked(BLOCK), place, most_bytes)
        yield place


async def _read(request: web.Request, form: Form, place: Path, file: tuple[str, int]) -> None:
    size, (name, most_bytes) = 0, file
    parts = await request.multipart()
    while (part := await parts.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise RequestError("The form has a form in it.")
        if part.name is None:
            raise RequestError("The form has a part without a name.")
        if part.name == name and (part.filename is not None or name == "file"):
            if form.file is not None:
                raise RequestError.about(name, f"The form has two files named {name}.")
            form.file = place
            await _write(part, place, most_bytes)
            continue
        text = await _text(part, MOST_TEXT - size)
        size += len(text)
        form.fields[part.name] = text.decode("utf-8")
        if len(form.fields) > MOST_FIELDS:
            raise RequestError(f"The form has more than {MOST_FIELDS} fields.")


async def _write(part: BodyPartReader, place: Path, most_bytes: int) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        while block := await part.read_chunk(BLOCK):
            yield block

    await _store(blocks(), place, most_bytes)


async def _store(blocks: AsyncIterator[bytes], place: Path, most_bytes: int) -> None:
    size = 0
    with place.open("wb") as out:
        async for block in blocks:
            size += len(block)
            if size > most_bytes:
                limit = f"{most_bytes / 2**20:.3g} MiB"
                raise RequestError(f"The file is larger than {limit}, the limit.", status=413)
            await asyncio.to_thread(out.write, block)


async def _text(part: BodyPartReader, room: int) -> bytes:
    found = bytearray()
    while block := await part.read_chunk():
        found += block
        if len(found) > room:
            raise RequestError(f"The form's fields are longer than {MOST_TEXT} bytes.", status=413)
    return bytes(found)
