"""Where things lie.

    training/runs/<stage>/     committed: 16-bit weights, state.json, losses.csv, losses.png
    ~/acestep/training/        never committed: clips, latents, optimizer moments

ACESTEP_TRAINING names another folder for the second kind. `runs` is a function's argument
everywhere, so that tests write elsewhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = "ACESTEP_TRAINING"
RUNS = Path(__file__).resolve().parent / "runs"


@dataclass(frozen=True)
class Places:
    """The two folders of one training."""

    work: Path
    runs: Path = RUNS

    @classmethod
    def usual(cls) -> Places:
        named = os.environ.get(ENVIRONMENT)
        return cls(Path(named).expanduser() if named else Path.home() / "acestep" / "training")

    @property
    def data(self) -> Path:
        return self.work / "data"

    def stage(self, name: str) -> Path:
        """Committed files of a stage."""
        return made(self.runs / name)

    def private(self, name: str) -> Path:
        """Files of a stage that stay on this machine."""
        return made(self.work / name)


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
