"""Latents in files: one tensor "latent" (B, 8, 16, T), and what made it."""

from __future__ import annotations

from pathlib import Path

from ..atomic import replaced
from ..settings import SettingError
from ..types import Latent, checked_latent
from ..weights.checkpoint import CheckpointError, names_in, opened

KEY = "latent"


def write_latent(path: Path, latent: Latent, model: str) -> None:
    from safetensors.torch import save_file

    with replaced(path) as place:
        save_file({KEY: latent.z.contiguous()}, str(place), {"model": model})


def read_latent(path: Path) -> Latent:
    with opened(path) as file:
        if KEY not in names_in(file):
            raise CheckpointError(f"{path} holds no latents; make one with the command encode.")
        z = file.get_tensor(KEY)
    try:
        return checked_latent(z)
    except SettingError as error:
        raise CheckpointError(f"{path}: {error}") from error
