"""Requests on their way: accepted, queued, watched to their end, answered for ever after.

    values -> Job -> graph -> Queue.put        watch: standing, then history -> Job -> Store

The queue is ComfyUI's own and decides when a run begins. Here is only what it forgets: what was
asked, and how it ended. An id is always answered; one that a restart cut off has failed.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..anonymous import sentence
from ..settings import Value
from .errors import RequestError
from .graphs import WORKFLOWS, graph_of
from .parameters import ENDPOINTS, Endpoint
from .queue import CANCELLED, LATE, Ended, Queue, Standing
from .store import Job, Store, StoreError, now

log = logging.getLogger(__name__)

MOST_OPEN = 1_000
MOST_LINES = 200  # that are kept of one
ID = r"[0-9a-f-]{36}"
PAUSE = 0.25  # seconds between two looks at the queue
QUIET = 10.0  # seconds after which somebody who listens hears that nothing changed
RESTARTED = (
    "The server was restarted before this request was finished. Nothing of it was kept; send it"
    " again."
)
REMOVED = "It was removed from ComfyUI's queue before it was finished. Send it again."


@dataclass(frozen=True)
class Line:
    """What was said of a run, and when it was said first."""

    text: str
    at: str


@dataclass(frozen=True)
class Look:
    """A job as it stands now."""

    job: Job
    ahead: int = 0  # requests that run or wait before it
    progress: Line | None = None
    lines: tuple[Line, ...] = ()  # all that was said of it; since this server's start


class Jobs:
    """All methods belong to one event loop; what may block goes to threads."""

    def __init__(self, queue: Queue, store: Store, workflows: Path = WORKFLOWS) -> None:
        self._queue, self._store, self._workflows = queue, store, workflows
        self._session = uuid.uuid4().hex
        self._open: dict[str, Job] = {}
        self._unsaved: dict[str, Job] = {}  # over, and not yet noted
        self._cancelled: set[str] = set()
        self._begins_by: dict[str, float] = {}  # of those that may not wait for ever
        self._watching: asyncio.Task[None] | None = None
        self._lines: dict[str, tuple[Line, ...]] = {}  # of the last MOST_OPEN that ran
        self._trouble = ""  # said once, however often it is met

    async def submit(self, endpoint: Endpoint, values: Mapping[str, Value], source: str) -> Job:
        """Accept a checked request; `source` is the name of its audio file, if it has one."""
        if len(self._open) >= MOST_OPEN:
            text = f"{MOST_OPEN} requests wait already. Try again when some are finished."
            raise RequestError(text, status=429)
        asked = dict(values)
        if endpoint.source is not None:
            asked[endpoint.source.name] = source  # not the megabytes that were sent
        job = Job(str(uuid.uuid4()), endpoint.name, asked, self._session)
        graph = await asyncio.to_thread(graph_of, endpoint, values, source, job.id, self._workflows)
        await self._save(job)
        try:
            await self._queue.put(job.id, graph)
        except RequestError as error:
            await self._end(replace(job, status="failed", error=str(error)))
            raise
        self._open[job.id] = job
        self._watch()
        return job

    def expect(self, job_id: str, seconds: float) -> None:
        """It has to begin within so many seconds, or it is taken out of the queue."""
        self._begins_by[job_id] = time.monotonic() + seconds

    async def look(self, job_id: str) -> Look:
        """RequestError with the status 404 for an id that was never given."""
        await self._settle()
        is_one = bool(re.fullmatch(ID, job_id))  # half a character could not even be looked for
        job = self._open.get(job_id) or self._unsaved.get(job_id)
        if job is None and is_one:
            job = await asyncio.to_thread(self._store.get, job_id)
        if job is None or job.endpoint not in ENDPOINTS:
            raise RequestError.about("id", "There is no request with this id.", status=404)
        if job.is_over:
            return Look(job, lines=self._lines.get(job_id, ()))
        if job_id not in self._open:  # of an earlier run of the server
            ended = await asyncio.to_thread(self._queue.ended, job_id)
            return Look(await self._end(_finished(job, ended, RESTARTED)))
        standing = await asyncio.to_thread(self._queue.standing)
        if job_id in standing.waiting:
            return Look(job, len(standing.running) + standing.waiting.index(job_id))
        text = await asyncio.to_thread(self._queue.progress, job_id)
        if job_id in self._open and text:
            self._note(job_id, text)
        lines = self._lines.get(job_id, ())
        return Look(job, 0, lines[-1] if text and lines else None, lines)

    async def cancel(self, job_id: str) -> Job:
        """Take it out of the queue or stop it; one that is over stays as it is."""
        look = await self.look(job_id)
        if look.job.is_over:
            return look.job
        self._cancelled.add(job_id)
        await asyncio.to_thread(self._queue.cancel, job_id)
        return (await self.look(job_id)).job

    async def wait(self, job_id: str, is_wanted: Callable[[], bool] = lambda: True) -> Job:
        """The job once it is over; cancelled as soon as nobody wants it any more."""
        while not (look := await self.look(job_id)).job.is_over:
            if not is_wanted():
                return await self.cancel(job_id)
            await asyncio.sleep(PAUSE)
        return look.job

    async def follow(self, job_id: str) -> AsyncIterator[Look | None]:
        """Every change until the request is over; None now and then where there is none."""
        last, heard = None, time.monotonic()
        while last is None or not last.job.is_over:
            look = await self.look(job_id)
            if look != last:
                yield look
                last, heard = look, time.monotonic()
            elif time.monotonic() - heard > QUIET:
                yield None
                heard = time.monotonic()
            if not look.job.is_over:
                await asyncio.sleep(PAUSE)

    def _note(self, job_id: str, text: str) -> None:
        """What is said of a run, each line once; the oldest are forgotten."""
        lines = self._lines.pop(job_id, ())
        if not lines or lines[-1].text != text:
            lines = (*lines[1 - MOST_LINES :], Line(text, now()))
        self._lines[job_id] = lines
        while len(self._lines) > MOST_OPEN:
            self._lines.pop(next(iter(self._lines)))

    def _watch(self) -> None:
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch_all())

    async def _watch_all(self) -> None:
        while self._open or self._unsaved:
            await asyncio.sleep(PAUSE)
            try:
                await self._settle()
                if self._unsaved:
                    await self._save_ended()
            except Exception as error:  # the next look may go well
                self._say(repr(error))

    def _say(self, trouble: str) -> None:
        """Log what is wrong when it begins and when it ends, and not four times a second."""
        if trouble and trouble != self._trouble:
            log.error("The state of requests cannot be noted: %s", trouble)
        elif self._trouble and not trouble:
            log.info("The state of requests can be noted again")
        self._trouble = trouble

    async def _save(self, job: Job) -> None:
        try:
            await asyncio.to_thread(self._store.save, job)
        except StoreError as error:
            self._say(str(error))
            raise
        self._say("")

    async def _save_ended(self) -> None:
        for job in list(self._unsaved.values()):
            try:
                await self._save(job)
            except StoreError:
                return
            self._unsaved.pop(job.id, None)

    async def _settle(self) -> None:
        """Bring every open job to where the queue has it."""
        before = list(self._open.values())
        if not before:
            return
        # The queue first: what ends in between is in the history then.
        standing = await asyncio.to_thread(self._queue.standing)
        for job in before:
            if job.id in standing.running:
                self._run(job)
            elif job.id not in standing.waiting:
                await self._settle_one(job, standing)
            elif time.monotonic() > self._begins_by.get(job.id, math.inf):
                await asyncio.to_thread(self._queue.withdraw, job.id)

    def _run(self, job: Job) -> None:
        self._begins_by.pop(job.id, None)
        if job.id in self._open and job.status == "created":
            self._open[job.id] = replace(job, status="processing")

    async def _settle_one(self, job: Job, standing: Standing) -> None:
        ended = await asyncio.to_thread(self._queue.ended, job.id)
        if job.id in self._open:  # another task may have been here meanwhile
            is_late = time.monotonic() > self._begins_by.get(job.id, math.inf)
            reason = CANCELLED if job.id in self._cancelled else LATE if is_late else REMOVED
            await self._end(_finished(job, ended, reason))

    async def _end(self, job: Job) -> Job:
        """It is answered from here until it is noted, which a full disk may delay."""
        self._unsaved[job.id] = job
        self._note(job.id, job.error or f"finished in {job.milliseconds / 1000:.1f} s")
        self._open.pop(job.id, None)
        self._cancelled.discard(job.id)
        self._begins_by.pop(job.id, None)
        await self._save_ended()
        if self._unsaved:
            self._watch()
        return job


def _finished(job: Job, ended: Ended | None, reason: str) -> Job:
    """What it came to; `reason` where the history knows nothing of it."""
    if ended is None:
        return replace(job, status="failed", error=reason)
    if ended.error:
        error, time = sentence(ended.error), ended.milliseconds  # others read it
        return replace(job, status="failed", error=error, milliseconds=time)
    if not ended.files:
        return replace(job, status="failed", error="The run ended without a file.")
    files, time = ended.files, ended.milliseconds
    return replace(job, status="completed", files=files, milliseconds=time)
