"""The answers, each written once: routes send them, and the OpenAPI document shows them.

    records.py -> one of these -> JSON
               -> schema in openapi.py

Names and types are those of the services' own clients.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from .errors import Problem
from .parameters import ENDPOINTS, Value
from .shapes import Count, Shape, Shown, Time, Url
from .store import Status

Model = Annotated[str, Shown(enum=[one.model for one in ENDPOINTS.values()])]
Input = Annotated[dict[str, Value], Shown(description="The request with its seed resolved.")]
Nothing = Annotated[list[str], Shown(maxItems=0, description="Nothing classifies.")]
Headers = Annotated[dict[str, str], Shown(description="To be sent along.")]
Seconds = Annotated[float, Shown(minimum=0)]


@dataclass(frozen=True)
class Error(Shape):
    code: Count  # HTTP's status
    message: str
    detail: str  # the same, because fal's clients read that name
    errors: tuple[Problem, ...] = ()


# --- WaveSpeed's ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Urls(Shape):
    get: Url


@dataclass(frozen=True)
class Timings(Shape):
    inference: Count  # milliseconds


@dataclass(frozen=True)
class PredictionData(Shape):
    id: str
    model: Model
    input: Input
    outputs: tuple[Url, ...]
    urls: Urls
    status: Status
    created_at: Time
    error: str
    timings: Timings
    has_nsfw_contents: Nothing = field(default_factory=list)


@dataclass(frozen=True)
class Prediction(Shape):
    """The record of a submit, a result and a cancel."""

    data: PredictionData
    code: Literal[200] = 200
    message: Literal["success"] = "success"


@dataclass(frozen=True)
class UploadedData(Shape):
    download_url: Url
    filename: str
    size: Count
    type: Literal["audio"] = "audio"


@dataclass(frozen=True)
class Uploaded(Shape):
    data: UploadedData
    code: Literal[200] = 200
    message: Literal["success"] = "success"


@dataclass(frozen=True)
class Instruction(Shape):
    url: Url
    method: Literal["PUT"] = "PUT"
    headers: Headers = field(default_factory=dict)


@dataclass(frozen=True)
class BegunData(Shape):
    upload: Instruction
    download_url: Url  # once the file is there
    filename: str
    type: Literal["audio"] = "audio"


@dataclass(frozen=True)
class Begun(Shape):
    data: BegunData
    code: Literal[200] = 200
    message: Literal["success"] = "success"


# --- fal's ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Log(Shape):
    message: str
    timestamp: Time
    level: Literal["INFO"] = "INFO"
    source: Literal["USER"] = "USER"


@dataclass(frozen=True)
class Request(Shape):
    """What every answer about a queued request begins with."""

    request_id: str
    status_url: Url
    response_url: Url
    cancel_url: Url


@dataclass(frozen=True)
class Queued(Request):
    """The answer of a submission, and of a status until it runs."""

    queue_position: Count = 0
    status: Literal["IN_QUEUE"] = "IN_QUEUE"


@dataclass(frozen=True)
class InProgress(Request):
    logs: tuple[Log, ...] = ()
    status: Literal["IN_PROGRESS"] = "IN_PROGRESS"


@dataclass(frozen=True)
class Metrics(Shape):
    inference_time: Seconds


ErrorType = Literal["client_cancelled", "request_timeout", "internal_error"]


@dataclass(frozen=True)
class Completed(Request):
    """It is over; `error` says of what, where nothing came of it."""

    metrics: Metrics
    error: str | None = None
    error_type: ErrorType | None = None
    logs: tuple[Log, ...] = ()
    status: Literal["COMPLETED"] = "COMPLETED"


Standing = Queued | InProgress | Completed


@dataclass(frozen=True)
class Audio(Shape):
    url: Url


@dataclass(frozen=True)
class Result(Shape):
    audio: Audio
    seed: Count
    tags: str
    lyrics: str


@dataclass(frozen=True)
class Stopped(Shape):
    status: Literal["CANCELLATION_REQUESTED", "ALREADY_COMPLETED"]


@dataclass(frozen=True)
class Initiated(Shape):
    """Of its storage: where to PUT a file, and the URL it will have."""

    upload_url: Url
    file_url: Url


@dataclass(frozen=True)
class CdnToken(Shape):
    token: str
    token_type: Literal["Bearer"]
    base_url: Url
    expires_at: Time


@dataclass(frozen=True)
class Stored(Shape):
    access_url: Url
