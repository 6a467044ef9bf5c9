"""Every task's record, repeated from the command line: the same bytes, however it was made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .test_edit import run  # noqa: F401 - a fixture

WORDS = ("--tags", "pop", "--lyrics", "[inst]", "--steps", "3", "--guidance-interval", "1")
TASKS = {
    "generate": ("generate", "--duration", "0.6"),
    "retake": ("vary", "--duration", "0.6", "--source-seed", "3", "--variance", "0.4"),
    "inpaint": ("inpaint", "song.wav", "--region", "0.3:0.6", "--variance", "0.7"),
    "extend": ("extend", "song.wav", "--before", "0.4", "--after", "0.5"),
    "edit": ("edit", "song.wav", "--source-tags", "rock", "--region=-0.7:-0.2", "--mode", "lyrics"),
    "follow": ("follow", "song.wav", "--strength", "0.4", "--no-level"),
}
WAYS = {
    "single": ("1",),
    "batch": ("2",),
    "one by one": ("2", "--one-by-one"),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("task", TASKS)
def test_record_repeats_to_the_last_byte(
    run: Callable,  # noqa: F811
    tmp_path: Path,
    task: str,
    way: str,
) -> None:
    count, *order = WAYS[way]
    many = ("--batch" if task == "generate" else "--takes", count)
    made = (*TASKS[task], *WORDS, *many, *order, "--seed", "11", "-o", "first.wav")
    assert run(*made)[0] == 0
    name = "first" if count == "1" else "first_2"
    source = ("--source", "song.wav") if "song.wav" in TASKS[task] else ()
    again = ("--replay", f"{name}_input_params.json", *source, "-o", "again.wav")
    status, _, said = run("generate", *again)
    assert status == 0, said
    assert (tmp_path / "again.wav").read_bytes() == (tmp_path / f"{name}.wav").read_bytes()
    third = ("--replay", "again_input_params.json", *source, "-o", "third.wav")
    assert run("generate", *third)[0] == 0
    assert (tmp_path / "third.wav").read_bytes() == (tmp_path / "again.wav").read_bytes()


def test_another_source_is_said_to_be_another(run: Callable, tmp_path: Path) -> None:  # noqa: F811
    assert run(*TASKS["inpaint"], *WORDS, "-o", "first.wav")[0] == 0
    other = (tmp_path / "song.wav").read_bytes()
    (tmp_path / "other.wav").write_bytes(other[:-4] + b"\0\0\0\0")
    replay = ("generate", "--replay", "first_input_params.json", "-o", "again.wav")
    _, _, said = run(*replay, "--source", "other.wav")
    assert "other.wav is not the file that was worked on (SHA-256 differs)" in said
    _, _, said = run(*replay, "--source", "song.wav")
    assert "SHA-256" not in said
    status, _, said = run(*replay)
    assert status == 2
    assert "--source song.wav" in said
