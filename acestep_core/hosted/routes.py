"""Every route there is: method, path, what it does, for which endpoint.

    ROUTES -> nodes/rest/routes.py (handlers) and openapi.py (document)

The services' own paths stand beside ours, so that a script needs another address and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from .parameters import ENDPOINTS, FULL_CONTROL, Endpoint

Does: TypeAlias = Literal[
    "submit",
    "result",
    "cancel",
    "upload",
    "begin",
    "bring",
    "initiate",
    "pass",
    "store",
    "document",
    "direct",
    "queue",
    "standing",
    "watch",
    "answer",
    "stop",
]

OWN = "/acestep/v1"
WAVESPEED = "/api/v3"
WAVESPEED_BEFORE = "/api/v2"  # where the first of its JavaScript clients uploads
FAL_PATH = "/fal-ai/ace-step"
# fal has its queue at a host of its own; one server has but one, so here it is a path.
FAL_QUEUE = f"/acestep/queue{FAL_PATH}"
# The same of its storage (rest.fal.ai/storage) and of its file host (v3.fal.media).
FAL_FILES = "/acestep"
UPLOADS = f"{OWN}/uploads"
DOCUMENT = f"{OWN}/openapi.json"


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    does: Does
    base: str  # what the URLs of its answers begin with
    endpoint: Endpoint | None = None

    @property
    def is_open(self) -> bool:
        """Answered whoever asks."""
        return self.does == "document"

    @property
    def has_ticket(self) -> bool:
        """Its id is the leave: those who bring a file with a ticket send no token along."""
        return self.does == "bring"


def _services() -> list[Route]:
    found = []
    for endpoint in ENDPOINTS.values():
        if endpoint.name == FULL_CONTROL:
            continue
        theirs = f"{WAVESPEED}/wavespeed-ai/{endpoint.model}"
        found += [
            Route("POST", f"{OWN}/{endpoint.name}", "submit", OWN, endpoint),
            Route("POST", theirs, "submit", WAVESPEED, endpoint),
        ]
    return found


def _fal() -> list[Route]:
    endpoint = ENDPOINTS[FULL_CONTROL]
    found = [
        Route("POST", f"{FAL_PATH}/audio-to-audio", "direct", FAL_PATH, endpoint),
        Route("POST", f"{FAL_QUEUE}/audio-to-audio", "queue", FAL_QUEUE, endpoint),
    ]
    for base in (FAL_QUEUE, FAL_PATH):
        # Some clients put the whole name into these paths, some the first two parts of it.
        for path in (base, f"{base}/audio-to-audio"):
            request = f"{path}/requests/{{id}}"
            found += [
                Route("GET", f"{request}/status", "standing", base, endpoint),
                Route("GET", f"{request}/status/stream", "watch", base, endpoint),
                Route("GET", request, "answer", base, endpoint),
                Route("PUT", f"{request}/cancel", "stop", base, endpoint),
            ]
    return found


ROUTES = (
    *_services(),
    Route("GET", f"{OWN}/predictions/{{id}}/result", "result", OWN),
    Route("GET", f"{WAVESPEED}/predictions/{{id}}/result", "result", WAVESPEED),
    Route("POST", f"{OWN}/predictions/{{id}}/cancel", "cancel", OWN),
    Route("POST", f"{OWN}/upload", "upload", OWN),
    *(
        Route("POST", f"{base}/media/upload/binary", "upload", base)
        for base in (WAVESPEED, WAVESPEED_BEFORE)
    ),
    Route("POST", f"{WAVESPEED}/media/uploads", "begin", WAVESPEED),
    Route("PUT", f"{UPLOADS}/{{id}}", "bring", OWN),
    Route("POST", f"{FAL_FILES}/storage/upload/initiate", "initiate", FAL_FILES),
    Route("POST", f"{FAL_FILES}/storage/auth/token", "pass", FAL_FILES),
    Route("POST", f"{FAL_FILES}/files/upload", "store", FAL_FILES),
    Route("GET", DOCUMENT, "document", OWN),
    *_fal(),
)
