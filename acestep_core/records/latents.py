"""Latents in files: one tensor "latent" (B, 8, 16, T), and what made it.

sampled -> decoded, saved           all went well
sampled -> not_lost -> its file     the error says where it is and how to decode it
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from ..atomic import FileError, replaced
from ..settings import SettingError
from ..types import Latent, checked_latent
from ..weights.checkpoint import CheckpointError, names_in, opened

KEY = "latent"
Sampled = Callable[[], Latent | None]  # what was sampled last, if anything was

log = logging.getLogger(__name__)


def write_latent(path: Path, latent: Latent, model: str) -> None:
    from safetensors.torch import save_file

    with replaced(path) as place:
        save_file({KEY: latent.z.contiguous()}, str(place), {"model": model})


@contextmanager
def not_lost(
    sampled: Sampled, places: Sequence[Path], model: str, fix: str = ""
) -> Generator[None]:
    """Around what makes a latent sound and writes it. Where that fails, what was sampled is kept
    in the first of the places that takes it."""
    try:
        yield
    except Exception as error:
        latent = sampled()
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
