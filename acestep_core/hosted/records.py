"""Answers, filled in the way the services do it.

Job -> prediction (WaveSpeed's record), or fal's queue and result
RequestError -> refusal
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from ..lyrics.sections import hosted_lyrics
from .answers import (
    Audio,
    Completed,
    Error,
    ErrorType,
    InProgress,
    Log,
    Metrics,
    Prediction,
    PredictionData,
    Queued,
    Result,
    Standing,
    Timings,
    Urls,
)
from .errors import RequestError
from .jobs import Look
from .parameters import ENDPOINTS
from .queue import CANCELLED, LATE, OutputFile
from .store import Job


@dataclass(frozen=True)
class Place:
    """What the URLs of an answer begin with."""

    server: str  # http://127.0.0.1:8188
    base: str  # path of the routes the request came by

    def view(self, file: OutputFile) -> str:
        fields = {"filename": file.filename, "subfolder": file.subfolder, "type": file.type}
        return f"{self.server}/view?{urlencode(fields)}"

    def prediction(self, job_id: str) -> str:
        return f"{self.server}{self.base}/predictions/{job_id}/result"

    def request(self, job_id: str) -> str:
        return f"{self.server}{self.base}/requests/{job_id}"


def refusal(error: RequestError) -> Error:
    """What every route answers with where it does not do what was asked."""
    return Error(error.status, str(error), str(error), error.problems)


def prediction(job: Job, place: Place) -> Prediction:
    return Prediction(
        PredictionData(
            id=job.id,
            model=ENDPOINTS[job.endpoint].model,
            input=dict(job.asked),
            outputs=tuple(place.view(file) for file in job.files),
            urls=Urls(place.prediction(job.id)),
            status=job.status,
            created_at=job.created_at,
            error=job.error,
            timings=Timings(job.milliseconds),
        )
    )


def submitted(look: Look, place: Place) -> Queued:
    """fal's answer to a request that goes into the queue."""
    return Queued(*_about(look.job, place), look.ahead)


def standing(look: Look, place: Place) -> Standing:
    """fal's answer to how a request is doing."""
    job, about = look.job, _about(look.job, place)
    if job.is_over:
        metrics = Metrics(job.milliseconds / 1000)
        logs = tuple(Log(line.text, line.at) for line in look.lines)
        return Completed(*about, metrics, job.error or None, error_type(job), logs)
    if job.status == "processing":
        line = look.progress
        return InProgress(*about, (Log(line.text, line.at),) if line else ())
    return Queued(*about, look.ahead)


def _about(job: Job, place: Place) -> tuple[str, str, str, str]:
    url = place.request(job.id)
    return job.id, f"{url}/status", url, f"{url}/cancel"


def error_type(job: Job) -> ErrorType | None:
    """fal's word for why nothing came of it."""
    if job.status != "failed":
        return None
    kinds: dict[str, ErrorType] = {CANCELLED: "client_cancelled", LATE: "request_timeout"}
    return kinds.get(job.error, "internal_error")


def result(job: Job, place: Place) -> Result:
    """fal's answer of a request that went well."""
    asked = job.asked
    lyrics = hosted_lyrics(str(asked["lyrics"]))
    return Result(
        Audio(place.view(job.files[0])), int(asked["seed"] or 0), str(asked["tags"]), lyrics
    )
