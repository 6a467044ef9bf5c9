"""The client against the real routes, over a queue that a test moves."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from acestep_core.hosted.client import (
    Client,
    Completed,
    InProgress,
    Prediction,
    Queued,
    RequestRefusedError,
    RunFailedError,
)
from tests.unit.hosted.kit import MOST_BYTES, Server, listening, serving, write_wav

TOKEN = "a token"
FAL = "fal-ai/ace-step/audio-to-audio"
TAGS = {"tags": "pop"}
EDIT = {"original_tags": "rock", "tags": "pop"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, token=TOKEN) as one:
        yield one


@pytest.fixture
def client(server: Server) -> Client:
    return Client(server.url, TOKEN)


def at_work(server: Server, error: str = "", pause: float = 0.05) -> threading.Thread:
    """Run what is queued, one after the other, in the background."""

    def work() -> None:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if server.queue.waiting:
                time.sleep(pause)
                server.queue.start()
                time.sleep(pause)
                server.queue.end(error)
                return
            time.sleep(0.01)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_submit_result_cancel(client: Client, server: Server) -> None:
    job = client.submit("text-to-audio", {**TAGS, "seed": 7})
    assert job == Prediction(job.id, "ace-step", "created", (), "", job.created_at, 0, job.input)
    assert job.input["seed"] == 7
    server.queue.start()
    assert client.result(job.id).status == "processing"
    assert not client.result(job.id).is_over
    cancelled = client.cancel(job.id)
    assert (cancelled.status, cancelled.error) == ("failed", "It was cancelled.")
    assert cancelled.is_over


def test_run(client: Client, server: Server) -> None:
    at_work(server)
    job = client.run("text-to-audio", TAGS)
    assert (job.status, job.milliseconds, len(job.outputs)) == ("completed", 1234, 1)
    at_work(server, "no room")
    with pytest.raises(RunFailedError, match="no room"):
        client.run("text-to-audio", TAGS)


def test_progress_says_every_change_once(client: Client, server: Server) -> None:
    first, second = (client.submit("text-to-audio", TAGS).id for _ in range(2))
    events = client.progress(second, every=0.01)
    assert next(events) == Queued(1)
    server.queue.start()
    server.queue.end()
    assert next(events) == Queued(0)
    server.queue.start()
    running = next(events)
    assert isinstance(running, InProgress)
    assert [one["message"] for one in running.logs] == ["AceSuiteTextToAudio: 3 of 27"]
    server.queue.end()
    for one, said in ((events, [*running.logs, None]), (client.progress(first), [None])):
        (end,) = one
        assert isinstance(end, Completed)
        assert end.metrics == {"inference_time": 1.234}
        assert end.logs[:-1] == said[:-1]  # of the first one, nothing was asked while it ran
        assert end.logs[-1]["message"] == "finished in 1.2 s"


def test_subscribe_as_fal_does(client: Client, server: Server, tmp_path: Path) -> None:
    seen: list[Any] = []
    source = client.upload_file(write_wav(tmp_path / "a song.wav"))
    at_work(server, pause=0.7)
    result = client.subscribe(
        "fal-ai/ace-step/audio-to-audio",
        arguments={"audio_url": source, **EDIT},
        with_logs=True,
        on_queue_update=seen.append,
    )
    assert set(result) == {"audio", "seed", "tags", "lyrics"}
    assert [type(event) for event in seen] == [Queued, InProgress, Completed]
    assert [one["message"] for one in seen[1].logs] == ["AceSuiteTextToAudio: 3 of 27"]


def test_subscribe_fails_with_the_reason(client: Client, server: Server, tmp_path: Path) -> None:
    source = client.upload_file(write_wav(tmp_path / "a.wav"))
    at_work(server, "no checkpoint was found")
    with pytest.raises(RequestRefusedError, match="no checkpoint") as caught:
        client.subscribe(FAL, {"audio_url": source, **EDIT})
    assert caught.value.status == 422


def test_upload_keeps_every_byte(client: Client, server: Server, tmp_path: Path) -> None:
    path = write_wav(tmp_path / 'odd "name"\u00e9.wav', 400.0)
    assert path.stat().st_size > MOST_BYTES  # of a body in memory; a file goes to the disk
    url = client.upload_file(path)
    name = url.partition("filename=")[2].partition("&")[0]
    assert (server.root / "input" / "acestep_api" / name).read_bytes() == path.read_bytes()


def test_errors_name_the_fields(client: Client) -> None:
    with pytest.raises(RequestRefusedError, match="duration is 3; it must be") as caught:
        client.submit("text-to-audio", {"duration": 3})
    assert caught.value.status == 400
    assert set(caught.value.fields) == {"tags", "duration"}
    with pytest.raises(RequestRefusedError, match="no request with this id"):
        client.result("none")


def test_the_token(server: Server, client: Client) -> None:
    with pytest.raises(RequestRefusedError) as caught:
        Client(server.url).submit("text-to-audio", TAGS)
    assert caught.value.status == 401
    assert TOKEN not in repr(client)


def test_the_token_stays_with_its_server(tmp_path: Path) -> None:
    """A redirect is not followed, and a file elsewhere is fetched without the token."""
    seen: list[str | None] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=b"sound")

    async def redirect(_: web.Request) -> web.Response:
        raise web.HTTPFound(other + "/file")

    app = web.Application()
    app.router.add_get("/file", elsewhere)
    with listening(app) as other:
        first = web.Application()
        first.router.add_route("*", "/{any:.*}", redirect)
        with listening(first) as url:
            client = Client(url, TOKEN)
            with pytest.raises(RequestRefusedError, match="302"):
                client.result("a")
            assert client.download(other + "/file", tmp_path / "a.flac").read_bytes() == b"sound"
    assert seen == [None]
    assert [path.name for path in tmp_path.iterdir()] == ["a.flac"]


def test_answers_that_are_no_json(tmp_path: Path) -> None:
    async def broken(_: web.Request) -> web.Response:
        return web.Response(status=502, text="<html>Bad gateway</html>")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", broken)
    with listening(app) as url, pytest.raises(RequestRefusedError, match="502: <html>Bad"):
        Client(url).result("a")


def test_only_the_standard_library(root: Path) -> None:
    text = (root / "acestep_core" / "hosted" / "client.py").read_text(encoding="utf-8")
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert not node.level
            found.add(str(node.module).partition(".")[0])
    assert found <= set(sys.stdlib_module_names)


def test_the_example(server: Server, root: Path, tmp_path: Path) -> None:
    """The shipped script as a user starts it; its download is ComfyUI's part and fails here."""
    at_work(server, "no checkpoint was found")
    command = [sys.executable, "-m", "scripts.api_example", "--url", server.url]
    command += ["--duration", "5", "-o", str(tmp_path / "a.flac")]
    done = subprocess.run(
        command,
        cwd=root,
        env={"ACESTEP_API_TOKEN": TOKEN, "OMP_NUM_THREADS": "1", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.strip() == "error: no checkpoint was found"
