"""A song for the workflows that change one."""

from __future__ import annotations

from pathlib import Path

import torch

from acestep_core.sound.files import write_audio

SONG = "song.flac"  # in the input folder


def write_source(path: Path, seconds: float = 5.0) -> None:
    """Soft noise, at a rate that is nobody's own."""
    wave = torch.randn(2, round(seconds * 32_000), generator=torch.Generator().manual_seed(0))
    write_audio(path, wave * 0.05, 32_000)
