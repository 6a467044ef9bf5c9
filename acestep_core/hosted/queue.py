"""What has to be known of ComfyUI's queue; nodes/host/queue.py asks the real one.

graph -> put -> waiting -> running -> Ended (in its history)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..records.record import Json

CANCELLED = "It was cancelled."  # the error of a run that somebody ended
BEGIN_WITHIN = "x-fal-request-timeout"  # header of a request: seconds
LATE = "It did not begin within the time that was given for that."
Graph = dict[str, dict[str, Json]]


@dataclass(frozen=True)
class OutputFile:
    """A file as ComfyUI's /view finds it."""

    filename: str
    subfolder: str
    type: str = "output"


@dataclass(frozen=True)
class Ended:
    """What the history says of a run."""

    files: tuple[OutputFile, ...] = ()
    error: str = ""  # empty: it went well
    milliseconds: int = 0  # from its start to its end


@dataclass(frozen=True)
class Standing:
    """Who waits, the next one first, and who runs."""

    running: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


class Queue(Protocol):
    async def put(self, job_id: str, graph: Graph) -> None:
        """Queue a graph under that id; RequestError where it is not accepted."""
        ...

    def standing(self) -> Standing: ...

    def ended(self, job_id: str) -> Ended | None: ...

    def cancel(self, job_id: str) -> None:
        """Take it out of the queue, or stop it where it is the one that runs."""
        ...

    def withdraw(self, job_id: str) -> None:
        """Take it out of the queue where it waits; one that runs goes on."""
        ...

    def progress(self, job_id: str) -> str:
        """How far the running one is, in a line; nothing where that is not known."""
        ...
