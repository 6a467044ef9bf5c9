"""Reads a recorded file: NAME.json says what the tensors of NAME.safetensors are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor


@dataclass(frozen=True)
class Record:
    info: dict[str, Any]
    tensors: dict[str, Tensor]

    def case(self, name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """The settings and the tensors of one case of many."""
        settings = next(case for case in self.info["cases"] if case["case"] == name)
        own = f"{name}."
        return settings, {
            k.removeprefix(own): t for k, t in self.tensors.items() if k.startswith(own)
        }


@cache
def load(directory: Path, name: str) -> Record:
    """The same objects at every call: a test that changes one clones it first."""
    info = json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))
    return Record(info, load_file(directory / f"{name}.safetensors"))
