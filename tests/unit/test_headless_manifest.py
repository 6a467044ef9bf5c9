"""A manifest through several servers, each of them a fake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.headless import __main__ as headless
from scripts.headless.graph import GraphError
from scripts.headless.manifest import DONE, Rows, graph_for, graphs_of, known
from tests.unit.fake_comfyui import Fake, answering

GRAPH = {
    "1": {"class_type": "Tags", "inputs": {"tags": "pop"}},
    "2": {"class_type": "Sampler", "inputs": {"seed": 1, "tags": ["1", 0]}},
}
RESULT = {"filename": "song.flac", "subfolder": "audio", "type": "output"}
ENTRY = {
    "outputs": {"2": {"audio": [RESULT]}},
    "status": {"status_str": "success", "messages": []},
}
ROWS = [{"id": f"r{i}", "tags": f"style {i}", "Sampler.seed": i} for i in range(6)]


def nothing(kind: str) -> list[str]:
    return []


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Fake]]:
    monkeypatch.setattr(headless, "PAUSE", 0.02)
    monkeypatch.setattr(headless, "PATIENCE", 0.3)
    one, two = (Fake(entry=ENTRY, files={"song.flac": b"sound"}, speaks=False) for _ in range(2))
    with answering(one), answering(two):
        yield [one, two]


def run(folder: Path, fakes: list[Fake], rows: list[dict[str, Any]], *words: str) -> int:
    (folder / "graph.json").write_text(json.dumps(GRAPH))
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = [str(folder / "graph.json"), "--manifest", str(folder / "rows.jsonl"), "--poll"]
    for fake in fakes:
        given += ["--server", fake.url]
    return headless.main([*given, "--output", str(folder / "out"), *words])


def queued(fakes: list[Fake]) -> list[int]:
    return sorted(one["prompt"]["2"]["inputs"]["seed"] for fake in fakes for one in fake.prompts)


def test_every_row_once_on_two_servers(
    tmp_path: Path, fakes: list[Fake], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, fakes, ROWS) == 0
    told = capsys.readouterr().out.splitlines()
    assert sorted(told) == [str(tmp_path / "out" / row["id"] / "song.flac") for row in ROWS]
    assert queued(fakes) == [*range(6)]
    assert all(fake.prompts for fake in fakes)
    for row in ROWS:
        assert (tmp_path / "out" / row["id"] / "song.flac").read_bytes() == b"sound"
    assert known(tmp_path / "out") == {row["id"] for row in ROWS}
    assert run(tmp_path, fakes, ROWS) == 0
    assert queued(fakes) == [*range(6)]


def test_what_was_killed_before_it_had_told_is_made_again(
    tmp_path: Path, fakes: list[Fake]
) -> None:
    out = tmp_path / "out"
    for place in (out / "r0", out / ".r1.part"):
        place.mkdir(parents=True)
        (place / "half.flac").touch()
    (out / DONE).write_text(json.dumps({"id": "r2"}) + "\n" + '{"id": "r3')
    assert run(tmp_path, fakes, ROWS[:4]) == 0
    assert queued(fakes) == [0, 1, 3]
    assert [path.name for path in (out / "r0").iterdir()] == ["song.flac"]
    assert not (out / ".r1.part").exists()
    assert known(out) == {"r0", "r1", "r2", "r3"}


def test_a_server_that_is_gone_leaves_its_rows_to_the_others(
    tmp_path: Path, fakes: list[Fake], capsys: pytest.CaptureFixture[str]
) -> None:
    gone = Fake(url="http://127.0.0.1:9")
    assert run(tmp_path, [fakes[0], gone], ROWS) == 0
    assert queued(fakes) == [*range(6)]
    assert "http://127.0.0.1:9 is left out" in capsys.readouterr().err


def test_without_any_server_the_rows_are_left(tmp_path: Path) -> None:
    said: list[str] = []
    rows = Rows(lambda server, graph, folder: 3, tmp_path, said.append, print)
    assert rows.run([("a", {}), ("b", {})], ["one"]) == 3
    assert said[-1] == "0 of 2 rows made, 2 left"


def test_a_row_that_fails_is_the_exit_code_and_is_tried_again(tmp_path: Path) -> None:
    rows = Rows(lambda server, graph, folder: 5 if graph else 0, tmp_path, lambda text: None, print)
    assert rows.run([("a", GRAPH), ("b", {})], ["one"]) == 5
    assert known(tmp_path) == {"b"}
    assert not (tmp_path / "a").exists()


def test_a_column_is_an_input_of_one_node() -> None:
    made = graph_for(GRAPH, {"id": "a", "tags": "jazz", "2.seed": 5}, nothing)
    assert made["1"]["inputs"]["tags"] == "jazz"
    assert made["2"]["inputs"] == {"seed": 5, "tags": ["1", 0]}
    assert GRAPH["2"]["inputs"]["seed"] == 1
    with pytest.raises(GraphError, match=r"'lyrics' is an input of no node. Write NODE.lyrics"):
        graph_for(GRAPH, {"lyrics": ""}, nothing)
    twice = {**GRAPH, "3": {"class_type": "Sampler", "inputs": {"seed": 2}}}
    with pytest.raises(GraphError, match=r"Sampler \(2\), Sampler \(3\)"):
        graph_for(twice, {"seed": 1}, nothing)


@pytest.mark.parametrize("names", [["a", "A"], ["../a"], [""]])
def test_ids_name_folders(names: list[str]) -> None:
    with pytest.raises(GraphError, match="names no folder"):
        graphs_of([{"id": name} for name in names], GRAPH, set(), nothing)


def test_what_is_wrong_is_said_before_anything_is_queued(
    tmp_path: Path, fakes: list[Fake], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, fakes, [*ROWS, {"id": "x", "nothing": 1}]) == 2
    assert "Row 7 (x): The column 'nothing'" in capsys.readouterr().err
    assert not queued(fakes)
