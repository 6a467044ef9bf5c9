"""scripts.headless against a server that says what the test tells it to."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.headless import __main__ as headless
from scripts.headless import server as comfyui_server
from scripts.headless.graph import GraphError, node_called, value_of
from tests.unit.fake_comfyui import Fake, answering

ROOT = Path(__file__).resolve().parents[2]
GRAPH = {
    "1": {"class_type": "Load", "inputs": {"file": "auto"}, "_meta": {"title": "The model"}},
    "2": {"class_type": "Sampler", "inputs": {"steps": 60, "bits": "16", "model": ["1", 0]}},
    "3": {"class_type": "Note", "inputs": {"text": "a"}},
    "4": {"class_type": "Note", "inputs": {"text": "b"}},
}
RESULT = {"filename": "song.flac", "subfolder": "audio", "type": "output"}
ENTRY = {
    "outputs": {"2": {"audio": [RESULT], "text": ["not a file"]}},
    "status": {"status_str": "success", "messages": []},
}
END = {"type": "execution_success", "data": {}}


@pytest.fixture
def fake() -> Iterator[Fake]:
    with answering(Fake(messages=[END], entry=ENTRY, files={"song.flac": b"sound"})) as one:
        yield one


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(headless, "PAUSE", 0.02)
    monkeypatch.setattr(headless, "CHECK", 0.3)
    monkeypatch.setattr(headless, "PATIENCE", 0.3)
    monkeypatch.delenv("ACESTEP_API_TOKEN", raising=False)
    monkeypatch.delenv("COMFYUI_SERVER", raising=False)


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(GRAPH), encoding="utf-8")
    return path


def run(fake: Fake, graph: Path, *words: str) -> int:
    place = ["--output", str(graph.parent / "out")]
    return headless.main([str(graph), "--server", fake.url, *place, *words])


def failed(kind: str, **data: Any) -> dict[str, Any]:
    return {"outputs": {}, "status": {"status_str": "error", "messages": [[kind, data]]}}


@pytest.mark.parametrize("how", ["whole", "fragments", "--poll", "no WebSocket", "no aiohttp"])
def test_result_is_downloaded_whichever_way_it_is_followed(
    fake: Fake,
    graph: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    fake.fragments, fake.speaks = how == "fragments", how in ("whole", "fragments")
    if how == "no aiohttp":
        monkeypatch.setitem(sys.modules, "aiohttp", None)
    assert run(fake, graph, *(["--poll"] if how == "--poll" else [])) == 0
    said = capsys.readouterr()
    (made,) = said.out.splitlines()
    assert Path(made).read_bytes() == b"sound"
    assert Path(made).name == "song.flac"
    assert [p.name for p in Path(made).parent.iterdir()] == ["song.flac"], "no part is left"
    assert ("no WebSocket (" in said.err) == (how == "no WebSocket")
    assert ("no WebSocket without aiohttp" in said.err) == (how == "no aiohttp")
    assert fake.prompts[0]["prompt"] == GRAPH


def test_progress_is_told_by_title(
    fake: Fake, graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = struct.pack(">II", 3, 1) + b"1" + "lädt".encode()
    fake.messages[:0] = [
        {"type": "execution_cached", "data": {"nodes": ["3"]}},
        {"type": "executing", "data": {"node": "1"}},
        line,
        b"\0\0\0\1\0\0\0\1" + b"JPEG" * 30_000,  # a preview, which is of no use here
        {"type": "progress", "data": {"node": "2", "value": 1, "max": 60}},
        {"type": "progress", "data": {"node": "2", "value": 2, "max": 60}},
        {"type": "progress", "data": {"node": "2", "value": 60, "max": 60}},
        {"type": "progress", "data": {"node": "2", "value": 7, "max": 9, "prompt_id": "other"}},
    ]
    fake.fragments = True
    assert run(fake, graph) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[1:] == [
        "running",
        "1 of 4 nodes are cached",
        "The model (1) ...",
        "The model (1): lädt",
        "Sampler (2) 1/60",
        "Sampler (2) 60/60",
        "done, 1 files",
    ]


def test_existing_files_are_never_replaced(fake: Fake, graph: Path) -> None:
    out = graph.parent / "out"
    for _ in range(3):
        assert run(fake, graph) == 0
    assert sorted(p.name for p in out.iterdir()) == ["song.flac", "song_1.flac", "song_2.flac"]


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../escaped.flac", "escaped.flac"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\up.flac", "up.flac"),
        ("C:\\temp\\x.flac", "x.flac"),
        ("..", "_"),
        ("a\0b:c.flac", "a_b_c.flac"),
        ("nul.flac", "_nul.flac"),
        ("", "_"),
    ],
)
def test_name_from_the_server_stays_in_the_folder(
    fake: Fake, graph: Path, given: str, name: str
) -> None:
    if given:
        fake.files[given] = b"x"
        fake.entry = {"outputs": {"2": {"audio": [{**RESULT, "filename": given}]}}}
        assert run(fake, graph) == 0
        assert [p.name for p in (graph.parent / "out").iterdir()] == [name]
    assert comfyui_server.safe_name(given) == name


def test_values_are_set_by_id_title_and_class(fake: Fake, graph: Path) -> None:
    fake.inputs = {"preview": []}
    words = ["2.steps=7", "2.bits=24", "The model.file=[1, 2]", "Sampler.preview=false", "3.text=="]
    assert run(fake, graph, *(w for word in words for w in ("--set", word))) == 0
    sent = fake.prompts[0]["prompt"]
    assert sent["2"]["inputs"] == {"steps": 7, "bits": "24", "model": ["1", 0], "preview": False}
    assert sent["1"]["inputs"]["file"] == [1, 2]
    assert sent["3"]["inputs"]["text"] == "="


@pytest.mark.parametrize(
    ("text", "before", "value"),
    [
        ("12", 1, 12),
        ("12", "a", "12"),
        ('"12"', 1, "12"),
        ("true", None, True),
        ("pop, piano", "x", "pop, piano"),
        ('["4", 0]', "x", ["4", 0]),
        ("null", "x", "null"),
    ],
)
def test_values_are_json_or_text(text: str, before: Any, value: Any) -> None:
    assert value_of(text, before) == value


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--set", "Samplr.steps=1"], "No node is called 'Samplr'. The graph has:\n  1: The model"),
        (["--set", "Note.text=1"], "'Note' names 2 nodes: 3, 4. Give the id."),
        (["--set", "2.step=1"], "Sampler (2) has no input 'step', but: steps, bits, model, shift."),
        (["--set", "2=1"], "'2' has no input: write NODE.input."),
        (["--set", "2.steps"], "write NODE.input=value"),
        (["--upload", "none.wav=2.steps"], "there is no file 'none.wav'"),
    ],
)
def test_wrong_names_are_explained_and_nothing_is_queued(
    fake: Fake, graph: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    fake.inputs = {"shift": []}
    assert run(fake, graph, *words) == 2
    assert said in capsys.readouterr().err
    assert not fake.asked


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"nodes": [], "links": []}', "Export (API)"),
        ("[1]", "no graph in API format"),
        ("{}", "no graph in API format"),
        ("{", "is no JSON"),
    ],
)
def test_what_is_no_graph_is_explained(
    fake: Fake, graph: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    graph.write_text(text, encoding="utf-8")
    assert run(fake, graph) == 2
    assert said in capsys.readouterr().err
    assert run(fake, graph.parent / "none.json") == 2


def test_graph_from_standard_input(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbf" + json.dumps(GRAPH).encode()))
    monkeypatch.setattr(sys, "stdin", text)
    assert headless.main(["-", "--server", fake.url, "--output", str(tmp_path)]) == 0


def test_upload_goes_into_the_graph(fake: Fake, graph: Path) -> None:
    song = graph.parent / 'a=b "söng".wav'
    song.write_bytes(b"RIFF\r\n--x")
    assert run(fake, graph, "--upload", f"{song}=The model.file") == 0
    body = fake.body_of("/upload/image")
    assert 'name="image"; filename="a=b %22söng%22.wav"'.encode() in body
    assert b"\r\n\r\nRIFF\r\n--x\r\n--" in body
    assert fake.prompts[0]["prompt"]["1"]["inputs"]["file"] == "song (1).wav"


def test_refused_graph_is_told_input_by_input(
    fake: Fake, graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = {"message": "Value 0 smaller than min of 1", "details": "steps"}
    error = {**one, "extra_info": {"input_name": "steps", "received_value": 0}}
    answer = {
        "error": {"type": "prompt_outputs_failed_validation", "message": "Failed"},
        "node_errors": {"2": {"errors": [error], "class_type": "Sampler"}},
    }
    fake.answers["/prompt"] = 400, answer
    assert run(fake, graph) == 4
    assert capsys.readouterr().err.splitlines() == [
        "The server refused the graph: Failed",
        "  Sampler (2), steps: Value 0 smaller than min of 1 steps (given: 0)",
    ]
    fake.answers["/prompt"] = 400, {"error": {"message": "Missing", "details": "Node '9'"}}
    assert run(fake, graph) == 4
    assert capsys.readouterr().err == "The server refused the graph: Missing\n  Node '9'\n"


def test_graph_taken_in_part_is_told_and_the_rest_downloaded(
    fake: Fake, graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.speaks = False
    errors = {"3": {"errors": [{"message": "Required input is missing", "details": "text"}]}}
    fake.prompts.append({"prompt_id": "mine"})
    fake.told.set()
    fake.answers["/prompt"] = 200, {"prompt_id": "mine", "node_errors": errors}
    assert run(fake, graph, "--poll") == 4
    said = capsys.readouterr()
    assert "left out: Note (3): Required input is missing text" in said.err
    assert said.out.strip().endswith("song.flac")


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        (
            failed("execution_error", node_id="2", exception_message="Steps are too many.\n"),
            5,
            "Failed in Sampler (2): Steps are too many.",
        ),
        (failed("execution_interrupted", node_id="2"), 6, "Interrupted by somebody else."),
    ],
)
def test_failed_run(
    fake: Fake,
    graph: Path,
    capsys: pytest.CaptureFixture[str],
    entry: dict[str, Any],
    code: int,
    said: str,
) -> None:
    fake.entry = entry
    assert run(fake, graph) == code
    assert capsys.readouterr().err.splitlines()[-1] == said
    assert "/interrupt" not in fake.paths()


def test_prompt_that_left_the_queue_is_not_waited_for(
    fake: Fake, graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.entry, fake.is_known, fake.messages = None, False, []
    assert run(fake, graph) == 6
    assert "taken out of the queue" in capsys.readouterr().err


def test_timeout_stops_this_prompt_and_no_other(fake: Fake, graph: Path) -> None:
    fake.entry, fake.messages = None, []
    assert run(fake, graph, "--timeout", "0.2") == 7
    mine = fake.prompts[0]["prompt_id"]
    assert fake.body_of("/queue") == {"delete": [mine]}
    assert fake.body_of("/interrupt") == {"prompt_id": mine}


def test_server_that_is_not_there(graph: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with answering(Fake()) as gone:
        pass
    assert run(gone, graph) == 3
    assert "does not answer" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["--poll"]])
def test_server_that_goes_away(
    graph: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    fake = Fake(answers={"/queue": (502, {})})  # what a proxy says of a server that is gone
    with answering(fake):
        assert run(fake, graph, *words) == 3
    said = capsys.readouterr().err
    assert "trying again" in said
    assert said.splitlines()[-1].startswith("The server went away: 502")


def test_token_comes_from_the_environment(
    fake: Fake, graph: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.token = "secret"
    assert run(fake, graph) == 3
    assert "ACESTEP_API_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("ACESTEP_API_TOKEN", "secret")
    assert run(fake, graph) == 0
    said = capsys.readouterr()
    assert "no WebSocket" not in said.err
    assert "secret" not in said.err


def test_it_works_where_a_loop_of_the_caller_is_running(
    fake: Fake, graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a notebook."""

    async def caller() -> int:
        return run(fake, graph)

    assert asyncio.run(caller()) == 0
    assert "no WebSocket" not in capsys.readouterr().err


