"""Many songs through ComfyUI: a row of a manifest in a graph, and a manifest on two servers."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acestep_core.records.record import read_record, record_path
from acestep_core.sound.files import read_audio
from acestep_core.weights import small
from scripts.host import comfyui, page
from scripts.host.comfyui import Running, get_json
from tests.host import shipped
from tests.host.client import Client, Prompt, succeeded

ROOT = Path(__file__).resolve().parents[2]
KIND = "AceSuiteFromManifest"
ROWS: list[dict[str, Any]] = [
    {"id": "first", "tags": "pop, piano", "lyrics": "[inst]", "seed": 71, "seconds": 2, "steps": 3},
    {"id": "second", "tags": "jazz", "lyrics": "la", "seed": 72, "seconds": 3, "steps": 2},
]
BAD = {"id": "bad", "tags": "pop", "lyrics": "", "seed": 1, "seconds": 2, "steps": 0}
# An input of each node that takes what a row says, by the output.
TAKEN = {
    "tags": "AceSuiteTagEncode.tags",
    "lyrics": "AceSuiteLyricEncode.lyrics",
    "language": "AceSuiteLyricEncode.language",
    "compat": "AceSuiteLyricEncode.compat",
    "guidance_settings": "AceSuiteSampler.guidance_settings",
    "schedule": "AceSuiteSampler.schedule",
    "seed": "AceSuiteSampler.seed",
    "seconds": "AceSuiteSampler.seconds",
    "task": "AceSuiteSampler.task",
    "id": "AceSuiteSaveAudio.filename_prefix",
}


def graph_of(manifest: str, row: int, text: str = "") -> Prompt:
    prompt = shipped.prompt("text_to_music")
    nodes = {node["class_type"]: node["inputs"] for node in prompt.values()}
    for output, target in enumerate(TAKEN.values()):
        kind, name = target.split(".")
        nodes[kind][name] = ["m", output]
    nodes["AceSuiteSaveAudio"]["save_settings"] = True
    inputs = {"manifest": manifest, "row": row, "text": text, "model": ["1", 0]}
    return {**prompt, "m": {"class_type": KIND, "inputs": inputs}}


@pytest.fixture(params=["jsonl", "csv"])
def manifest(request: pytest.FixtureRequest, server: Running) -> str:
    """A manifest of two rows and a bad one in the input folder."""
    lines = [*ROWS, BAD]
    if request.param == "jsonl":
        text = "".join(json.dumps(row) + "\n" for row in lines)
    else:
        quoted = (",".join(f'"{value}"' for value in row.values()) for row in lines)
        text = "\n".join([",".join(ROWS[0]), *quoted]) + "\n"
    (server.base / "input" / f"songs.{request.param}").write_text(text, encoding="utf-8")
    return f"songs.{request.param}"


@pytest.mark.parametrize("number", [1, 2])
def test_a_row_is_what_the_song_is_made_of(
    server: Running, client: Client, manifest: str, number: int
) -> None:
    row = ROWS[number - 1]
    outcome = succeeded(client.run(graph_of(manifest, number)))
    outputs = client.outputs(outcome).values()
    (saved,) = (one for shown in outputs for one in shown.get("audio", ()))
    assert saved["filename"].startswith(row["id"])
    path = server.base / "output" / saved["subfolder"] / saved["filename"]
    record = read_record(record_path(path))
    assert (record.prompt, record.lyrics) == (row["tags"], row["lyrics"])
    assert record.actual_seeds == (row["seed"],)
    assert record.infer_step == row["steps"]
    wave, rate = read_audio(path)
    assert wave.shape[-1] / rate == pytest.approx(row["seconds"], abs=0.1)


def test_a_bad_row_is_named_with_its_field(client: Client, manifest: str) -> None:
    for number, words in (
        (3, "Row 3 (bad): Steps (steps) is 0; it must be between 1 and"),
        (4, "row is 4; the manifest has 3 rows. Choose one of them."),
    ):
        outcome = client.run(graph_of(manifest, number))
        assert outcome.end
        assert outcome.end.kind == "execution_error"
        assert f"From Manifest (ACE-Step): {words}" in outcome.error
        assert outcome.of("execution_error")[0]["node_id"] == "m"


@pytest.mark.page
def test_the_node_on_the_page(server: Running, nodes2: bool) -> None:
    """Its widgets are there, a chosen row is made, and a wrong one is said on the page."""
    if nodes2 and server.version == "0.3.64":
        pytest.skip("a hidden experiment in this version")
    text = "\n".join(map(json.dumps, [*ROWS, BAD]))
    with page.opened(server.url, nodes2) as opened:
        opened.load(graph_of("none", 1, text))
        assert not opened.missing()
        assert opened.value(KIND, "text") == text
        opened.choose(KIND, "row", 2)
        assert opened.run()["status"]["status_str"] == "success"
        opened.choose(KIND, "row", 3)
        assert opened.run()["status"]["status_str"] == "error"
        assert any("Row 3 (bad)" in one for one in opened.said())


def test_a_manifest_is_shared_out_between_two_servers(
    server: Running, checkout: Path, tmp_path: Path
) -> None:
    base = comfyui.make_base(tmp_path / "other")
    shutil.copytree(small.FOLDER, base / "models" / "acestep" / "small")
    row = {"tags": "pop", "seconds": 2, "steps": 2}
    rows = [{"id": f"song-{i}", "AceSuiteSampler.seed": 80 + i, **row} for i in range(6)]
    manifest, out = tmp_path / "rows.jsonl", tmp_path / "out"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with comfyui.running(checkout, base) as other:
        command = [sys.executable, "-m", "scripts.headless"]
        command += [str(ROOT / "workflows" / "api" / "text_to_music.json")]
        command += ["--manifest", str(manifest), "--output", str(out), "--timeout", "200"]
        for one in (server, other):
            command += ["--server", one.url]
        for times in (1, 2):
            done = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=400
            )
            assert done.returncode == 0, done.stderr
            made = len(rows) if times == 1 else 0
            assert f"{made} of {made} rows made, 0 left" in done.stderr
        lines = (out / "done.jsonl").read_text(encoding="utf-8").splitlines()
        told = [json.loads(line) for line in lines]
        assert sorted(one["id"] for one in told) == [row["id"] for row in rows]
        assert {one["server"] for one in told} == {server.url, other.url}
        assert len(get_json(f"{other.url}/history")) == sum(o["server"] == other.url for o in told)
    songs = set()
    for row in rows:
        (song,) = (out / row["id"]).glob("*.flac")
        wave, rate = read_audio(song)
        assert wave.shape[-1] / rate == pytest.approx(2, abs=0.1)
        songs.add(wave.numpy().tobytes())
    assert len(songs) == len(rows)  # each of its own seed
