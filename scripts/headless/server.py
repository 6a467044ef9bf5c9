"""A ComfyUI server over HTTP: what a script asks of it, and the files it made.

    Server(url, token) -> prompt, queue, history, stop, upload, fetch

Only the standard library. The address may have a path in front (http://host/comfy) and may ask
for a bearer token. A redirect is an error: the token must not follow it to another place.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import secrets
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

WAIT = 60.0  # seconds for one answer; a busy server is slow to give it
LOCAL = {"127.0.0.1", "localhost", "::1"}
NEVER_A_NAME = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')  # in a file's name, on one system or another
TAKEN_BY_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


class UnreachableError(Exception):
    """Nothing answers at the server's address."""


class AnswerError(Exception):
    """The server answered with an error; `answer` is its JSON, where it was that."""

    def __init__(self, status: int, reason: str, body: bytes) -> None:
        text = body.decode("utf-8", "replace").strip()
        super().__init__(f"{status} {reason}: {text[:300]}" if text else f"{status} {reason}")
        self.status = status
        try:
            self.answer = json.loads(text)
        except ValueError:
            self.answer = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        """Refuse: urllib then reports the redirect itself as the error."""


class Server:
    def __init__(self, url: str, token: str = "") -> None:
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
        if urlsplit(url).hostname in LOCAL:  # a proxy would look for it on its own machine
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def queue_prompt(self, graph: dict[str, Any], prompt_id: str, client_id: str) -> dict[str, Any]:
        """Put a graph into the queue; AnswerError with the node errors when it is refused."""
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": client_id}
        return self._json("/prompt", body)

    def history(self, prompt_id: str) -> dict[str, Any] | None:
        """The entry of a prompt that is over."""
        return self._json(f"/history/{prompt_id}").get(prompt_id)

    def place_in_queue(self, prompt_id: str) -> int | None:
        """0 while it runs, else how many come first; None when the queue does not have it."""
        queue = self._json("/queue")
        if any(item[1] == prompt_id for item in queue["queue_running"]):
            return 0
        waiting = [item[1] for item in sorted(queue["queue_pending"], key=lambda item: item[0])]
        running = len(queue["queue_running"])
        return running + waiting.index(prompt_id) if prompt_id in waiting else None

    def inputs_of(self, kind: str) -> list[str]:
        """The names of a node's inputs; none where the server does not know the node."""
        found = self._json(f"/object_info/{kind}").get(kind, {}).get("input", {})
        return [name for part in ("required", "optional") for name in found.get(part, {})]

    def stop(self, prompt_id: str) -> None:
        """End this prompt and no other, whether it waits or runs."""
        self._json("/queue", {"delete": [prompt_id]})
        self._json("/interrupt", {"prompt_id": prompt_id})

    def upload(self, path: Path) -> str:
        """Put a file into the server's input folder: the name nodes know it by."""
        mark = secrets.token_hex(16)
        name = path.name.replace('"', "%22")
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="type"\r\n\r\ninput\r\n'
            f'--{mark}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + path.read_bytes() + f"\r\n--{mark}--\r\n".encode()
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        with self._open("/upload/image", body, headers) as answer:
            stored = json.loads(answer.read())
        folder = stored.get("subfolder", "")
        return f"{folder}/{stored['name']}" if folder else stored["name"]

    def fetch(self, item: dict[str, Any], folder: Path) -> Path:
        """Download one file of a result under its own name, or the next free one like it."""
        asked = {name: str(item.get(name, "")) for name in ("filename", "subfolder", "type")}
        part = folder / f".headless-{secrets.token_hex(8)}.part"
        try:
            with self._open(f"/view?{urlencode(asked)}") as answer, part.open("xb") as file:
                shutil.copyfileobj(answer, file)
                size = answer.headers.get("Content-Length")
                if size is not None and file.tell() != int(size):
                    raise UnreachableError(f"{asked['filename']} broke off at {file.tell()} bytes")
            return moved_to_free_name(part, folder / safe_name(asked["filename"]))
        except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
            raise UnreachableError(f"{asked['filename']} broke off: {error}") from error
        finally:
            part.unlink(missing_ok=True)

    def _json(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        try:
            with self._open(path, data, {"Content-Type": "application/json"}) as answer:
                text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise UnreachableError(f"{self.url} broke off: {error}") from error
        try:
            answered = json.loads(text or b"{}")
        except ValueError:
            answered = None
        if not isinstance(answered, dict):
            raise AnswerError(200, f"{path} is no ComfyUI's answer", text)
        return answered

    def _open(
        self, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> http.client.HTTPResponse:
        request = urllib.request.Request(self.url + path, body, {**self.headers, **(headers or {})})
        try:
            return self._opener.open(request, timeout=WAIT)
        except urllib.error.HTTPError as error:
            reason = str(error.reason)
            if 300 <= error.code < 400:
                reason += f" to {error.headers.get('Location')}; give that address as --server"
            raise AnswerError(error.code, reason, error.read()) from None
        except (OSError, http.client.HTTPException) as error:
            cause = getattr(error, "reason", error)
            raise UnreachableError(f"{self.url} does not answer: {cause}") from error


def safe_name(name: str) -> str:
    """The last part of a name the server gave, as a file's name on any system."""
    name = NEVER_A_NAME.sub("_", re.split(r"[/\\]", name)[-1]).strip(" .")
    return f"_{name}" if not name or TAKEN_BY_WINDOWS.match(name) else name


def moved_to_free_name(part: Path, wanted: Path) -> Path:
    """Give a finished file its name; one that exists is never replaced."""
    number, target = 1, wanted
    while True:
        try:
            # Claimed first: between asking whether a name is free and taking it another may.
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
            break
        except FileExistsError:
            target = wanted.with_name(f"{wanted.stem}_{number}{wanted.suffix}")
            number += 1
    try:
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            target.unlink()
        raise
    return target
