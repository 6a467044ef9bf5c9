"""Broken numbers in a checkpoint are named when it is loaded, not heard when it has sampled."""

from __future__ import annotations

import math
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from acestep_core.weights.checkpoint import (
    FILES,
    FOLDERS,
    CheckpointError,
    Target,
    load_part,
    recognise,
)
from acestep_core.weights.flaws import extremes, flaw_of, is_finite
from acestep_core.weights.model import build

MATRICES = {
    "transformer": "transformer_blocks.3.attn.to_q.weight",
    "dcae": "decoder.conv_in.weight",
    "vocoder": "backbone.stages.0.0.pwconv1.weight",
    "text_encoder": "encoder.block.0.layer.0.layer_norm.weight",
}
HALF = "head.conv_pre.weight_v"  # of a layer with weight norm
NAN, INFINITE = float("nan"), float("inf")
DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float8_e5m2)


def load_with(tiny_folder: Path, place: Path, part: str, key: str, value: float | None) -> None:
    """Load a part after one number of a tensor, or with None all of it, was replaced."""
    tensors = load_file(tiny_folder / FOLDERS[part] / FILES[part])
    if value is None:
        tensors[key].zero_()
    else:
        tensors[key].view(-1)[-1] = value
    shutil.copy(tiny_folder / FOLDERS[part] / "config.json", place)
    save_file(tensors, place / "changed.safetensors")
    checkpoint = recognise(place / "changed.safetensors")
    load_part(build(part, checkpoint.config), part, checkpoint, Target(torch.float32))


@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE])
@pytest.mark.parametrize(("part", "key"), [*MATRICES.items(), ("vocoder", HALF)])
def test_numbers_that_are_none(
    part: str, key: str, value: float, tiny_folder: Path, tmp_path: Path
) -> None:
    message = rf"changed.safetensors is damaged: {re.escape(key)} holds NaN or infinite values"
    with pytest.raises(CheckpointError, match=message):
        load_with(tiny_folder, tmp_path, part, key, value)


@pytest.mark.parametrize(("part", "key"), MATRICES.items())
def test_nothing_but_zeros(part: str, key: str, tiny_folder: Path, tmp_path: Path) -> None:
    """What a download leaves that was resumed in the wrong place."""
    message = rf"damaged: {re.escape(key)} holds nothing but zeros\. A download that was resumed"
    with pytest.raises(CheckpointError, match=message):
        load_with(tiny_folder, tmp_path, part, key, None)


@pytest.mark.parametrize(
    ("part", "key"),
    [
        ("transformer", "transformer_blocks.3.attn.to_q.bias"),
        ("transformer", "lyric_encoder.encoders.0.self_attn.pos_bias_u"),
        ("transformer", "speaker_embedder.weight"),
        ("dcae", "decoder.norm_out.bias"),
        ("vocoder", "backbone.norm.bias"),
    ],
)
def test_zeros_that_can_be(part: str, key: str, tiny_folder: Path, tmp_path: Path) -> None:
    load_with(tiny_folder, tmp_path, part, key, None)


def test_several_are_counted(tiny_folder: Path, tmp_path: Path) -> None:
    """The tail of a file that was never written."""
    tensors = load_file(tiny_folder / FOLDERS["vocoder"] / FILES["vocoder"])
    shutil.copy(tiny_folder / FOLDERS["vocoder"] / "config.json", tmp_path)
    broken = [key for key in tensors if key.endswith("pwconv2.weight")]
    for key in broken:
        tensors[key].zero_()
    save_file(tensors, tmp_path / "changed.safetensors")
    checkpoint = recognise(tmp_path / "changed.safetensors")
    with pytest.raises(CheckpointError) as caught:
        load_part(build("vocoder", checkpoint.config), "vocoder", checkpoint, Target(torch.float32))
    assert sum(key in str(caught.value) for key in broken) == min(len(broken), 4)
    assert (f"and {len(broken) - 4} more" in str(caught.value)) == (len(broken) > 4)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [NAN, INFINITE, -INFINITE, 0.0, 2.0])
def test_extremes_in_every_dtype(value: float, dtype: torch.dtype) -> None:
    tensor = torch.full((3, 5), -1.0)
    tensor[1, 2] = value
    tensor = tensor.to(dtype)
    assert is_finite(tensor) == math.isfinite(value)
    if math.isfinite(value):
        assert extremes(tensor) == (-1, value)


def test_nothing_at_all() -> None:
    assert is_finite(torch.zeros(0))
    assert flaw_of(torch.zeros(3), may_be_zero=True) is None
    assert flaw_of(torch.zeros(3), may_be_zero=False) == "holds nothing but zeros"
