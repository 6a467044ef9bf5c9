"""What the page draws of a sound in ComfyUI's folders, and where a lyric's sections may lie.

    GET /acestepsuite/sound?file=song.flac [input]           -> how far it is drawn, and its glance
    GET .../sound/peaks?file=&zoom=&first=&count=            -> int8 pairs
    GET .../sound/levels?file=&zoom=&tile=                   -> PNG
    GET .../sound/pulse?file=                                -> tempo, beats, onsets
    POST .../sections {"lyrics": ..., "language": ...}       -> marks, and seconds of each

A file is named as ComfyUI's loader names it, and is one that /view would show. Nothing here waits
for a disk or a decoder in the server's own thread.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from ...acestep_core.hosted.errors import RequestError
from ...acestep_core.hosted.sources import place_of
from ...acestep_core.lyrics.estimate import estimate
from ...acestep_core.pictures.drawings import TILE, Drawing, Shelf
from ...acestep_core.sound.outline import BIN, COLUMN, GROUP
from .. import host
from ..host import queue as host_queue

log = logging.getLogger(__name__)

FOLDER = "acesuite_drawings"  # below temp/
OWN = "/acestepsuite"
MOST_ZOOM, MOST_COUNT, MOST_PLACE = 12, 1 << 16, 1 << 40
MOST_LYRICS = 1 << 16  # bytes of a request
UNCACHED = {"Cache-Control": "no-store"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def register() -> None:
    """Put the routes on ComfyUI's server, if there is one."""
    if host_queue.server() is None:
        return
    folders = host.sound_folders()
    sounds = Sounds(folders, Shelf(folders["temp"] / FOLDER))
    for method, path, handler in sounds.routes():
        host_queue.add_route(method, path, handler)


@dataclass(frozen=True)
class Sounds:
    folders: Mapping[str, Path]  # input, output, temp
    shelf: Shelf

    def routes(self) -> list[tuple[str, str, Handler]]:
        asked: dict[str, Callable[[Drawing, web.Request], web.Response]] = {
            "sound": _state,
            "sound/peaks": _peaks,
            "sound/levels": _levels,
            "sound/pulse": _pulse,
        }
        gets = [("GET", f"{OWN}/{name}", self._handler(give)) for name, give in asked.items()]
        return [*gets, ("POST", f"{OWN}/sections", _answering(_sections))]

    def _handler(self, give: Callable[[Drawing, web.Request], web.Response]) -> Handler:
        def given(request: web.Request) -> web.Response:
            drawing = self.shelf.of(place_of(self.folders, request.query.get("file", "")))
            return give(drawing, request)

        return _answering(lambda request: asyncio.to_thread(given, request))


def _answering(act: Handler) -> Handler:
    """What is wrong with a request is said, what is wrong with the server goes to the log."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await act(request)
        except RequestError as error:
            return web.json_response({"error": str(error)}, status=error.status)
        except Exception:
            log.exception("%s %s", request.method, request.path)
            said = "That is a fault of the server; its log says more."
            return web.json_response({"error": said}, status=500)

    return handle


def _state(drawing: Drawing, request: web.Request) -> web.Response:
    is_whole = drawing.is_finished
    state: dict[str, Any] = {
        "seconds": drawing.seconds,
        "done": drawing.done,
        "finished": is_whole,
        "error": drawing.trouble,
        "bin": BIN,
        "column": COLUMN,
        "group": GROUP,
        "tile": TILE,
        "loudest": drawing.loudest,
        "glance": [] if is_whole else drawing.glance.tolist(),
    }
    return web.json_response(state, headers=UNCACHED)


def _peaks(drawing: Drawing, request: web.Request) -> web.Response:
    zoom = _whole(request, "zoom", MOST_ZOOM)
    first, count = _whole(request, "first", MOST_PLACE), _whole(request, "count", MOST_COUNT)
    body = drawing.peaks_at(zoom, first, count)
    return web.Response(body=body, content_type="application/octet-stream", headers=UNCACHED)


def _levels(drawing: Drawing, request: web.Request) -> web.Response:
    index = _whole(request, "tile", MOST_PLACE)
    body = drawing.tile(_whole(request, "zoom", MOST_ZOOM), index)
    if not body:
        raise RequestError(f"tile is {index}; the sound ends before it.", status=404)
    return web.Response(body=body, content_type="image/png", headers=UNCACHED)


def _pulse(drawing: Drawing, request: web.Request) -> web.Response:
    one = drawing.pulse
    said = {"tempo": one.tempo, "beats": one.beats, "bar": one.first_bar, "onsets": one.onsets}
    return web.json_response(said, headers=UNCACHED)


async def _sections(request: web.Request) -> web.Response:
    try:
        asked = json.loads(await _body(request))
    except (ValueError, RecursionError) as error:
        if isinstance(error, RequestError):
            raise
        raise RequestError("The body is not JSON.") from None
    lyrics, language = (
        asked.get(name, "") if isinstance(asked, dict) else None for name in ("lyrics", "language")
    )
    if not isinstance(lyrics, str) or not isinstance(language, str):
        raise RequestError('The body has to be {"lyrics": text, "language": text}.')
    found = await asyncio.to_thread(estimate, lyrics, "" if language == "auto" else language)
    told = [{"mark": one.mark, "seconds": one.seconds} for one in found.sections]
    return web.json_response(told, headers=UNCACHED)


async def _body(request: web.Request) -> bytes:
    """All of it, whatever its headers say of its length."""
    body = b""
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MOST_LYRICS:
            raise RequestError(f"The lyrics have more than {MOST_LYRICS} bytes.", status=413)
    return body


def _whole(request: web.Request, name: str, most: int) -> int:
    """A whole number of the query, from 0 on."""
    text = request.query.get(name, "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) <= most):
        raise RequestError(f"{name} is {text[:20]!r}; it must be a whole number up to {most}.")
    return int(text)
