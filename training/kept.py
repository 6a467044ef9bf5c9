"""Which weights a stage goes on from.

    private folder: <stage>/<part>.safetensors, state.json                    -> the later one
    shipped checkpoint: <part's folder>/..., model.json names the part's stage and step

The shipped checkpoint holds the weights of one stage for each part: another stage that trained
the same part before has none there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acestep_core.weights.checkpoint import FILES, FOLDERS

from .places import Places

STATE = "state.json"


@dataclass(frozen=True)
class Kept:
    """Weights in 16 bits, named as in a checkpoint."""

    stage: str
    path: Path
    step: int
    seconds: float  # spent on all steps


def kept(places: Places, stage: str, part: str) -> Kept | None:
    """The latest weights of a stage; those of this machine before equal ones."""
    found = [_own(places, stage, part), _shipped(places, stage, part)]
    return max((one for one in found if one), key=lambda one: one.step, default=None)


def _own(places: Places, stage: str, part: str) -> Kept | None:
    about = read(places.private(stage) / STATE)
    path = places.private(stage) / f"{part}.safetensors"
    return Kept(stage, path, about["step"], about["seconds"]) if path.is_file() and about else None


def _shipped(places: Places, stage: str, part: str) -> Kept | None:
    if places.shipped is None:
        return None
    about = read(places.shipped / "model.json")
    path = places.shipped / FOLDERS[part] / FILES[part]
    if about.get("stages", {}).get(part) != stage or not path.is_file():
        return None
    seconds = read(places.runs / stage / STATE).get("seconds", 0)
    return Kept(stage, path, about["steps"][part], seconds)


def read(path: Path) -> dict[str, Any]:
    """A JSON object; empty if there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
