"""Latents in files: one tensor "latent" (B, 8, 16, T), and what made it.

sampled -> decoded, saved           all went well
sampled -> not_lost -> its file     the error says where it is and how to decode it; what runs in
                                    it puts the latent into the Keeper that it is given
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from ..atomic import FileError, replaced
from ..settings import SettingError
from ..types import Latent, checked_latent
from ..weights.checkpoint import CheckpointError, names_in, opened

KEY = "latent"

log = logging.getLogger(__name__)


def write_latent(path: Path, latent: Latent, model: str) -> None:
    from safetensors.torch import save_file

    with replaced(path) as place:
        save_file({KEY: latent.z.contiguous()}, str(place), {"model": model})


@dataclass
class Keeper:
    """What was sampled, once it is there."""

    latent: Latent | None = None


@contextmanager
def not_lost(places: Sequence[Path], model: str, fix: str = "") -> Generator[Keeper]:
    """Around what makes a latent sound and writes it. Where that fails, what was sampled is kept
    in the first of the places that takes it."""
    keeper = Keeper()
    try:
        yield keeper
    except Exception as error:
        latent = keeper.latent
        if latent is None or not bool(torch.isfinite(latent.z).all()):
            raise
        said = _kept(latent, places, model, fix)
        if not isinstance(error, SettingError | FileError | CheckpointError):
            log.error(said)
            raise
        raise type(error)(f"{error} {said}") from error


def _kept(latent: Latent, places: Sequence[Path], model: str, fix: str) -> str:
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    z = latent.z.contiguous()
    # The last two as ComfyUI's own LoadLatent wants them.
    tensors = {KEY: z, "latent_tensor": z.clone(), "latent_format_version_0": torch.tensor([])}
    for place in places:
        try:
            with replaced(place) as temporary:
                save_file(tensors, str(temporary), {"model": model})
        except (FileError, OSError, SafetensorError):
            continue
        told = f"What was sampled is kept: python -m acestep_core decode {place}"
        return f"{told}{fix and ', '}{fix}."
    return "What was sampled could not be kept either: there is no room for it."


def read_latent(path: Path) -> Latent:
    with opened(path) as file:
        if KEY not in names_in(file):
            raise CheckpointError(f"{path} holds no latents; make one with the command encode.")
        z = file.get_tensor(KEY)
    try:
        return checked_latent(z)
    except SettingError as error:
        raise CheckpointError(f"{path}: {error}") from error
