"""Loading from files: written to a temporary folder, read onto the card, deleted."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from acestep_core.config import ModelConfig
from acestep_core.pipeline import ACEStep
from acestep_core.weights.tiny import CONFIG as TINY
from bench.synthetic import write_folder

from .parts import Found, Skip, Trial

SPACE = {True: 10e9, False: 0.1e9}  # bytes of disk, for the released size and for the tiny one
SECONDS = {True: 90.0, False: 5.0}


def load(trial: Trial) -> Found:
    config: ModelConfig = trial.sizes.config
    is_whole = config != TINY
    free = shutil.disk_usage(tempfile.gettempdir()).free
    if free < SPACE[is_whole]:
        raise Skip(f"loading from files: {free / 1e9:.1f} GB of disk are free")
    trial.needs(SECONDS[is_whole], "writing and loading files")
    trial.model = None  # room for another one
    trial.card.tidy()
    with tempfile.TemporaryDirectory() as folder:
        size = write_folder(Path(folder) / "model", config)
        trial.needs(SECONDS[is_whole] / 3, "loading what was written")
        began = time.perf_counter()
        pipe = ACEStep.load(Path(folder) / "model", device=str(trial.card.device))
        trial.card.wait()
        took = time.perf_counter() - began
    line = f"{size / 1e9:.2f} GB of files loaded in {took:.1f} s, just written and cached"
    kept = f"{pipe.model.bytes_kept / 1e9:.2f} GB kept"
    return Found([f"{line}; {kept}"], {"bytes": size, "load_s": round(took, 2)})
