"""Weights in files: the shipped form in 16 bits, and everything else of a run in 32.

network <-> <part>.safetensors   float16, named as in a checkpoint, read by the core's loader
run     <-> state.safetensors    float32: weights, their running mean, optimizer moments
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from acestep_core.atomic import replaced
from acestep_core.config import ModelConfig
from acestep_core.weights.checkpoint import Checkpoint, Stored, Target, key_map, load_part
from acestep_core.weights.model import build

Tensors = dict[str, Tensor]


def write_part(tensors: Tensors, part: str, config: ModelConfig, path: Path) -> None:
    """Our names and float32 values of one network -> its file in float16."""
    keys, named = key_map(part, config), {}
    for name, tensor in tensors.items():
        half = tensor.detach().half().cpu().reshape(keys.file_shape(name, tuple(tensor.shape)))
        if not bool(torch.isfinite(half).all()):
            raise FloatingPointError(f"{name} has values that 16 bits cannot hold.")
        named[keys.theirs(name)] = half.contiguous()
    write(named, path)


def read_part(part: str, config: ModelConfig, path: Path) -> nn.Module:
    """The network of a file, in float32, ready to be trained on."""
    place = Checkpoint(path.name, "components", {part: Stored(path, "")}, config)
    network = load_part(build(part, config), part, place, Target(torch.float32))
    return network.requires_grad_(True)


def write(tensors: Tensors, path: Path) -> None:
    from safetensors.torch import save_file

    with replaced(path) as temporary:
        save_file(tensors, str(temporary))


def read(path: Path) -> Tensors:
    from safetensors.torch import load_file

    return load_file(str(path))
