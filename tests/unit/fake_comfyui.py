"""A ComfyUI that only says what a test tells it to, over real HTTP and a real WebSocket."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Status = tuple[int, dict[str, Any]]
SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WAITING = [0, "another", {}, {}, []]


@dataclass
class Fake:
    """What it says, and what it was asked."""

    messages: list[dict[str, Any] | bytes] = field(default_factory=list)  # after the prompt came
    entry: dict[str, Any] | None = None  # of the history, once the messages are out
    files: dict[str, bytes] = field(default_factory=dict)
    answers: dict[str, Status] = field(default_factory=dict)  # by path, in place of its own
    inputs: dict[str, Any] = field(default_factory=dict)  # of every class of node
    token: str = ""
    speaks: bool = True  # WebSocket
    is_known: bool = True  # the prompt, to the queue
    fragments: bool = False  # each message in pieces, a ping between them
    prompts: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)  # (path, body) of each POST
    url: str = ""
    waited_for: threading.Event = field(default_factory=threading.Event)
    told: threading.Event = field(default_factory=threading.Event)

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

    def body_of(self, path: str) -> Any:
        return next(body for asked, body in self.asked if asked == path)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: Fake

    def log_message(self, format: str, *words: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_json = self.headers.get("Content-Type") == "application/json"
        body: Any = json.loads(data) if is_json else data
        self.fake.asked.append((path, body))
        if self._is_kept_out() or self._has_own_answer(path):
            return
        if path == "/prompt":
            self.fake.prompts.append(body)
            if not self.fake.speaks:
                self.fake.told.set()
            self._answer({"prompt_id": body["prompt_id"], "number": 1, "node_errors": {}})
        elif path == "/upload/image":
            self._answer({"name": "song (1).wav", "subfolder": "", "type": "input"})
        else:
            self._answer({})

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        if self._is_kept_out() or self._has_own_answer(place.path):
            return
        first = place.path.split("/")[1]
        if first == "ws":
            self._speak()
        elif first == "queue":
            running = [[1, p["prompt_id"], {}, {}, []] for p in self.fake.prompts]
            known = self.fake.is_known
            self._answer({"queue_running": running if known else [], "queue_pending": [WAITING]})
        elif first == "history":
            is_over = self.fake.entry is not None and self.fake.told.is_set()
            self._answer({place.path.split("/")[2]: self.fake.entry} if is_over else {})
            self.fake.waited_for.set()
        elif first == "object_info":
            self._answer({place.path.split("/")[2]: {"input": {"required": self.fake.inputs}}})
        elif first == "view":
            name = parse_qs(place.query)["filename"][0]
            self._send(200, self.fake.files[name])
        else:
            self._send(404, b"not found")

    def _is_kept_out(self) -> bool:
        is_out = bool(self.fake.token) and (
            self.headers.get("Authorization") != f"Bearer {self.fake.token}"
        )
        if is_out:
            self._send(401, b"who are you")
        return is_out

    def _has_own_answer(self, path: str) -> bool:
        if path in self.fake.answers:
            self._answer(self.fake.answers[path][1], self.fake.answers[path][0])
        return path in self.fake.answers

    def _answer(self, value: dict[str, Any], status: int = 200) -> None:
        self._send(status, json.dumps(value).encode())

    def _send(self, status: int, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _speak(self) -> None:
        if not self.fake.speaks:
            self._send(404, b"no WebSocket here")
            return
        key = self.headers["Sec-WebSocket-Key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + SALT).digest()).decode()
        self.wfile.write(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        self.fake.waited_for.wait(10)  # a run is slower than the first question about it
        id_ = self.fake.prompts[0]["prompt_id"] if self.fake.prompts else ""
        for message in self.fake.messages:
            if isinstance(message, dict):
                about = {"prompt_id": id_, **message["data"]}
                message = json.dumps({**message, "data": about})
            self._say(message)
        self.fake.told.set()
        with contextlib.suppress(ConnectionError):
            while self.rfile.read(1):  # until the other side goes
                pass
        self.close_connection = True

    def _say(self, message: str | bytes) -> None:
        data, code = (message, 2) if isinstance(message, bytes) else (message.encode(), 1)
        if not self.fake.fragments:
            self.wfile.write(frame(code | 0x80, data))
            return
        middle = len(data) // 2
        self.wfile.write(frame(code, data[:middle]) + frame(0x89, b"still there"))
        rest = frame(0x80, data[middle:])
        self.wfile.write(rest[:3])
        self.wfile.flush()
        self.wfile.write(rest[3:])


def frame(first: int, data: bytes) -> bytes:
    size = len(data)
    if size < 126:
        length = bytes([size])
    else:
        length = struct.pack(">BH", 126, size) if size < 65_536 else struct.pack(">BQ", 127, size)
    return bytes([first]) + length + data


@contextmanager
def answering(fake: Fake) -> Iterator[Fake]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"fake": fake}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
