from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from acestep_core.records.latents import read_latent, write_latent
from acestep_core.types import Latent
from acestep_core.weights.checkpoint import CheckpointError


def test_there_and_back(tmp_path: Path, drawn: Callable[..., Tensor]) -> None:
    z = drawn(2, 8, 16, 5)[..., 1:]  # not contiguous
    write_latent(tmp_path / "a.safetensors", Latent(z), "tiny")
    assert torch.equal(read_latent(tmp_path / "a.safetensors").z, z)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"other": torch.zeros(1, 8, 16, 3)}, "holds no latents; make one with the command encode"),
        (
            {"latent": torch.zeros(1, 8, 16)},
            r"shape \(1, 8, 16\); ACE-Step v1 has \(batch, 8, 16, frames\)",
        ),
        ({"latent": torch.zeros(1, 8, 15, 3)}, r"shape \(1, 8, 15, 3\)"),
        ({"latent": torch.zeros(1, 8, 16, 0)}, r"shape \(1, 8, 16, 0\)"),
        ({"latent": torch.zeros(1, 64, 20)}, r"shape \(1, 64, 20\), which is ACE-Step 1\.5"),
        ({"latent": torch.full((1, 8, 16, 2), torch.nan)}, "values that are not numbers"),
    ],
)
def test_other_files_are_refused(tensors: dict[str, Tensor], message: str, tmp_path: Path) -> None:
    save_file(tensors, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=rf"a.safetensors:? .*{message}"):
        read_latent(tmp_path / "a.safetensors")


def test_half_precision_is_widened(tmp_path: Path) -> None:
    save_file({"latent": torch.ones(1, 8, 16, 2).bfloat16()}, tmp_path / "a.safetensors")
    assert read_latent(tmp_path / "a.safetensors").z.dtype == torch.float32
