"""A graph for each row of a manifest, on as many servers as there are.

    row {"id": ..., "AceSuiteSampler.seed": 7, "tags": "jazz"} + graph -> a graph of its own
    rows -> a thread for each server -> DIR/ID/..., and a line in DIR/done.jsonl

A column is NODE.input, or an input that only one node of the graph has. What stands in done.jsonl
is not made again; a row whose server went away is given to another.
"""

from __future__ import annotations

import json
import queue
import re
import shutil
import threading
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.headless.graph import Graph, GraphError, InputsOf, target_of, title_of

DONE = "done.jsonl"
GONE = 3  # the exit code of a server that does not answer
ID = "id"

NAME = re.compile(r"[\w-][\w.-]{0,99}")

# Runs a graph on a server and puts its files into a folder: the exit code.
Make = Callable[[str, Graph, Path], int]
Row = dict[str, Any]
Job = tuple[str, Graph]


def graph_for(graph: Graph, row: Row, inputs_of: InputsOf) -> Graph:
    """The graph with the row's values in it."""
    made = deepcopy(graph)
    for column, value in row.items():
        if column != ID:
            node, name = _target(made, column, inputs_of)
            made[node]["inputs"][name] = value
    return made


def _target(graph: Graph, column: str, inputs_of: InputsOf) -> tuple[str, str]:
    if "." in column:
        return target_of(graph, column, inputs_of)
    # What is a wire already comes from another node, which is the one to change.
    found = [
        node
        for node, content in graph.items()
        if column in content["inputs"] and not isinstance(content["inputs"][column], list)
    ]
    if len(found) != 1:
        where = ", ".join(title_of(graph, node) for node in found) or "no node"
        raise GraphError(f"The column {column!r} is an input of {where}. Write NODE.{column}.")
    return found[0], column


def known(folder: Path) -> set[str]:
    """Ids of the rows that are done; half a line of a killed run does not count."""
    place = folder / DONE
    lines = place.read_text(encoding="utf-8").splitlines(True) if place.is_file() else []
    return {str(json.loads(line)[ID]) for line in lines if line.endswith("\n")}


def graphs_of(rows: Iterable[Row], graph: Graph, done: set[str], inputs_of: InputsOf) -> list[Job]:
    """Of the rows that are left; what is wrong with any of them is said before one is made."""
    found, seen = [], set[str]()
    for number, row in enumerate(rows, start=1):
        name = str(row.get(ID, f"row_{number:06}"))
        if not NAME.fullmatch(name) or name.lower() in seen:
            raise GraphError(f"Row {number}: the id {name!r} is there already, or names no folder.")
        seen.add(name.lower())
        try:
            made = graph_for(graph, row, inputs_of)
        except GraphError as error:
            raise GraphError(f"Row {number} ({name}): {error}") from None
        if name not in done:
            found.append((name, made))
    return found


@dataclass
class Rows:
    """The rows that are left, shared out among servers."""

    make: Make
    folder: Path
    say: Callable[[str], None]
    arrived: Callable[[Path], None]  # each file, once it has its name
    waiting: queue.SimpleQueue[Job] = field(default_factory=queue.SimpleQueue)
    codes: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, jobs: list[Job], servers: list[str]) -> int:
        """The highest exit code of a row; that of a server which is gone, where none is left."""
        for job in jobs:
            self.waiting.put(job)
        self._mend()
        workers = [threading.Thread(target=self._serve, args=(one,)) for one in servers]
        for worker in workers:
            worker.daemon = True  # Ctrl-C does not wait for them
            worker.start()
        for worker in workers:
            while worker.is_alive():
                worker.join(0.2)
        left = self.waiting.qsize()
        self.say(f"{len(self.codes)} of {len(jobs)} rows made, {left} left")
        return max([*self.codes.values(), GONE if left else 0])

    def _serve(self, server: str) -> None:
        while True:
            try:
                name, graph = self.waiting.get_nowait()
            except queue.Empty:
                return
            code = self._made(server, graph, name)
            if code == GONE:
                self.waiting.put((name, graph))
                self.say(f"{server} is left out: {name} goes to another")
                return
            with self.lock:
                self.codes[name] = code
                if code == 0:
                    with (self.folder / DONE).open("a", encoding="utf-8") as file:
                        file.write(json.dumps({ID: name, "server": server}) + "\n")
            self.say(f"{name}: {'done' if code == 0 else f'failed ({code})'}")

    def _made(self, server: str, graph: Graph, name: str) -> int:
        """A row's files come into a folder that gets its name when all of them are there."""
        part, place = self.folder / f".{name}.part", self.folder / name
        for old in (part, place):  # of a run that was killed before it had told
            shutil.rmtree(old, ignore_errors=True)
        part.mkdir(parents=True)
        code = self.make(server, graph, part)
        if code == 0:
            part.rename(place)
            for path in sorted(place.iterdir()):
                self.arrived(path)
        else:
            shutil.rmtree(part)
        return code

    def _mend(self) -> None:
        """Without what a killed run left of its last line."""
        place = self.folder / DONE
        if place.is_file():
            text = place.read_bytes()
            place.write_bytes(text[: text.rfind(b"\n") + 1])
