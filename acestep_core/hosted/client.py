"""A client of the routes this pack adds to ComfyUI, with nothing but the standard library.

    Client(url) -> submit -> progress (an iterator) -> result -> download
                -> subscribe: the same with the call shape of fal's client

It can be copied out of the project: nothing else of it is imported.
"""

from __future__ import annotations

import json
import mimetypes
import os
import secrets
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

OWN, QUEUE = "/acestep/v1", "/acestep/queue"
LOCAL = ("localhost", "127.0.0.1", "::1")
BLOCK = 2**18


class RequestRefusedError(Exception):
    """The server's answer is an error; `fields` says what is wrong with which field."""

    def __init__(self, status: int, message: str, fields: Mapping[str, str]) -> None:
        super().__init__(message)
        self.status, self.fields = status, dict(fields)


class RunFailedError(Exception):
    """The request was accepted, and failed or was cancelled later."""


@dataclass(frozen=True)
class Prediction:
    """A request as the server last described it."""

    id: str
    model: str
    status: str  # created, processing, completed, failed
    outputs: tuple[str, ...]  # URLs
    error: str
    created_at: str
    milliseconds: int
    input: dict[str, Json]  # with the seed that is used

    @property
    def is_over(self) -> bool:
        return self.status in ("completed", "failed")


@dataclass(frozen=True)
class Queued:
    position: int


@dataclass(frozen=True)
class InProgress:
    logs: list[dict[str, Json]]


@dataclass(frozen=True)
class Completed:
    logs: list[dict[str, Json]]
    metrics: dict[str, Json]


Event: TypeAlias = "Queued | InProgress | Completed"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token goes to the address that was given and to no other."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


@dataclass(frozen=True)
class Client:
    """One server. `token` is what ACESTEP_API_TOKEN says there, if it asks for one."""

    url: str = "http://127.0.0.1:8188"
    token: str = field(default="", repr=False)
    seconds: float = 60.0  # for one answer

    def submit(self, endpoint: str, arguments: Mapping[str, Json]) -> Prediction:
        """Queue a request: text-to-audio, prompt-to-audio, audio-to-audio, audio-inpaint or
        audio-outpaint."""
        return _prediction(self._asked("POST", f"{OWN}/{endpoint}", dict(arguments)))

    def result(self, job_id: str) -> Prediction:
        return _prediction(self._asked("GET", f"{OWN}/predictions/{job_id}/result"))

    def cancel(self, job_id: str) -> Prediction:
        return _prediction(self._asked("POST", f"{OWN}/predictions/{job_id}/cancel"))

    def progress(self, job_id: str, every: float = 0.5) -> Iterator[Event]:
        """What changes, as it changes, until the request is over."""
        return self._events(f"{QUEUE}/fal-ai/ace-step/requests/{job_id}/status", every)

    def run(self, endpoint: str, arguments: Mapping[str, Json]) -> Prediction:
        """Submit and wait; RunFailedError where nothing came of it."""
        job = self.submit(endpoint, arguments)
        for _ in self.progress(job.id):
            pass
        job = self.result(job.id)
        if job.status != "completed":
            raise RunFailedError(job.error)
        return job

    def subscribe(
        self,
        application: str,
        arguments: Mapping[str, Json],
        with_logs: bool = False,
        on_queue_update: Callable[[Event], object] | None = None,
    ) -> dict[str, Json]:
        """As fal's client does it: {"audio": {"url": ...}, "seed": ..., "tags", "lyrics"}."""
        queued = self._asked("POST", f"{QUEUE}/{application}", dict(arguments))
        path = f"{QUEUE}/fal-ai/ace-step/requests/{queued['request_id']}"
        for event in self._events(f"{path}/status{'?logs=1' if with_logs else ''}", 0.5):
            if on_queue_update is not None:
                on_queue_update(event)
        return self._asked("GET", path)

    def upload_file(self, path: str | Path) -> str:
        """Bring a sound file to the server; the URL it is given may be used as audio."""
        path, mark = Path(path), secrets.token_hex(16)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        name = "".join(char if char.isascii() and char.isalnum() else "_" for char in path.stem)
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\n\r\n"
        ).encode()
        tail = f"\r\n--{mark}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "Content-Length": str(len(head) + path.stat().st_size + len(tail)),
        }
        request = self._request("POST", f"{self.url.rstrip('/')}{OWN}/upload", headers)
        request.data = _pieces(head, path, tail)
        data = self._answer(request)["data"]
        assert isinstance(data, dict)
        return str(data["download_url"])

    def download(self, url: str, path: str | Path) -> Path:
        """Save an output."""
        path = Path(path)
        part = path.with_name(path.name + ".part")
        request = self._request("GET", url, {})
        opener = self._opener(url)
        with opener.open(request, timeout=self.seconds) as answer, part.open("wb") as out:
            shutil.copyfileobj(answer, out, BLOCK)
        os.replace(part, path)
        return path

    def _events(self, path: str, every: float) -> Iterator[Event]:
        last: Event | None = None
        while not isinstance(last, Completed):
            event = _event(self._asked("GET", path))
            if event != last:
                yield event
            last = event
            if not isinstance(event, Completed):
                time.sleep(every)

    def _asked(self, method: str, path: str, body: object = None) -> dict[str, Json]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        request = self._request(method, self.url.rstrip("/") + path, headers)
        if body is not None:
            request.data = json.dumps(body).encode()
        return self._answer(request)

    def _request(self, method: str, url: str, headers: dict[str, str]) -> urllib.request.Request:
        request = urllib.request.Request(url, headers=headers, method=method)
        if self.token and urlsplit(url).netloc == urlsplit(self.url).netloc:
            request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        return request

    def _answer(self, request: urllib.request.Request) -> dict[str, Json]:
        try:
            with self._opener(self.url).open(request, timeout=self.seconds) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error.code, error.read()) from None

    def _opener(self, url: str) -> urllib.request.OpenerDirector:
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if urlsplit(url).hostname in LOCAL:
            handlers.append(urllib.request.ProxyHandler({}))
        return urllib.request.build_opener(*handlers)


def _pieces(head: bytes, path: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
    yield tail


def _prediction(answer: dict[str, Json]) -> Prediction:
    data = answer["data"]
    assert isinstance(data, dict)
    outputs, timings, asked = data["outputs"], data["timings"], data["input"]
    assert isinstance(outputs, list)
    assert isinstance(timings, dict)
    assert isinstance(asked, dict)
    names = ("id", "model", "status", "error", "created_at")
    texts = {name: str(data[name]) for name in names}
    milliseconds = int(str(timings["inference"]))
    return Prediction(
        **texts, outputs=tuple(map(str, outputs)), milliseconds=milliseconds, input=asked
    )


def _event(answer: dict[str, Json]) -> Event:
    found = answer.get("logs")
    logs = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if answer["status"] == "IN_QUEUE":
        return Queued(int(str(answer["queue_position"])))
    if answer["status"] == "IN_PROGRESS":
        return InProgress(logs)
    metrics = answer.get("metrics")
    return Completed(logs, metrics if isinstance(metrics, dict) else {})


def _refusal(status: int, body: bytes) -> RequestRefusedError:
    try:
        found = json.loads(body)
        fields = {one["field"]: one["message"] for one in found["errors"]}
        return RequestRefusedError(status, found["message"], fields)
    except (ValueError, LookupError, TypeError):
        text = body[:200].decode("utf-8", "replace").strip()
        return RequestRefusedError(status, f"The server answers with {status}: {text}", {})
