from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from acestep_core.config import ModelConfig
from acestep_core.networks.layers import Ops
from acestep_core.networks.memory import Resident, Visiting
from acestep_core.pipeline import ACEStep
from acestep_core.weights.checkpoint import PARTS, CheckpointError, recognise
from acestep_core.weights.model import Placing, Precision, build, default_precision, load

LAYERS = (
    "Linear",
    "Conv2d",
    "ConvTranspose2d",
    "LayerNorm",
    "GroupNorm",
    "Embedding",
)  # fmt: skip


def test_parts_know_their_place_and_dtype(tiny_folder: Path) -> None:
    precision = Precision(torch.bfloat16, torch.float32, torch.float16, torch.float64)
    model = load(recognise(tiny_folder), precision)
    dtypes = {part: getattr(model, part).dtype for part in PARTS}
    assert dtypes == {
        "transformer": torch.bfloat16,
        "text_encoder": torch.float32,
        "dcae": torch.float16,
        "vocoder": torch.float64,
    }
    for part in PARTS:
        kept = getattr(model, part)
        assert isinstance(kept, Resident)
        assert {p.dtype for p in kept.module.parameters()} == {kept.dtype}
        assert {p.device.type for p in kept.module.parameters()} == {"cpu"}


def test_bytes_kept(pipe: ACEStep) -> None:
    numbers = sum(
        p.numel() for part in PARTS for p in getattr(pipe.model, part).module.parameters()
    )
    assert pipe.model.bytes_kept == 4 * numbers


def test_defaults_on_the_cpu_are_float32() -> None:
    assert default_precision(None) == Precision.full()
    assert {Precision.full().dcae, Precision().vocoder} == {torch.float32}
    assert Precision().transformer == torch.bfloat16


def test_offloaded_parts_wait_in_main_memory() -> None:
    cuda, cpu = torch.device("cuda"), torch.device("cpu")
    away = Placing(cuda, offload=True)
    part = away.part("dcae", nn.Linear(1, 1), torch.float32)
    assert isinstance(part, Visiting)
    assert (part.device, away.target("dcae", torch.float32).device) == (cuda, cpu)
    assert isinstance(Placing(cpu, True).part("dcae", nn.Linear(1, 1), torch.float32), Resident)
    assert Placing(cuda).target("dcae", torch.float32).device == cuda


@pytest.mark.parametrize("part", PARTS)
def test_every_parameter_belongs_to_a_layer_of_the_host(part: str) -> None:
    """A host's layers cast their weights as they run; nothing may sit outside them."""
    kinds = {name: type(name, (getattr(nn, name),), {}) for name in LAYERS}
    ops: Ops = SimpleNamespace(**kinds)  # type: ignore[assignment]
    network = build(part, ModelConfig(), ops)
    for name, module in network.named_modules():
        if list(module.parameters(recurse=False)):
            assert type(module) in kinds.values(), name
            assert not list(module.children()), name
    assert not list(network.buffers())


def test_networks_are_built_without_memory() -> None:
    assert {p.device.type for p in build("transformer", ModelConfig()).parameters()} == {"meta"}


def test_an_incomplete_checkpoint_is_refused_before_anything_is_read(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("acestep_core.weights.model.load_part", lambda *_: pytest.fail("was read"))
    alone = recognise(tiny_folder / "music_vocoder" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(
        CheckpointError, match=r"has no transformer \(ace_.*\), dcae \(music_.*\), "
    ):
        load(alone)
    silent = replace(recognise(tiny_folder), tokenizer=None)
    with pytest.raises(CheckpointError, match="has no tag tokenizer"):
        load(silent)
