"""What a page does, without the page: queue a prompt, listen to what is said about it.

prompt -> POST /prompt -> messages over the WebSocket -> Outcome
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from scripts.headless.messages import Messages
from scripts.host.comfyui import get_json

Prompt = dict[str, dict[str, Any]]

ENDS = {"execution_success", "execution_error", "execution_interrupted"}


class RefusedError(Exception):
    """The server did not take the prompt; `answer` says why."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(json.dumps(answer)[:2000])
        self.answer = answer


@dataclass(frozen=True)
class Message:
    at: float  # seconds of the monotonic clock
    kind: str
    data: dict[str, Any]


@dataclass
class Outcome:
    prompt_id: str
    messages: list[Message] = field(default_factory=list)

    @property
    def end(self) -> Message | None:
        return next((m for m in self.messages if m.kind in ENDS), None)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [m.data for m in self.messages if m.kind == kind]

    @property
    def error(self) -> str:
        return str(self.of("execution_error")[0]["exception_message"]).strip()

    @property
    def cached(self) -> set[str]:
        return {node for data in self.of("execution_cached") for node in data["nodes"]}

    def progress(self, node: str) -> list[tuple[int, int]]:
        """(value, max) of a node's bar, as it moved."""
        steps = (data for data in self.of("progress") if data["node"] == node)
        return [(int(data["value"]), int(data["max"])) for data in steps]


class Client:
    def __init__(self, url: str) -> None:
        self.url, self.id = url, uuid.uuid4().hex
        self._messages: list[Message] = []
        self._is_closed = False
        self._socket = Messages(f"{url}/ws?clientId={self.id}")
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._is_closed = True
        self._thread.join(5)
        self._socket.close()

    def run(
        self, prompt: Prompt, seconds: float = 120, during: Callable[[Outcome], None] | None = None
    ) -> Outcome:
        """Queue a prompt and wait for its end; `during` is called about every 5 ms."""
        outcome = Outcome(self.queue(prompt))
        until = time.monotonic() + seconds
        while outcome.end is None:
            assert time.monotonic() < until, f"not done in {seconds:.0f} s: {outcome.messages[-3:]}"
            time.sleep(0.005)
            outcome.messages = self._about(outcome.prompt_id)
            if during is not None:
                during(outcome)
        time.sleep(0.1)  # the last messages may follow the end
        outcome.messages = self._about(outcome.prompt_id)
        return outcome

    def queue(self, prompt: Prompt) -> str:
        answer = self.post("/prompt", {"prompt": prompt, "client_id": self.id})
        return str(answer["prompt_id"])

    def outputs(self, outcome: Outcome) -> dict[str, Any]:
        """What each output node showed."""
        return get_json(f"{self.url}/history/{outcome.prompt_id}")[outcome.prompt_id]["outputs"]

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            raise RefusedError(json.loads(error.read())) from None

    def heard(self, kind: str) -> list[Message]:
        """Messages of a kind, about whatever prompt."""
        return [message for message in list(self._messages) if message.kind == kind]

    def _about(self, prompt_id: str) -> list[Message]:
        return [m for m in list(self._messages) if m.data.get("prompt_id") == prompt_id]

    def _listen(self) -> None:
        while not self._is_closed:
            try:
                message = self._socket.receive(0.2)
            except OSError:
                return
            now = time.monotonic()
            if isinstance(message, str):
                content = json.loads(message)
                self._messages.append(Message(now, content["type"], content["data"] or {}))
            elif message:  # a picture
                self._messages.append(Message(now, "binary", {"size": len(message)}))


def succeeded(outcome: Outcome) -> Outcome:
    assert outcome.end
    assert outcome.end.kind == "execution_success", outcome.end.data.get("exception_message")
    return outcome


@contextmanager
def connected(url: str) -> Iterator[Client]:
    client = Client(url)
    try:
        yield client
    finally:
        client.close()
