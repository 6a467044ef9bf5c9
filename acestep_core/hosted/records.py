"""Answers, in the shapes the services give.

Job -> prediction (WaveSpeed's record), or fal's queue and result
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from ..lyrics.sections import hosted_lyrics
from ..records.record import Json
from .parameters import ENDPOINTS
from .queue import OutputFile
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


def prediction(job: Job, place: Place) -> dict[str, Json]:
    """The record of a submit, a result and a cancel."""
    return {
        "code": 200,
        "message": "success",
        "data": {
            "id": job.id,
            "model": ENDPOINTS[job.endpoint].model,
            "input": dict(job.asked),
            "outputs": [place.view(file) for file in job.files],
            "urls": {"get": place.prediction(job.id)},
            "has_nsfw_contents": [],
            "status": job.status,
            "created_at": job.created_at,
            "error": job.error,
            "timings": {"inference": job.milliseconds},
        },
    }


def submitted(job: Job, place: Place) -> dict[str, Json]:
    """fal's answer to a request that goes into the queue."""
    url = place.request(job.id)
    return {
        "request_id": job.id,
        "status_url": f"{url}/status",
        "response_url": url,
        "cancel_url": f"{url}/cancel",
    }


def standing(job: Job, place: Place, ahead: int, progress: str) -> dict[str, Json]:
    """fal's answer to how a request is doing."""
    about = submitted(job, place)
    if job.is_over:
        seconds = job.milliseconds / 1000
        return {**about, "status": "COMPLETED", "logs": [], "metrics": {"inference_time": seconds}}
    if job.status == "processing":
        logs: list[Json] = [{"message": progress}] if progress else []
        return {**about, "status": "IN_PROGRESS", "logs": logs}
    return {**about, "status": "IN_QUEUE", "queue_position": ahead}


def result(job: Job, place: Place) -> dict[str, Json]:
    """fal's answer of a request that went well."""
    return {
        "audio": {"url": place.view(job.files[0])},
        "seed": job.asked["seed"],
        "tags": job.asked["tags"],
        "lyrics": hosted_lyrics(str(job.asked["lyrics"])),
    }
