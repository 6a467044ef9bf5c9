"""From Manifest without ComfyUI."""

from __future__ import annotations

import json
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.unit.nodes.pack import NODES, module

HOST = module("nodes.host")
TYPES = module("acestep_core.types")
NODE = NODES["AceSuiteFromManifest"]
ROWS = [
    {"id": "a", "tags": "pop", "lyrics": "la", "seed": 7, "seconds": 12, "steps": 9},
    {"tags": "jazz", "task": "retake", "source_seed": 3, "seed": 5, "guidance_scale": 4},
    {"tags": "folk", "task": "follow", "source": "a.wav", "strength": 0.3},
]
TEXT = "\n".join(map(json.dumps, ROWS))
SONG = {"waveform": torch.randn(1, 2, 8000) * 0.1, "sample_rate": 8000}


def read(row: int, text: str = TEXT, **given: Any) -> dict[str, Any]:
    return dict(zip(NODE.RETURN_NAMES, NODE().read("none", row, text, **given), strict=True))


def test_a_row_is_what_the_other_nodes_take() -> None:
    out = read(1)
    assert (out["tags"], out["lyrics"], out["language"]) == ("pop", "la", "auto")
    assert (out["seed"], out["seconds"], out["task"]) == (7, 12.0, None)
    assert (out["id"], out["rows"]) == ("a", 3)
    assert out["schedule"].steps == 9


def test_a_retake_and_a_task_on_a_source() -> None:
    out = read(2)
    assert (out["id"], out["seed"], out["task"].source_seed) == ("row_000002", 5, 3)
    assert out["guidance_settings"].guidance.scale == 4
    assert read(3, source_audio=SONG)["task"].task == TYPES.Follow(0.3)
    with pytest.raises(Exception, match=r"Connect source_audio with a\.wav"):
        read(3)


def test_a_file_of_the_input_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HOST, "input_folder", lambda: tmp_path)
    (tmp_path / "songs.csv").write_text("id,tags,seed\nx,pop,1\ny,jazz,2\n", encoding="utf-8")
    (tmp_path / "other.txt").touch()
    assert NODE.INPUT_TYPES()["required"]["manifest"][0] == ["none", "songs.csv"]
    out = dict(zip(NODE.RETURN_NAMES, NODE().read("songs.csv", 2), strict=True))
    assert (out["tags"], out["seed"], out["id"], out["rows"]) == ("jazz", 2, "y", 2)
    before = NODE.IS_CHANGED("songs.csv", row=1)
    (tmp_path / "songs.csv").write_text("id,tags\nx,rock\n", encoding="utf-8")
    import os

    os.utime(tmp_path / "songs.csv", (1, 1))
    assert NODE.IS_CHANGED("songs.csv", row=1) != before


@pytest.mark.parametrize(
    ("row", "text", "words"),
    [
        (4, TEXT, "row is 4; the manifest has 3 rows"),
        (1, "", "Choose a manifest"),
        (1, "{", "text, line 1 is not JSON"),
        (2, TEXT.replace("jazz", ""), "Tags are empty"),
        (1, '{"id": "a", "tags": "pop", "lora": "rap"}', r"Row 1 \(a\): lora is 'rap', which this"),
    ],
)
def test_what_cannot_be_is_said(row: int, text: str, words: str) -> None:
    with pytest.raises(Exception, match=words):
        read(row, text)


def test_no_more_than_a_row_of_a_large_manifest_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    node, alive = module("nodes.from_manifest"), weakref.WeakSet[Any]()
    most = 0

    class Row(dict[str, Any]):
        __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType]

    def rows(*_: object) -> Any:
        nonlocal most
        for number in range(1000):
            row = Row(tags="pop", seed=number)
            alive.add(row)
            most = max(most, len(alive))
            yield row

    monkeypatch.setattr(node, "read_lines", rows)
    given = dict(
        zip(
            NODES["AceSuiteFromManifest"].RETURN_NAMES,
            node.FromManifest().read("none", 7, "x"),
            strict=True,
        )
    )
    assert (given["seed"], given["rows"]) == (6, 1000)
    assert most < 5
