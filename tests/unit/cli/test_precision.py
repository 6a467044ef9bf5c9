"""In which dtypes a run computes: asked for, recorded, repeated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.command_kit import SHORT, Run


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("codec", ["float32", "bfloat16"])
def test_a_song_is_repeated_in_the_dtypes_it_was_made_in(
    generate: Run, tmp_path: Path, dtype: str, codec: str
) -> None:
    first, again = tmp_path / "first.wav", tmp_path / "again.wav"
    words = (*SHORT, "--seed", "1", "--dtype", dtype, "--codec-dtype", codec)
    assert generate(*words, "-o", first).status == 0
    record = tmp_path / "first_input_params.json"
    own = json.loads(record.read_text(encoding="utf-8"))["ace_core"]
    assert (own["dtype"], own["codec_dtype"]) == (dtype, codec)
    assert generate("--replay", record, "-o", again).status == 0
    assert again.read_bytes() == first.read_bytes()
    # What is asked for now comes first.
    other = "bfloat16" if codec == "float32" else "float32"
    assert generate("--replay", record, "--codec-dtype", other, "-o", again).status == 0
    assert again.read_bytes() != first.read_bytes()


def test_sound_in_float16_asks_for_a_card(generate: Run, tmp_path: Path) -> None:
    said = generate(*SHORT, "--codec-dtype", "float16", "--device", "cpu", "-o", tmp_path / "x.wav")
    assert said.status == 2
    assert "--codec-dtype is float16, which needs a GPU. Choose float32" in said.err
