"""The anchors are numbers of the original's code, in float32."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from acestep_core.networks.layers import (
    attention_state,
    frequencies,
    joined_weights,
    lay_together,
    read_state,
    rms,
    rotary_table,
    rotate,
    rows,
    signed,
    sinusoid,
)

Drawn = Callable[..., Tensor]


def test_sinusoid_of_a_timestep() -> None:
    vector = sinusoid(torch.tensor([731.25]), frequencies(256, torch.device("cpu")))[0]
    places = [0, 1, 2, 127, 128, 129, 130, 255]
    expected = [-0.737734, -0.320223, 0.204027, 0.996914, 0.675091, 0.947342, -0.978965, 0.0785]
    assert vector.dtype == torch.float32
    assert vector[places].tolist() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (1, (-1.14264, 2.089842, 2.959851, 4.002998, -2.347314, 6.469192, 6.919652, 8.006996)),
        (3, (-1.272233, 2.206193, 2.878668, 4.008982, -5.796682, 7.20962, 6.756886, 8.020965)),
    ],
)
def test_rotation_mixes_both_layouts(position: int, expected: tuple[float, ...]) -> None:
    x = torch.arange(1.0, 9.0).expand(4, 8)
    turned = rotate(x, signed(rotary_table(4, 8, 1e4, x)))
    assert turned[position].tolist() == pytest.approx(expected, abs=2e-6)
    assert turned[0].tolist() == x[0].tolist()


def test_rotary_table_far_out() -> None:
    cos, sin = rotary_table(2583, 128, 1e6, torch.empty(0))
    lanes = [0, 1, 63, 64, 65, 127]
    cosines = [0.925228, 0.581493, 0.999995, 0.925228, 0.581493, 0.999995]
    sines = [-0.379413, 0.813551, 0.003204, -0.379413, 0.813551, 0.003204]
    assert cos[2582, lanes].tolist() == pytest.approx(cosines, abs=2e-6)
    assert sin[2582, lanes].tolist() == pytest.approx(sines, abs=2e-6)


def test_half_precision_tables_are_rounded_after_they_are_built() -> None:
    exact, _ = rotary_table(2583, 128, 1e6, torch.empty(0))
    rounded, _ = rotary_table(2583, 128, 1e6, torch.empty(0, dtype=torch.bfloat16))
    assert rounded.dtype == torch.bfloat16
    assert torch.equal(rounded, exact.bfloat16())


def test_rms() -> None:
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    expected = [[3 / 12.5**0.5, 4 / 12.5**0.5], [0.0, 0.0]]
    assert torch.allclose(rms(x, 1e-12), torch.tensor(expected))
    assert torch.equal(rms(x.T, 1e-12, axis=0), rms(x, 1e-12).T)
    assert rms(x.bfloat16(), 1e-6).dtype == torch.bfloat16


def test_rows_take_the_dtype_of_their_reader() -> None:
    table = nn.Embedding(2, 3)
    read = rows(table, torch.empty(0, dtype=torch.bfloat16))
    assert torch.equal(read, table.weight.bfloat16())


def test_linear_attention_is_the_weighted_mean(drawn: Drawn) -> None:
    q, k, v = drawn(2, 5, 4).abs(), drawn(2, 7, 4, seed=1).abs(), drawn(2, 7, 4, seed=2)
    weights = q @ k.transpose(-1, -2)
    expected = (weights / weights.sum(-1, keepdim=True)) @ v
    assert torch.allclose(read_state(q, attention_state(k, v)), expected, atol=1e-5)


def test_states_of_pieces_add_up(drawn: Drawn) -> None:
    k, v = drawn(2, 9, 4), drawn(2, 9, 4, seed=1)
    pieces = attention_state(k[:, :4], v[:, :4]) + attention_state(k[:, 4:], v[:, 4:])
    assert torch.allclose(pieces, attention_state(k, v), atol=1e-5)


def test_a_query_that_sees_nothing_reads_zero_in_half_precision(drawn: Drawn) -> None:
    k, v = drawn(3, 4).half(), drawn(3, 4, seed=1).half()
    read = read_state(torch.zeros(2, 4).half(), attention_state(k, v))
    assert read.tolist() == [[0.0] * 4] * 2


def test_weights_laid_together_stay_the_parameters_they_are(drawn: Drawn) -> None:
    layers = [nn.Linear(3, 4).requires_grad_(False) for _ in range(3)]
    kept = [(layer.weight, layer.weight.clone()) for layer in layers]
    assert joined_weights(layers) is None
    lay_together(layers)
    found = joined_weights(layers)
    assert found is not None
    x = drawn(2, 3)
    parts = torch.cat([layer(x) for layer in layers], -1)
    assert torch.allclose(nn.functional.linear(x, *found), parts, atol=1e-6)
    for layer, (parameter, values) in zip(layers, kept, strict=True):
        assert layer.weight is parameter
        assert torch.equal(layer.weight, values)
    layers[1].weight.add_(1)  # what changes one of them is heard
    assert torch.equal(found[0][4:8], layers[1].weight)


def test_weights_of_two_models_are_not_kept_twice() -> None:
    """The second model has a query of its own and shares the rest."""
    layers = [nn.Linear(3, 3).requires_grad_(False) for _ in range(3)]
    lay_together(layers)
    other = [nn.Linear(3, 3).requires_grad_(False), *layers[1:]]
    place = other[1].weight.data_ptr()
    lay_together(other)
    assert other[1].weight.data_ptr() == place
    assert joined_weights(other) is None
    assert joined_weights(layers) is not None


def test_layers_that_do_more_than_multiply_are_asked_one_by_one() -> None:
    """A host's layers cast or patch their weights as they are called."""

    class Casting(nn.Linear):
        pass

    layers = [Casting(3, 3).requires_grad_(False) for _ in range(3)]
    lay_together(layers)
    assert joined_weights(layers) is None
    trained = [nn.Linear(3, 3) for _ in range(3)]
    lay_together(trained)
    assert joined_weights(trained) is None  # slopes would not reach all three
