"""Where things lie.

    training/runs/<stage>/     committed: state.json, losses.jsonl, losses.png
    training/judges/           committed: the probes that judge generated clips
    small_model/               committed: 16-bit weights, as they were last exported
    ~/acestep/training/        never committed: clips, latents, weights, optimizer moments

ACESTEP_TRAINING names another folder for the last kind. `runs` and `shipped` are arguments, so
that tests write elsewhere.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from acestep_core.weights.small import FOLDER

ENVIRONMENT = "ACESTEP_TRAINING"
RUNS = Path(__file__).resolve().parent / "runs"
JUDGES = RUNS.parent / "judges"


@dataclass(frozen=True)
class Places:
    """The folders of one training."""

    work: Path
    runs: Path = RUNS
    shipped: Path | None = None  # a checkpoint folder that stages may go on from

    @classmethod
    def usual(cls) -> Places:
        named = os.environ.get(ENVIRONMENT)
        work = Path(named).expanduser() if named else Path.home() / "acestep" / "training"
        return cls(work, shipped=FOLDER)

    @property
    def data(self) -> Path:
        return self.work / "data"

    @property
    def judges(self) -> Path:
        return made(self.runs.parent / JUDGES.name)

    def stage(self, name: str) -> Path:
        """Committed files of a stage."""
        return made(self.runs / name)

    def private(self, name: str) -> Path:
        """Files of a stage that stay on this machine."""
        return made(self.work / name)


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
