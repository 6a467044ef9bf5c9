"""Runs a graph on a ComfyUI without its page, and downloads what it makes.

    graph (API format) + --upload + --set -> /prompt -> WebSocket or polling -> /view -> files

    python -m scripts.headless workflows/api/text_to_music.json --output songs \\
        --set AceSuiteSampler.seconds=30 --set "Tag Encode (ACE-Step).tags=jazz, piano"

Queueing alone needs no more than curl; the answer's prompt_id is what /history/ID asks for:

    curl -s http://127.0.0.1:8188/prompt -H 'Content-Type: application/json' \\
        -d "{\\"prompt\\": $(cat workflows/api/text_to_music.json)}"

Python 3.10 or newer is enough. With aiohttp, which ComfyUI's Python has, progress is told as it
comes; without it the server is asked every second. The files' paths go to standard output, one a
line; everything else goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from scripts.headless.graph import (
    Graph,
    GraphError,
    read_graph,
    refusals,
    target_of,
    title_of,
    value_of,
)
from scripts.headless.messages import Messages
from scripts.headless.server import AnswerError, Server, UnreachableError

DONE, NOT_SAVED, WRONG_USE, NO_SERVER, REFUSED, FAILED, INTERRUPTED, TOO_LATE = range(8)
STOPPED_HERE = 130
EXIT_CODES = """exit codes:
  0   done, every file downloaded
  1   done, but a file could not be downloaded or written
  2   wrong option, graph, node, input or file: nothing was queued
  3   the server does not answer, does not let us in, or went away
  4   the server refused the graph, or a part of it (the rest ran and was downloaded)
  5   a node failed
  6   somebody else interrupted it
  7   --timeout was over: it was stopped
  130 Ctrl-C: it was stopped

environment: COMFYUI_SERVER is the default of --server; ACESTEP_API_TOKEN is sent as a bearer token.
"""
PAUSE = 1.0  # seconds between questions when polling
CHECK = 5.0  # between questions beside a WebSocket: a message may have been lost
AFTER_END = 0.1  # the history follows the last message at once
PATIENCE = 10.0  # seconds without an answer until the server counts as gone
RARELY = 2.0  # between two lines about the same bar
PROGRESS_TEXT = 3  # kind of a binary message
ENDS = ("execution_success", "execution_error", "execution_interrupted")


class StopError(Exception):
    """The reason to end, in words for the user, and the exit code."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def apply(graph: Graph, options: argparse.Namespace, server: Server) -> None:
    """Put the values of --set and the names of the uploaded files into the graph."""
    uploads: list[tuple[Path, str, str]] = []
    for words in options.upload:
        file, _, target = words.rpartition("=")
        if not Path(file).is_file():
            raise GraphError(f"--upload {words}: there is no file {file!r}.")
        uploads.append((Path(file), *target_of(graph, target, server.inputs_of)))
    for words in options.set:
        target, equals, text = words.partition("=")
        if not equals:
            raise GraphError(f"--set {words}: write NODE.input=value.")
        node, field = target_of(graph, target, server.inputs_of)
        graph[node]["inputs"][field] = value_of(text, graph[node]["inputs"].get(field))
    for path, node, field in uploads:
        graph[node]["inputs"][field] = name = server.upload(path)
        say(f"uploaded {path.name} as {name}")


