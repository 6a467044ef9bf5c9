"""A record made by the command line, as a graph in ComfyUI: the same samples, however it was made.

command -> song.wav, record -> graph -> /prompt -> the same song
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from acestep_core.records.graph import graph_of
from acestep_core.records.record import read_record, record_path
from acestep_core.records.replay import item_of
from acestep_core.sound.files import read_audio
from scripts.host.comfyui import PACK, QUIET, Running
from tests.host.client import Client, Prompt
from tests.host.conftest import id_of, only
from tests.host.source import SONG
from tests.unit.cli.test_repeat import WAYS

WORDS = ("--tags", "lofi", "--lyrics", "[inst]", "--steps", "3", "--guidance-scale", "3")
MODEL = "acestep/small"
LENGTH = ("--duration", "2")
TASKS = {
    "generate": ("generate", *LENGTH),
    "retake": ("vary", *LENGTH, "--source-seed", "3", "--variance", "0.4"),
    "inpaint": ("inpaint", SONG, "--region", "1:2", "--variance", "0.7"),
    "extend": ("extend", SONG, "--before", "0.4", "--after", "0.5"),
    "edit": ("edit", SONG, "--source-tags", "rock", "--region=-2:-1", "--mode", "lyrics"),
    "follow": ("follow", SONG, "--strength", "0.4", "--no-level"),
}


def made(server: Running, folder: Path, *words: str) -> None:
    command = [str(server.python), "-m", "acestep_core", *words]
    command += ["--model", str(server.base / "models" / "acestep" / "small")]
    variables = {**os.environ, **QUIET}
    done = subprocess.run(
        command, cwd=PACK, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("task", TASKS)
def test_graph_of_a_record_makes_the_same_samples(
    client: Client, server: Running, tmp_path: Path, task: str, way: str
) -> None:
    count, *order = WAYS[way]
    many = ("--batch" if task == "generate" else "--takes", count)
    source = server.base / "input" / SONG
    words = [str(source) if word == SONG else word for word in TASKS[task]]
    made(
        server,
        tmp_path,
        *words,
        *WORDS,
        *many,
        *order,
        "--seed",
        "11",
        "-o",
        str(tmp_path / "a.wav"),
    )
    song = tmp_path / ("a.wav" if count == "1" else "a_2.wav")
    record = read_record(record_path(song))
    graph = graph_of(record)
    prompt: Prompt = {key: {**node} for key, node in graph.prompt.items()}  # pyright: ignore[reportAssignmentType]
    only(prompt, "AceSuiteLoad")["checkpoint"] = MODEL
    name = f"repeat/{task}_{way.replace(' ', '_')}"
    only(prompt, "AceSuiteSaveAudio")["filename_prefix"] = name
    outcome = client.run(prompt)
    assert not outcome.of("execution_error"), outcome.error
    shown = client.outputs(outcome)[id_of(prompt, "AceSuiteSaveAudio")]["audio"]
    file = shown[item_of(record) or 0]
    again = server.base / "output" / file["subfolder"] / file["filename"]
    (before, rate), (after, other) = read_audio(song), read_audio(again)
    assert rate == other
    assert before.shape == after.shape
    assert torch.equal(before, after), float((before - after).abs().max())
    shutil.rmtree(server.base / "output" / "repeat", ignore_errors=True)
