from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from acestep_core.config import TransformerConfig
from acestep_core.networks.layers import rotary_table, signed
from acestep_core.networks.transformer import ERG_BLOCKS, SelfAttention, Transformer
from acestep_core.types import Branch
from acestep_core.weights.tiny import CONFIG

Drawn = Callable[..., Tensor]
WIDTH = CONFIG.transformer.inner_dim


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture
def branch(drawn: Drawn) -> Branch:
    """Two items of nine tokens each; the second has two that are padding."""
    mask = torch.ones(2, 9)
    mask[1, -2:] = 0
    return Branch(drawn(2, 9, WIDTH), mask)


@contextmanager
def weakened(layers: list[nn.Linear]) -> Iterator[None]:
    """Queries multiplied as the original's hooks do: what their projections give."""
    kept = [(parameter, parameter.clone()) for layer in layers for parameter in layer.parameters()]
    for parameter, _ in kept:
        parameter.mul_(0.01)
    yield
    for parameter, values in kept:
        parameter.copy_(values)


def test_linear_self_attention_anchor() -> None:
    config = TransformerConfig(inner_dim=8, num_attention_heads=2, attention_head_dim=4)
    layer = SelfAttention(config, nn)
    for part in (layer.query, layer.key, layer.value, layer.out):
        nn.init.eye_(part.weight)
        nn.init.zeros_(part.bias)
    i, j = torch.arange(3.0)[:, None], torch.arange(8.0)
    x = torch.sin(1 + 0.7 * i + 1.3 * j)[None]
    out = layer(x, signed(rotary_table(3, 4, 1e4, x)))[0]
    first = [0.8634, 0.484359, -0.604269, -0.807641, 0.478084, 0.805991, -0.046881, -0.831072]
    last = [0.805175, 0.088829, -0.757652, -0.494171, 0.533144, 0.777085, -0.117405, -0.839897]
    assert out[0].tolist() == pytest.approx(first, abs=2e-6)
    assert out[2].tolist() == pytest.approx(last, abs=2e-6)


def test_feature_k_of_a_token_is_channel_and_row(transformer: Transformer, drawn: Drawn) -> None:
    final = transformer.final
    weight, bias = final.weight.data, final.bias.data
    final.weight.data, final.bias.data = torch.zeros_like(weight), torch.arange(128.0)
    try:
        out = transformer(drawn(1, 8, 16, 3), torch.tensor([500.0]), Branch(drawn(1, 2, WIDTH)))
    finally:
        final.weight.data, final.bias.data = weight, bias
    for k in (0, 7, 8, 77, 127):
        assert out[0, k % 8, k // 8].tolist() == [k] * 3


def test_keys_and_values_made_once_change_nothing(
    transformer: Transformer, branch: Branch, drawn: Drawn
) -> None:
    x, timestep = drawn(2, 8, 16, 6, seed=1), torch.tensor([731.25, 12.5])
    kept = replace(branch, keys_values=transformer.attend(branch.context))
    assert len(kept.keys_values) == CONFIG.transformer.num_layers
    assert torch.equal(transformer(x, timestep, kept), transformer(x, timestep, branch))


def test_batched_equals_single(transformer: Transformer, branch: Branch, drawn: Drawn) -> None:
    assert branch.mask is not None
    x, timestep = drawn(2, 8, 16, 6, seed=1), torch.tensor([731.25, 12.5])
    both = transformer(x, timestep, branch)
    for i in range(2):
        one = Branch(branch.context[i : i + 1], branch.mask[i : i + 1])
        single = transformer(x[i : i + 1], timestep[i : i + 1], one)
        assert torch.allclose(both[i], single[0], atol=1e-5)


def test_temper_is_each_items_own(transformer: Transformer, branch: Branch, drawn: Drawn) -> None:
    x, timestep = drawn(1, 8, 16, 6, seed=1).repeat(2, 1, 1, 1), torch.full((2,), 600.0)
    context = branch.context[:1].repeat(2, 1, 1)
    both = transformer(x, timestep, Branch(context, temper=torch.tensor([1.0, 0.01])))
    plain = transformer(x[:1], timestep[:1], Branch(context[:1]))
    weak = transformer(x[:1], timestep[:1], Branch(context[:1], temper=torch.tensor([0.01])))
    assert torch.allclose(both[0], plain[0], atol=1e-5)
    assert torch.allclose(both[1], weak[0], atol=1e-5)
    assert (plain - weak).abs().max() > 1e-3


def test_temper_does_what_the_originals_hooks_do(
    transformer: Transformer, branch: Branch, drawn: Drawn
) -> None:
    """They scale the self-attention's queries too, where the factor cancels."""
    x, timestep = drawn(2, 8, 16, 6, seed=1), torch.full((2,), 600.0)
    tempered = transformer(x, timestep, replace(branch, temper=torch.full((2,), 0.01)))
    blocks = [transformer.get_submodule(f"blocks.{index}") for index in ERG_BLOCKS]
    names = ("self_attention.query", "cross_attention.query")
    with weakened([block.get_submodule(name) for block in blocks for name in names]):  # type: ignore[misc]
        hooked = transformer(x, timestep, branch)
    assert torch.allclose(tempered, hooked, atol=1e-5)


def test_padding_is_not_heard(transformer: Transformer, branch: Branch, drawn: Drawn) -> None:
    x, timestep = drawn(2, 8, 16, 6, seed=1), torch.full((2,), 600.0)
    other = branch.context.clone()
    other[1, -2:] = drawn(2, WIDTH, seed=3)
    assert torch.equal(
        transformer(x, timestep, branch), transformer(x, timestep, replace(branch, context=other))
    )
    other[0, -2:] = drawn(2, WIDTH, seed=3)
    changed = transformer(x, timestep, replace(branch, context=other))
    assert not torch.equal(changed[0], transformer(x, timestep, branch)[0])


def test_context_is_speaker_tags_lyrics(transformer: Transformer, drawn: Drawn) -> None:
    states, ids = drawn(1, 3, 32), torch.tensor([[261, 259, 6688, 2]])
    mask, lyric_mask = torch.tensor([[1, 1, 0]]), torch.tensor([[1, 1, 1, 0]])
    context, present = transformer.encode(states, mask, ids, lyric_mask)
    assert context.shape == (1, 1 + 3 + 4, WIDTH)
    assert present.tolist() == [[1, 1, 1, 0, 1, 1, 1, 0]]
    assert torch.equal(context[0, 0], transformer.speaker.bias)
    silent, _ = transformer.encode(torch.zeros_like(states), mask, ids, lyric_mask)
    assert torch.equal(silent[0, 1], transformer.tags.bias)
    assert torch.equal(silent[0, 4:], context[0, 4:])


def test_bfloat16_stays_near_float32(transformer: Transformer, branch: Branch) -> None:
    """Sixteen bits may cost a few per cent on random weights, and nothing may overflow."""
    half = Transformer(CONFIG.transformer).bfloat16()
    half.load_state_dict(transformer.state_dict())
    x, timestep = torch.ones(2, 8, 16, 6), torch.full((2,), 600.0)
    exact = transformer(x, timestep, branch)
    short = replace(branch, context=branch.context.bfloat16())
    rounded = half(x.bfloat16(), timestep, short)
    assert rounded.dtype == torch.bfloat16
    assert (rounded.float() - exact).norm() / exact.norm() < 0.05
