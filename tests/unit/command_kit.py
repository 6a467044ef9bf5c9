"""Running the command line in a test: what it said, and the words of a short song."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SHORT = ("--tags", "pop", "--lyrics", "[inst]", "--duration", "0.3", "--steps", "2")


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


Run = Callable[..., Said]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "home")
