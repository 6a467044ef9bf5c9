from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

from acestep_core.weights.weight_norm import Halves, folded, half_of


@pytest.mark.parametrize("layer", [nn.Conv1d(3, 5, 7), nn.ConvTranspose1d(6, 3, 4)])
def test_folding_is_what_torch_computes(layer: nn.Module) -> None:
    """For transposed convolutions too the norm is per row of the first axis."""
    normed = parametrizations.weight_norm(layer)
    halves = normed.parametrizations["weight"]  # type: ignore[index]
    halves.original0.data *= 1.5
    expected = normed.weight.detach()
    result = folded(halves.original0.detach(), halves.original1.detach())
    assert torch.allclose(result, expected, atol=1e-6)
    assert not torch.allclose(result, halves.original1.detach(), atol=1e-2)


def test_halves_of_sixteen_bits_are_folded_in_float32() -> None:
    gain, direction = torch.tensor([[[3.0]]]).bfloat16(), torch.tensor([[[1.0, 2.0]]]).bfloat16()
    result = folded(gain, direction)
    assert result.dtype == torch.float32
    assert result.flatten().tolist() == pytest.approx([3 / 5**0.5, 6 / 5**0.5], rel=1e-6)


@pytest.mark.parametrize(
    ("key", "whole", "role"),
    [
        ("head.ups.0.weight_g", "head.ups.0.weight", "gain"),
        ("head.ups.0.weight_v", "head.ups.0.weight", "direction"),
        ("a.parametrizations.weight.original0", "a.weight", "gain"),
        ("a.parametrizations.weight.original1", "a.weight", "direction"),
        ("a.weight", "a.weight", None),
        ("a.bias", "a.bias", None),
    ],
)
def test_spellings(key: str, whole: str, role: str | None) -> None:
    assert half_of(key) == (whole, role)


@pytest.mark.parametrize("order", [("gain", "direction"), ("direction", "gain")])
def test_halves_come_in_any_order(order: tuple[str, str]) -> None:
    tensors = {"gain": torch.zeros(1), "direction": torch.ones(1)}
    halves = Halves()
    assert halves.add("a", order[0], tensors[order[0]]) is None
    assert halves.add("b", order[0], tensors[order[0]]) is None
    assert halves.add("a", order[1], tensors[order[1]]) == (tensors["gain"], tensors["direction"])
    assert list(halves.waiting) == ["b"]
