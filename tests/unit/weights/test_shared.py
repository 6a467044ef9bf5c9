from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
import torch
from torch import Tensor

from acestep_core.networks.layers import joined_weights
from acestep_core.networks.transformer import Block
from acestep_core.pipeline import ACEStep
from acestep_core.weights.checkpoint import PARTS, recognise
from acestep_core.weights.model import Added, Model, Placing, load
from acestep_core.weights.shared import InMemory, Weights, gathered


class Held:
    """A piece of this process's own memory."""

    def room(self, size: int) -> Tensor:
        self.bytes = torch.empty(size, dtype=torch.uint8)
        return self.bytes

    def opener(self) -> Callable[[], Tensor]:
        return lambda: self.bytes


def weights_of(model: Model) -> dict[str, Tensor]:
    return {
        f"{part}.{name}": weight
        for part in PARTS
        for name, weight in getattr(model, part).module.named_parameters()
    }


def shared_from(folder: Path, piece: Held | InMemory) -> tuple[Model, Weights]:
    model = ACEStep.load(folder).model
    model.transformer.module.lay()
    networks = {part: getattr(model, part).module for part in PARTS}
    return model, gathered(networks, piece, (Added("rap"),))


def test_what_is_shared_is_what_was_loaded(tiny_folder: Path, pipe: ACEStep) -> None:
    held = Held()
    moved, weights = shared_from(tiny_folder, held)
    found = ACEStep.load(tiny_folder, weights=weights).model
    assert found.adapters == (Added("rap"),)
    loaded = weights_of(pipe.model)
    assert weights_of(found).keys() == weights_of(moved).keys() == loaded.keys()
    first, last = held.bytes.data_ptr(), held.bytes.data_ptr() + len(held.bytes)
    for name, weight in weights_of(found).items():
        assert torch.equal(weight, loaded[name]), name
        assert weight.stride() == loaded[name].stride(), name  # convolutions keep their layout
        assert first <= weight.data_ptr() < last, name  # and nothing was copied
        assert weight.data_ptr() == weights_of(moved)[name].data_ptr()
        assert not weight.requires_grad
    assert not found.transformer.module.training
    for block in found.transformer.module.blocks:
        part = cast(Block, block).self_attention
        assert joined_weights((part.query, part.key, part.value)), "one product serves all three"


def test_another_checkpoint_s_weights_are_not_taken(tiny_folder: Path) -> None:
    _, weights = shared_from(tiny_folder, Held())
    cast("dict[str, object]", weights.places["vocoder"]).popitem()
    with pytest.raises(AssertionError, match="same checkpoint"):
        ACEStep.load(tiny_folder, weights=weights)


def test_on_another_device_they_are_copied_there(tiny_folder: Path) -> None:
    _, weights = shared_from(tiny_folder, Held())
    checkpoint = recognise(tiny_folder)
    precision = None
    model = load(checkpoint, precision, Placing(torch.device("meta")), weights.filling())
    assert {weight.device.type for weight in weights_of(model).values()} == {"meta"}


READ = """
import sys, torch
from acestep_core.weights.shared import Mapped
bytes = Mapped(sys.argv[1], int(sys.argv[2]))()
print(int(bytes.long().sum()))
bytes.zero_()
"""


@pytest.mark.skipif(not InMemory.is_known, reason="Linux alone has such memory")
def test_another_process_reads_it_and_cannot_change_it(root: Path) -> None:
    with InMemory() as memory:
        room = memory.room(3000)
        room.copy_(torch.arange(3000) % 251)
        opener = memory.opener()
        command = [sys.executable, "-c", READ, opener.path, str(opener.size)]
        answer = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
        assert int(answer.stdout) == int(room.long().sum()) > 0
    assert not Path(opener.path).exists()
