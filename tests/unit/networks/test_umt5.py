from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from acestep_core.networks.umt5 import ERG_BLOCKS, TextEncoder, position_buckets
from acestep_core.pipeline import ACEStep

BUCKETS = {
    **{-300: 15, -128: 15, -91: 15, -64: 14, -32: 12, -16: 10, -12: 9, -9: 8, -8: 8, -7: 7},
    **{-1: 1, 0: 0, 1: 17, 7: 23, 8: 24, 12: 25, 16: 26, 32: 28, 64: 30, 91: 31, 300: 31},
}
IDS = torch.tensor([[40, 41, 42, 43, 1]])


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture
def encoder(pipe: ACEStep) -> TextEncoder:
    return pipe.model.text_encoder.module


def test_buckets_of_positions() -> None:
    table = position_buckets(301, 32, 128, torch.device("cpu"))
    for offset, bucket in BUCKETS.items():
        query, key = (0, offset) if offset > 0 else (-offset, 0)
        assert table[query, key] == bucket, offset


def test_tokens_do_not_depend_on_padding(encoder: TextEncoder) -> None:
    alone = encoder(IDS, torch.ones_like(IDS), torch.float32)
    padded = torch.cat((IDS, torch.zeros(1, 3, dtype=torch.long)), 1)
    mask = (torch.arange(8) < 5).long()[None]
    beside = encoder(padded, mask, torch.float32)[:, :5]
    assert torch.allclose(beside, alone, atol=1e-5)


def test_batched_equals_single(encoder: TextEncoder) -> None:
    two = torch.cat((IDS, IDS.flip(1)))
    both = encoder(two, torch.ones_like(two), torch.float32)
    for i in range(2):
        single = encoder(two[i : i + 1], torch.ones(1, 5), torch.float32)
        assert torch.allclose(both[i], single[0], atol=1e-5)


def test_temper_does_what_the_originals_hooks_do(encoder: TextEncoder) -> None:
    mask = torch.ones_like(IDS)
    tempered = encoder(IDS, mask, torch.float32, 0.01)
    layers = [encoder.get_submodule(f"blocks.{index}.query") for index in ERG_BLOCKS]
    hooks = [layer.register_forward_hook(lambda _, __, out: out * 0.01) for layer in layers]
    hooked = encoder(IDS, mask, torch.float32)
    for hook in hooks:
        hook.remove()
    assert torch.allclose(tempered, hooked, atol=1e-6)
    assert (tempered - encoder(IDS, mask, torch.float32)).abs().max() > 1e-3


def test_every_block_has_its_own_positions(encoder: TextEncoder) -> None:
    tables = [encoder.get_submodule(f"blocks.{index}.positions").weight for index in range(12)]  # type: ignore[misc]
    assert all(not torch.equal(tables[0], other) for other in tables[1:])
    assert all(table.shape == (32, 4) for table in tables)
