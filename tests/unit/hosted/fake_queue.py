"""A queue as ComfyUI's: one runs, the others wait, and nothing moves unless a test says so.

The pack's classes are others than those of a core imported by itself, so a test says with whose
the queue answers: FakeQueue(acestep_core.hosted.queue, acestep_core.hosted.errors).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

MILLISECONDS = 1234
PROGRESS = "AceSuiteTextToAudio: 3 of 27"


class FakeQueue:
    def __init__(self, queue: ModuleType, errors: ModuleType) -> None:
        self._queue, self._errors = queue, errors
        self.graphs: dict[str, Any] = {}
        self.running: list[str] = []
        self.waiting: list[str] = []
        self.history: dict[str, Any] = {}
        self.refusal = ""

    async def put(self, job_id: str, graph: object) -> None:
        if self.refusal:
            raise self._errors.RequestError(self.refusal)
        self.graphs[job_id] = graph
        self.waiting.append(job_id)

    def standing(self) -> Any:
        return self._queue.Standing(tuple(self.running), tuple(self.waiting))

    def ended(self, job_id: str) -> Any:
        return self.history.get(job_id)

    def cancel(self, job_id: str) -> None:
        if job_id in self.waiting:
            self.waiting.remove(job_id)
        elif job_id in self.running:
            self.end(error="It was cancelled.")

    def withdraw(self, job_id: str) -> None:
        self.waiting = [one for one in self.waiting if one != job_id]

    def progress(self, job_id: str) -> str:
        return PROGRESS

    def start(self) -> str:
        self.running.append(self.waiting.pop(0))
        return self.running[0]

    def end(self, error: str = "", milliseconds: int = MILLISECONDS) -> None:
        files = (
            ()
            if error
            else (self._queue.OutputFile(f"{self.running[0]}_00001_.flac", "acestep_api"),)
        )
        self.end_as(self._queue.Ended(files, error, milliseconds))

    def end_as(self, ended: Any) -> None:
        self.history[self.running.pop()] = ended
