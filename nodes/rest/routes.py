"""The hosted endpoints as routes of ComfyUI's own server.

    ROUTES -> handler: token -> body -> sources -> Jobs -> answer

Nothing here waits on a disk, a decoder or a name server: such work goes to threads. The token
guards these routes alone; ComfyUI's own, /view among them, stay as open as they are.
"""

from __future__ import annotations

import asyncio
import errno
import hmac
import json
import logging
import math
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import ClientPayloadError, web

from ...acestep_core.atomic import sweep
from ...acestep_core.hosted import openapi, records
from ...acestep_core.hosted.answers import Stopped
from ...acestep_core.hosted.errors import RequestError, shown
from ...acestep_core.hosted.jobs import Jobs
from ...acestep_core.hosted.media import UnfinishedError, hurried
from ...acestep_core.hosted.origins import Origins
from ...acestep_core.hosted.parameters import Endpoint
from ...acestep_core.hosted.queue import BEGIN_WITHIN, LATE
from ...acestep_core.hosted.records import Place
from ...acestep_core.hosted.requests import fits, from_form, no_query, parsed, read, with_seeds
from ...acestep_core.hosted.routes import ROUTES, Route
from ...acestep_core.hosted.settings import FILE, Settings, read_settings
from ...acestep_core.hosted.shapes import Shape, as_json
from ...acestep_core.hosted.sources import Source, Sources
from ...acestep_core.hosted.store import Job, Store
from ...acestep_core.settings import FULL_CONTROL, Value
from .. import host
from ..host import queue as host_queue
from .form import read_form
from .uploads import Answer, Uploads

log = logging.getLogger(__name__)

STORE = "acesuite_api.sqlite3"
REQUEST_ID = "x-fal-request-id"  # where fal's clients look for it
LATE_BY = "x-fal-request-timeout-type"  # whose time it was
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MOST_FETCHES = 4  # at once
QUICK = 2.0  # seconds of decoding that a file may take before it counts as long
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Values = dict[str, Value]


def register() -> None:
    """Put the routes on ComfyUI's server, if there is one."""
    if host_queue.server() is None:
        return
    settings = read_settings(host.user_file(FILE))
    jobs = Jobs(host_queue.HostQueue(), Store(host.user_file(STORE)))
    origins = Origins(settings.public_url, host_queue.allowed_origin())
    sources = Sources(host.sound_folders(), settings)
    sweep(sources.folder)  # what was being brought when the server was killed
    api = Api(jobs, sources, settings, origins)
    for route in ROUTES:
        host_queue.add_route(route.method, route.path, api.handler(route))