class Watch:
    """One prompt from the queue to its entry in the history."""

    def __init__(self, server: Server, graph: Graph, timeout: float | None) -> None:
        self.server, self.graph = server, graph
        self.prompt_id, self.client_id = str(uuid.uuid4()), uuid.uuid4().hex
        self._until = None if timeout is None else time.monotonic() + timeout
        self._socket: Messages | None = None
        self._silent_since: float | None = None
        self._has_ended, self._place, self._shown = False, -1, ("", 0.0)

    def connect(self) -> None:
        """Listen before the prompt is queued, so that no message is missed."""
        address = f"{self.server.url}/ws?{urlencode({'clientId': self.client_id})}"
        try:
            self._socket = Messages(address, self.server.headers)
        except ImportError:
            say("no WebSocket without aiohttp: asking every second instead")
        except (OSError, ValueError) as error:
            say(f"no WebSocket ({error}): asking every second instead")

    def queue(self) -> bool:
        """Submit; whether the server took all of the graph."""
        try:
            answer = self.server.queue_prompt(self.graph, self.prompt_id, self.client_id)
        except AnswerError as error:
            raise refused(self.graph, error) from None
        self.prompt_id = str(answer.get("prompt_id", self.prompt_id))
        say(f"queued as {self.prompt_id}")
        for line in refusals(self.graph, answer):
            say(f"left out: {line}")
        return not answer.get("node_errors")

    def entry(self) -> dict[str, Any]:
        """Wait for the end; what the history says of it."""
        while True:
            if self._until is not None and time.monotonic() > self._until:
                raise StopError(TOO_LATE, "--timeout is over; stopping the run.")
            try:
                # In this order: what leaves the queue is in the history at the same moment.
                place = self.server.place_in_queue(self.prompt_id)
                entry = self.server.history(self.prompt_id)
                self._silent_since = None
            except (UnreachableError, AnswerError) as error:
                self._be_patient(error)
                continue
            if entry:
                return entry
            if place is None:
                raise StopError(
                    INTERRUPTED, "The prompt was taken out of the queue, or the server restarted."
                )
            self._tell_place(place)
            self._listen()

    def _be_patient(self, error: UnreachableError | AnswerError) -> None:
        """Ask again for a while; what stands in front of a server answers 502 when it is gone."""
        if isinstance(error, AnswerError) and error.status < 500:
            raise error
        now = time.monotonic()
        if self._silent_since is None:
            say(f"{error}; trying again for {PATIENCE:.0f} s")
        self._silent_since = self._silent_since or now
        if now - self._silent_since > PATIENCE:
            raise StopError(NO_SERVER, f"The server went away: {error}.") from error
        time.sleep(PAUSE)

    def _tell_place(self, place: int) -> None:
        if place != self._place:
            say(f"waiting, {place} before it" if place else "running")
        self._place = place

    def _listen(self) -> None:
        """Until the end is announced, or it is time to ask."""
        if self._socket is None or self._has_ended:
            time.sleep(self._at_most(AFTER_END if self._has_ended else PAUSE))
            return
        until = time.monotonic() + self._at_most(CHECK)
        try:
            while (left := until - time.monotonic()) > 0 and not self._has_ended:
                message = self._socket.receive(left)
                if message is not None:
                    self._hear(message)
        except (OSError, ValueError, LookupError, struct.error) as error:
            say(f"the WebSocket broke off ({error}): asking every second instead")
            self.close()

    def _at_most(self, seconds: float) -> float:
        left = seconds if self._until is None else self._until - time.monotonic()
        return max(0.0, min(seconds, left))

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _hear(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            kind, size = struct.unpack(">II", message[:8])
            if kind == PROGRESS_TEXT:
                node, text = message[8 : 8 + size].decode(), message[8 + size :].decode()
                say(f"{title_of(self.graph, node)}: {text}")
            return
        content = json.loads(message)
        data = content.get("data") or {}
        if data.get("prompt_id") == self.prompt_id:
            self._has_ended |= content["type"] in ENDS
            self._tell(content["type"], data)

    def _tell(self, kind: str, data: dict[str, Any]) -> None:
        node = data.get("node")
        if kind == "execution_cached" and data.get("nodes"):
            say(f"{len(data['nodes'])} of {len(self.graph)} nodes are cached")
        elif kind == "executing" and node is not None:
            say(f"{title_of(self.graph, node)} ...")
        elif kind == "progress" and node is not None:
            (last, when), now = self._shown, time.monotonic()
            if last != node or now - when > RARELY or data["value"] >= data["max"]:
                self._shown = node, now
                say(f"{title_of(self.graph, node)} {data['value']}/{data['max']}")


def check(entry: dict[str, Any], graph: Graph) -> None:
    """Raise what went wrong in a run that is over."""
    status = entry.get("status") or {}
    if status.get("status_str") != "error":
        return
    for kind, data in status.get("messages", []):
        if kind == "execution_error":
            title = title_of(graph, str(data.get("node_id")))
            text = str(data.get("exception_message", "")).strip() or data.get("exception_type")
            raise StopError(FAILED, f"Failed in {title}: {text}")
    raise StopError(INTERRUPTED, "Interrupted by somebody else.")


def results_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Every file that a node showed."""
    shown = (items for node in entry.get("outputs", {}).values() for items in node.values())
    lists = (items for items in shown if isinstance(items, list))
    return [one for items in lists for one in items if isinstance(one, dict) and "filename" in one]


def tell(path: Path) -> None:
    """A file that is there now: the only thing on standard output."""
    print(path, flush=True)


def save(
    server: Server, entry: dict[str, Any], folder: Path, arrived: Callable[[Path], None]
) -> None:
    """Download everything; a file that fails does not keep the others from coming."""
    failed = []
    results = results_of(entry)
    for item in results:
        try:
            arrived(server.fetch(item, folder))
        except (AnswerError, UnreachableError, OSError) as error:
            failed.append(f"{item['filename']}: {error}")
    if failed:
        raise StopError(NOT_SAVED, "Not downloaded:\n  " + "\n  ".join(failed))
    say(f"done, {len(results)} files" if results else "done; the graph made no files")


def run(options: argparse.Namespace) -> int:
    server = server_at(options.server[0])
    if len(options.server) > 1 and not options.manifest:
        raise StopError(WRONG_USE, "Several --server make the rows of a --manifest. Give one.")
    graph = read_graph(options.graph)
    folder = Path(options.output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StopError(WRONG_USE, f"--output {folder}: {error.strerror}.") from None
    apply(graph, options, server)
    if options.manifest:
        return rows_made(options, graph, server)
    return made(options, server, graph, folder, tell)


def server_at(url: str) -> Server:
    return Server(url, os.environ.get("ACESTEP_API_TOKEN", ""))


def rows_made(options: argparse.Namespace, graph: Graph, server: Server) -> int:
    """The graph once for every row of the manifest that is not done yet."""
    from acestep_core.batch.manifest import read_manifest
    from scripts.headless.manifest import Rows, graphs_of, known

    folder = Path(options.output)
    try:
        rows = read_manifest(options.manifest)
        jobs = graphs_of(rows, graph, known(folder), server.inputs_of)
    except ValueError as error:
        raise StopError(WRONG_USE, str(error)) from None

    def make(url: str, one: Graph, place: Path) -> int:
        return explained(lambda: made(options, server_at(url), one, place, lambda _: None))

    return Rows(make, folder, say, tell).run(jobs, options.server)


def made(
    options: argparse.Namespace,
    server: Server,
    graph: Graph,
    folder: Path,
    arrived: Callable[[Path], None],
) -> int:
    """One graph from the queue to its files."""
    watch = Watch(server, graph, options.timeout)
    if not options.poll:
        watch.connect()
    try:
        is_whole = watch.queue()
        entry = watch.entry()
    except (KeyboardInterrupt, StopError) as error:
        if isinstance(error, KeyboardInterrupt) or error.code == TOO_LATE:
            tried(lambda: server.stop(watch.prompt_id))
        raise
    finally:
        watch.close()
    check(entry, graph)
    save(server, entry, folder, arrived)
    return DONE if is_whole else REFUSED


def tried(work: Callable[[], None]) -> None:
    try:
        work()
    except (AnswerError, UnreachableError) as error:
        say(f"it could not be stopped: {error}")


def refused(graph: Graph, error: AnswerError) -> StopError:
    """What the server has against a graph, a line for each input."""
    answer = error.answer if isinstance(error.answer, dict) else {}
    reason = answer.get("error")
    if error.status in (401, 403) or reason is None:
        return no_use(error)
    words = reason if isinstance(reason, str) else reason.get("message", "")
    lines = refusals(graph, answer)
    if not lines and isinstance(reason, dict) and reason.get("details"):
        lines = [str(reason["details"])]
    return StopError(REFUSED, "\n  ".join([f"The server refused the graph: {words}", *lines]))


def no_use(error: AnswerError) -> StopError:
    """An answer that ends it whatever was asked."""
    if error.status in (401, 403):
        hint = "Set ACESTEP_API_TOKEN to the token that it wants."
        return StopError(NO_SERVER, f"The server does not let us in ({error}). {hint}")
    return StopError(NO_SERVER, f"The server answered with an error: {error}")


def parser() -> argparse.ArgumentParser:
    one = argparse.ArgumentParser(
        prog="python -m scripts.headless",
        description="Runs an API-format graph on a ComfyUI and downloads what it makes.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("graph", help="the graph's file, or - for standard input")
    address = default_server()
    one.add_argument(
        "--server",
        action="append",
        metavar="URL",
        help=f"several share out the rows of a manifest; default: {address}",
    )
    one.add_argument(
        "--manifest",
        metavar="FILE",
        help="run the graph for every row (.jsonl, .csv, .tsv, .parquet); a column is NODE.input,"
        " or an input that one node has; each row's files go to DIR/ID, once",
    )
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NODE.input=value",
        help="change a value; NODE is an id, or a title or class that only one node has; the value"
        " is JSON, or else text",
    )
    one.add_argument(
        "--upload",
        action="append",
        default=[],
        metavar="FILE=NODE.input",
        help="put a file into the server's input folder and its name into the graph",
    )
    one.add_argument("--output", default=".", metavar="DIR", help="for the results; default: here")
    one.add_argument("--poll", action="store_true", help="ask every second, without a WebSocket")
    one.add_argument("--timeout", type=seconds, metavar="SECONDS", help="stop the run after that")
    return one


def default_server() -> str:
    return os.environ.get("COMFYUI_SERVER") or "http://127.0.0.1:8188"


def seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return value


def main(words: list[str] | None = None) -> int:
    options = parser().parse_args(words)
    servers = options.server or [default_server()]
    is_whole = ("http://", "https://")
    options.server = [one if one.startswith(is_whole) else f"http://{one}" for one in servers]
    try:
        return explained(lambda: run(options))
    except KeyboardInterrupt:
        say("stopped")
        return STOPPED_HERE


def explained(work: Callable[[], int]) -> int:
    """The exit code of work; what went wrong is said in words."""
    try:
        return work()
    except StopError as error:
        say(str(error))
        return error.code
    except GraphError as error:
        say(str(error))
        return WRONG_USE
    except AnswerError as error:
        stop = no_use(error)
        say(str(stop))
        return stop.code
    except UnreachableError as error:
        say(f"{error}. Is ComfyUI running there? --server gives its address.")
        return NO_SERVER


if __name__ == "__main__":
    sys.exit(main())
