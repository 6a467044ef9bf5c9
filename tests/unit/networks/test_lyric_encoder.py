from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn

from acestep_core.networks import lyric_encoder
from acestep_core.networks.lyric_encoder import (
    ERG_LAYERS,
    LyricEncoder,
    RelativeAttention,
    relative_positions,
    skew,
)
from acestep_core.networks.transformer import Transformer

Drawn = Callable[..., Tensor]


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture
def encoder(transformer: Transformer) -> LyricEncoder:
    return transformer.lyric_encoder


IDS = torch.tensor([[261, 259, 6688, 2, 259, 6683, 2]])


def encoded(encoder: LyricEncoder, ids: Tensor, mask: Tensor, temper: float = 1.0) -> Tensor:
    return encoder(ids, mask, torch.float32, temper)


def test_relative_positions_fall_from_the_first_row() -> None:
    table = relative_positions(3, 8, torch.empty(0))
    first = [0.9093, -0.41615, 0.19867, 0.98007, 0.02, 0.9998, 0.002, 1]
    assert table.shape == (5, 8)
    assert table[0].tolist() == pytest.approx(first, abs=1e-5)
    flipped = [-v if lane % 2 == 0 else v for lane, v in enumerate(table[0].tolist())]
    assert table[4].tolist() == pytest.approx(flipped)
    assert table[2].tolist() == [0, 1, 0, 1, 0, 1, 0, 1]


def test_skew() -> None:
    scores = torch.arange(15).reshape(3, 5)
    assert skew(scores).tolist() == [[2, 3, 4], [6, 7, 8], [10, 11, 12]]
    assert skew(torch.tensor([[7]])).tolist() == [[7]]
    batched = torch.arange(30).reshape(2, 3, 5)
    assert skew(batched)[1].tolist() == [[17, 18, 19], [21, 22, 23], [25, 26, 27]]


def test_attention_follows_its_formula(drawn: Drawn) -> None:
    """One pair of tokens at a time, straight from the definition."""
    width, length = 6, 4
    layer = RelativeAttention(width, 1, nn)
    x, positions = drawn(1, length, width), relative_positions(length, width, torch.empty(0))
    q, k, v = (part(x)[0] for part in (layer.query, layer.key, layer.value))
    p, u, o = layer.position(positions), layer.content_bias.weight[0], layer.position_bias.weight[0]
    score = torch.empty(length, length)
    for i in range(length):
        for j in range(length):
            row = (length - 1) - (i - j)
            score[i, j] = ((q[i] + u) @ k[j] + (q[i] + o) @ p[row]) / math.sqrt(width)
    expected = layer.out(score.softmax(-1) @ v)
    actual = layer(x, torch.ones(1, length), positions, 1.0)
    assert torch.allclose(actual[0], expected, atol=1e-5)


@pytest.mark.parametrize("block", [1, 2, 3, 5, 6, 100])
def test_blocks_of_queries_equal_the_whole(
    block: int, encoder: LyricEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    mask = torch.tensor([[1, 1, 1, 1, 1, 0, 0]])
    whole = encoded(encoder, IDS, mask)
    monkeypatch.setattr(lyric_encoder, "QUERY_BLOCK", block)
    assert torch.allclose(encoded(encoder, IDS, mask), whole, atol=1e-5)


def test_true_tokens_do_not_depend_on_padding(encoder: LyricEncoder) -> None:
    alone = encoded(encoder, IDS, torch.ones_like(IDS))
    padded = torch.cat((IDS, torch.full((1, 4), 9)), 1)
    mask = torch.cat((torch.ones_like(IDS), torch.zeros(1, 4, dtype=torch.long)), 1)
    assert torch.allclose(encoded(encoder, padded, mask)[:, : IDS.shape[1]], alone, atol=1e-5)


def test_a_lyric_of_masked_tokens_alone_is_finite(encoder: LyricEncoder) -> None:
    attention = encoder.get_submodule("layers.0.attention")
    x, mask = torch.ones(1, 2, 48), torch.zeros(1, 2)
    out = attention(x, mask, relative_positions(2, 48, x), 1.0)
    assert torch.equal(out, attention.out.bias.expand_as(out))  # type: ignore[union-attr]
    assert torch.isfinite(encoded(encoder, torch.tensor([[0]]), torch.tensor([[0]]))).all()


def test_temper_does_what_the_originals_hooks_do(encoder: LyricEncoder) -> None:
    mask = torch.ones_like(IDS)
    tempered = encoded(encoder, IDS, mask, 0.01)
    layers = [encoder.get_submodule(f"layers.{index}.attention.query") for index in ERG_LAYERS]
    hooks = [layer.register_forward_hook(lambda _, __, out: out * 0.01) for layer in layers]
    hooked = encoded(encoder, IDS, mask)
    for hook in hooks:
        hook.remove()
    assert torch.allclose(tempered, hooked, atol=1e-6)
    assert (tempered - encoded(encoder, IDS, mask)).abs().max() > 1e-3


def test_inputs_are_scaled(encoder: LyricEncoder) -> None:
    """LayerNorm gives unit size; the layers want it times the root of the width."""
    embedded = encoder.embed(IDS, torch.float32)
    normed = encoder.project_norm(encoder.project(encoder.tokens(IDS)))
    assert torch.allclose(embedded, normed * 48**0.5)
