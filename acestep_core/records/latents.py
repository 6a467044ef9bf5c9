"""Latents in files: one tensor "latent" (B, 8, 16, T), and what made it."""

from __future__ import annotations

from pathlib import Path

from ..atomic import replaced
from ..config import LATENT_CHANNELS, LATENT_HEIGHT
from ..types import Latent
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
        z = file.get_tensor(KEY).float()
    if z.ndim != 4 or tuple(z.shape[1:3]) != (LATENT_CHANNELS, LATENT_HEIGHT) or not z.shape[-1]:
        raise CheckpointError(
            f"{path} holds latents of shape {tuple(z.shape)}; ACE-Step v1 has (B, 8, 16, T)."
        )
    return Latent(z)
