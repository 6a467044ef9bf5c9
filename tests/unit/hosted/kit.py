"""The routes on a real HTTP server, over a queue that a test moves by hand.

Serving (thread, aiohttp) -> nodes.rest.routes -> Jobs -> FakeQueue
"""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.unit.hosted.fake_queue import FakeQueue
from tests.unit.nodes.pack import module

errors = module("acestep_core.hosted.errors")
queue = module("acestep_core.hosted.queue")
api = module("nodes.rest.routes")

MOST_BYTES = 4 * 2**20  # of a body, as ComfyUI's --max-upload-size


@dataclass
class Answer:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Server:
    url: str
    queue: Any
    root: Path  # of input, output and temp
    sources: Any = None

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """`body` is sent as it is when it is bytes, and as JSON otherwise."""
        url = path if path.startswith("http") else self.url + path
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        kinds = {} if body is None else {"Content-Type": "application/json"}
        request = urllib.request.Request(url, sent, {**kinds, **(headers or {})}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as found:
                return Answer(found.status, json.loads(found.read()), dict(found.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.loads(error.read()), dict(error.headers))

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self.ask("POST", path, body, headers)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)


def application(made: Any) -> web.Application:
    """Every route, and again under /api, as ComfyUI does it."""
    app = web.Application(client_max_size=MOST_BYTES)
    for route in api.ROUTES:
        for prefix in ("", "/api"):
            app.router.add_route(route.method, prefix + route.path, made.handler(route))
    return app


def made_api(root: Path, fake: Any, **settings: Any) -> Any:
    for name in ("input", "output", "temp"):
        (root / name).mkdir(exist_ok=True)
    chosen = module("acestep_core.hosted.settings").Settings(**settings)
    folders = {name: root / name for name in ("input", "output", "temp")}
    store = api.Store(root / "jobs.sqlite3")
    return api.Api(api.Jobs(fake, store), api.Sources(folders, chosen), chosen)


@contextmanager
def serving(root: Path, fake: Any = None, **settings: Any) -> Iterator[Server]:
    fake = fake or FakeQueue(queue, errors)
    made = made_api(root, fake, **settings)
    with listening(application(made)) as url:
        yield Server(url, fake, root, made.sources)


@contextmanager
def listening(app: web.Application) -> Iterator[str]:
    """Any application, on a free port of this machine, in a thread."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    loop.run_until_complete(runner.setup())
    site = web.TCPSite(runner, "127.0.0.1", 0)
    loop.run_until_complete(site.start())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(runner.cleanup())
        loop.run_until_complete(_end_tasks())
        loop.close()


async def _end_tasks() -> None:
    """What still watches the queue."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def write_wav(path: Path, seconds: float = 1.0, rate: int = 8000, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(b"\1\2" * int(seconds * rate * channels))
    return path


def form(files: dict[str, tuple[str, bytes]], fields: dict[str, str]) -> tuple[bytes, str]:
    """A multipart body and its content type."""
    mark, parts = "c0ffee", []
    for name, (filename, content) in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
        parts.append(f"--{mark}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    for name, text in fields.items():
        head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        parts.append(head.encode() + text.encode() + b"\r\n")
    return b"".join(parts) + f"--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"