@dataclass(frozen=True)
class Api:
    jobs: Jobs
    sources: Sources
    settings: Settings
    origins: Origins = field(default_factory=Origins)
    # Few: decoding must not keep the run that goes on from its cores. What is fetched holds no
    # worker while it comes, so that a slow URL keeps no upload waiting.
    workers: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(2, "acesuite-audio")
    )
    quick: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "acesuite-short-audio")
    )
    uploads: Uploads = field(init=False)
    fetches: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_FETCHES))

    def __post_init__(self) -> None:
        uploads = Uploads(self.sources, self._worked, self.settings.most_bytes)
        object.__setattr__(self, "uploads", uploads)

    def handler(self, route: Route) -> Handler:
        bring = self.uploads.answers().get(route.does)
        if bring is not None:
            return self._handled(route, lambda request: self._brought(request, route, bring))
        act = {
            "submit": self._submit,
            "result": self._result,
            "cancel": self._cancel,
            "document": self._document,
            "direct": self._direct,
            "queue": self._queue,
            "standing": self._standing,
            "watch": self._follow,
            "answer": self._answered,
            "stop": self._stop,
        }[route.does]

        return self._handled(route, lambda request: act(request, route))

    def _handled(self, route: Route, act: Handler) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                if not route.is_open:
                    self._check_page(request)
                if not (route.is_open or route.has_ticket):
                    self._check_token(request)
                return await act(request)
            except Exception as error:
                return _refused(request, route, error)

        return handle

    # --- the record of the first four ----------------------------------------------------

    async def _submit(self, request: web.Request, route: Route) -> web.Response:
        values, job = await self._accepted(request, route)
        if values.get("enable_sync_mode"):
            job = await self.jobs.wait(job.id, _is_there(request))
        return _answer(records.prediction(job, self._place(request, route)))

    async def _result(self, request: web.Request, route: Route) -> web.Response:
        look = await self.jobs.look(request.match_info["id"])
        return _answer(records.prediction(look.job, self._place(request, route)))

    async def _cancel(self, request: web.Request, route: Route) -> web.Response:
        job = await self.jobs.cancel(request.match_info["id"])
        return _answer(records.prediction(job, self._place(request, route)))

    async def _brought(self, request: web.Request, route: Route, bring: Answer) -> web.Response:
        return _answer(await bring(request, self._place(request, route)))

    async def _document(self, request: web.Request, route: Route) -> web.Response:
        return web.json_response(await asyncio.to_thread(openapi.document))

    # --- fal's forms ---------------------------------------------------------------------

    async def _direct(self, request: web.Request, route: Route) -> web.Response:
        if request.host.startswith("queue."):  # fal's name of the host with the queue
            return await self._queue(request, route)
        job = await self._expected(request, route)
        job = await self.jobs.wait(job.id, _is_there(request))
        return self._result_of(job, self._place(request, route))

    async def _queue(self, request: web.Request, route: Route) -> web.Response:
        job = await self._expected(request, route)
        look = await self.jobs.look(job.id)
        return _answer(records.submitted(look, self._place(request, route)), job.id)

    async def _expected(self, request: web.Request, route: Route) -> Job:
        """Accepted, with the time within which it has to begin, where the header names one."""
        seconds = _begin_within(request.headers.get(BEGIN_WITHIN))
        _, job = await self._accepted(request, route)
        if seconds is not None:
            self.jobs.expect(job.id, seconds)
        return job

    async def _standing(self, request: web.Request, route: Route) -> web.Response:
        look = await self.jobs.look(request.match_info["id"])
        return _answer(records.standing(look, self._place(request, route)), look.job.id)

    async def _follow(self, request: web.Request, route: Route) -> web.StreamResponse:
        """Server-sent events: where it stands, whenever that changes."""
        job_id, place = request.match_info["id"], self._place(request, route)
        await self.jobs.look(job_id)
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", REQUEST_ID: job_id}
        stream = web.StreamResponse(headers=headers)
        stream.content_type = openapi.EVENTS
        await stream.prepare(request)
        with suppress(ConnectionError, RequestError):  # who listened has gone, or the store
            async for look in self.jobs.follow(job_id):
                event = look and json.dumps(as_json(records.standing(look, place)))
                await stream.write((f"data: {event}" if event else ":").encode() + b"\n\n")
            await stream.write_eof()
        return stream

    async def _answered(self, request: web.Request, route: Route) -> web.Response:
        job = (await self.jobs.look(request.match_info["id"])).job
        if not job.is_over:
            raise RequestError("The request is still in progress.")
        return self._result_of(job, self._place(request, route))

    async def _stop(self, request: web.Request, route: Route) -> web.Response:
        job = (await self.jobs.look(request.match_info["id"])).job
        if job.is_over:
            return _answer(Stopped("ALREADY_COMPLETED"), job.id, 400)
        await self.jobs.cancel(job.id)
        return _answer(Stopped("CANCELLATION_REQUESTED"), job.id, 202)

    def _result_of(self, job: Job, place: Place) -> web.Response:
        if job.status == "failed":
            kind = {"x-fal-error-type": records.error_type(job) or ""}
            headers = {REQUEST_ID: job.id, **kind}
            if job.error == LATE:  # fal's clients do not try again then
                return _failed(RequestError(job.error, status=504), {**headers, LATE_BY: "user"})
            return _failed(RequestError(job.error, status=422), headers)
        if job.endpoint != FULL_CONTROL:
            raise RequestError.about("id", "This request is of another endpoint.", status=404)
        return _answer(records.result(job, place), job.id)

    # --- what they share -----------------------------------------------------------------

    async def _accepted(self, request: web.Request, route: Route) -> tuple[Values, Job]:
        """A checked request, in the queue."""
        endpoint = route.endpoint
        assert endpoint is not None, route
        no_query(request.query)
        if endpoint.source is None:
            values = await self._checked(request, endpoint)
            return values, await self.jobs.submit(endpoint, with_seeds(values), "")
        if request.content_type == "multipart/form-data":
            values, source = await self._with_form(request, endpoint, endpoint.source.name)
        else:
            values = await self._checked(request, endpoint)
            source = await self._named(request, endpoint.source.name, values)
        fits(values, endpoint.source.name, source.sound.seconds)
        return values, await self.jobs.submit(endpoint, with_seeds(values), source.name)

    async def _checked(self, request: web.Request, endpoint: Endpoint) -> Values:
        if request.content_type != "application/json":
            raise RequestError(
                f"The body is of the type {request.content_type}; send application/json, or"
                " multipart/form-data where the endpoint takes audio.",
                status=415,
            )
        body = await request.read()
        # In a thread: with audio in it the text may be long.
        return await asyncio.to_thread(lambda: read(endpoint, parsed(body)))

    async def _with_form(
        self, request: web.Request, endpoint: Endpoint, name: str
    ) -> tuple[Values, Source]:
        async with read_form(request, self.sources, name, self.settings.most_bytes) as form:
            path = form.file
            given = {name: "a file"} if path is not None else {}
            values = read(endpoint, {**from_form(endpoint, form.fields), **given})
            if path is None:
                return values, await self._named(request, name, values)
            return values, await self._worked(lambda: self.sources.kept(path))

    async def _named(self, request: web.Request, name: str, values: Values) -> Source:
        """The source whose name, URL or content is the value of a parameter."""
        given, server = str(values[name]), self._server(request)
        try:
            if self.sources.is_elsewhere(given, server):
                return await self._fetched(given)
            return await self._worked(lambda: self.sources.of(given))
        except RequestError as error:
            raise RequestError.about(name, f"{name}: {error}", status=error.status) from None

    async def _fetched(self, url: str) -> Source:
        async with self.fetches:
            with self.sources.incoming() as path:
                await self.sources.fetch(url, path)
                return await self._worked(lambda: self.sources.kept(path))

    async def _worked(self, work: Callable[[], Source]) -> Source:
        """Work that decodes. What is not done soon begins again among the long ones, which keep
        nobody waiting whose file is short."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self.quick, _hurried, work)
        except UnfinishedError:
            return await loop.run_in_executor(self.workers, work)

    def _server(self, request: web.Request) -> str:
        return self.settings.public_url or f"{request.scheme}://{request.host}"

    def _place(self, request: web.Request, route: Route) -> Place:
        return Place(self._server(request), route.base)

    def _check_page(self, request: web.Request) -> None:
        headers = request.headers
        self.origins.check(
            headers.get("Origin"), headers.get("Sec-Fetch-Site", ""), headers.get("Host", "")
        )

    def _check_token(self, request: web.Request) -> None:
        token = self.settings.token
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        is_known = scheme.lower() in ("bearer", "key")
        theirs = given.strip().encode("utf-8", "surrogateescape")
        if token and not (hmac.compare_digest(theirs, token.encode()) and is_known):
            raise RequestError("The header Authorization has no valid token.", status=401)


def _begin_within(given: str | None) -> float | None:
    """Seconds of a header."""
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        text = f"{BEGIN_WITHIN} is {shown(given)}; it must be a number of seconds above 0."
        raise RequestError.about(BEGIN_WITHIN, text)
    return seconds


def _hurried(work: Callable[[], Source]) -> Source:
    with hurried(QUICK):
        return work()


def _is_there(request: web.Request) -> Callable[[], bool]:
    """Whether whoever asked still waits for the answer."""
    return lambda: request.transport is not None and not request.transport.is_closing()


def _answer(answer: Shape, job_id: str = "", status: int = 200) -> web.Response:
    """`job_id` where fal's clients ask for it."""
    headers = {REQUEST_ID: job_id} if job_id else None
    return web.json_response(as_json(answer), status=status, headers=headers)


def _failed(error: RequestError, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(as_json(records.refusal(error)), status=error.status, headers=headers)


def _refused(request: web.Request, route: Route, error: Exception) -> web.Response:
    """What is answered in place of the answer; the log hears of what is our own fault."""
    if isinstance(error, RequestError):
        return _failed(error, {"WWW-Authenticate": "Bearer"} if error.status == 401 else None)
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return _failed(RequestError(f"The body is too large: {error.text}", status=413))
    if isinstance(error, web.RequestPayloadError):
        reason = " ".join(str(error).split()).removeprefix("400, message: ")
        return _failed(RequestError(f"The body cannot be read ({reason})."))
    if isinstance(error, ClientPayloadError | ConnectionError):
        log.info("%s %s: the body broke off", route.method, request.path)
        return _failed(RequestError(f"The body broke off ({error})."))
    if isinstance(error, OSError) and error.errno in FULL:
        log.error("%s %s: %s", route.method, request.path, error)
        return _failed(RequestError(f"Nothing can be stored ({error.strerror}).", status=507))
    log.error("%s %s", route.method, route.path, exc_info=error)
    return _failed(RequestError("That is a fault of the server; its log says more.", status=500))