def test_redirect_is_not_followed(
    fake: Fake, graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.answers["/prompt"] = 307, {}
    assert run(fake, graph) == 3
    assert "give that address as --server" in capsys.readouterr().err
    assert fake.paths() == ["/prompt"]


def test_file_that_cannot_be_fetched_does_not_hide_the_others(
    fake: Fake, graph: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = {**RESULT, "filename": "lost.flac"}
    fake.entry = {"outputs": {"2": {"audio": [lost, RESULT]}}}
    fake.files["lost.flac"] = b""
    fake.answers["/view"] = 404, {}
    assert run(fake, graph) == 1
    assert "lost.flac: 404" in capsys.readouterr().err
    assert not list((graph.parent / "out").iterdir())


@pytest.mark.skipif(os.name == "nt", reason="no SIGINT to another process")
def test_ctrl_c_stops_the_run(fake: Fake, graph: Path) -> None:
    fake.entry, fake.messages = None, []
    command = [sys.executable, "-m", "scripts.headless", str(graph)]
    with subprocess.Popen(
        [*command, "--server", fake.url], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as script:
        assert script.stderr
        while script.stderr.readline().strip() != "running":
            assert script.poll() is None
        script.send_signal(signal.SIGINT)
        assert script.stderr.read() == "stopped\n"
        assert script.wait(10) == 130
    assert fake.body_of("/interrupt") == {"prompt_id": fake.prompts[0]["prompt_id"]}


def test_name_of_a_node_wins_over_the_class_of_others() -> None:
    graph = {
        "1": {"class_type": "A", "inputs": {}, "_meta": {"title": "B"}},
        "2": {"class_type": "B", "inputs": {}, "_meta": {"title": "C"}},
    }
    assert node_called(graph, "B") == "1"
    assert node_called(graph, "2") == "2"
    with pytest.raises(GraphError):
        node_called(graph, "D")


def test_only_the_standard_library_is_used() -> None:
    script = "import sys; import scripts.headless.__main__; print(*sys.modules)"
    command = [sys.executable, "-S", "-E", "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    own = {"scripts", "__main__"}
    found = {name.partition(".")[0] for name in done.stdout.split()}
    assert not found - own - set(sys.stdlib_module_names)
