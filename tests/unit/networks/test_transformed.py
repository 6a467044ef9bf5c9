"""The quicker ways of a CPU: they give what torch gives, and stand aside where they may not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from acestep_core.networks import products, transformed
from acestep_core.networks.transformed import SILU, Room, convolved, suits, transform

Drawn = Callable[..., Tensor]


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


@pytest.fixture(params=[1, 3])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def layer(kernel: tuple[int, int], apart: int = 1, *, bias: bool = True) -> nn.Conv2d:
    pad = (kernel[0] // 2, kernel[1] // 2 * apart)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return nn.Conv2d(16, 24, kernel, padding=pad, dilation=(1, apart), bias=bias)


def far(found: Tensor, conv: nn.Conv2d, x: Tensor) -> float:
    """From the same in float64, as a share of the largest value."""
    weight, bias = conv.weight.double(), None if conv.bias is None else conv.bias.double()
    true = F.conv2d(x.double(), weight, bias, padding=conv.padding, dilation=conv.dilation)
    assert found.shape == true.shape
    return float((found - true).abs().max() / true.abs().max())


@pytest.mark.parametrize("taps", [7, 11, 13])
@pytest.mark.parametrize("apart", [1, 3, 5])
@pytest.mark.parametrize("length", [1, 39, 400])
def test_long_kernels(
    drawn: Drawn, threads: int, taps: int, apart: int, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformed, "NUMBERS", 16 * 5)  # many shares, the last one a part
    conv, x = layer((1, taps), apart), drawn(2, 16, 1, length)
    with Room() as room:
        assert far(convolved(conv, x, room), conv, x) < 2e-6
        both = convolved(conv, x, room, SILU, plus=drawn(2, 24, 1, length))
    assert torch.allclose(both, conv(F.silu(x)) + drawn(2, 24, 1, length), atol=1e-5)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("size", [(1, 1), (4, 8), (7, 50), (16, 33)])
def test_pictures(drawn: Drawn, threads: int, size: tuple[int, int]) -> None:
    conv, x = layer((3, 3), bias=False), drawn(2, 16, *size)
    with Room() as room:
        assert far(convolved(conv, x, room), conv, x) < 2e-6
        active = convolved(conv, x, room, SILU)
    assert torch.allclose(active, conv(F.silu(x)), atol=1e-5)


@pytest.mark.parametrize("kernel", [(3, 3), (1, 7), (1, 13)])
def test_matrices_compute_what_they_say(kernel: tuple[int, int], drawn: Drawn) -> None:
    """Of one window and one channel; there are fewer products than outputs times taps."""
    give, weigh, take = transform(kernel)
    side = transformed.window_of(kernel[1])
    x, w = drawn(side if kernel[0] > 1 else 1, side), drawn(*kernel)
    found = give @ ((weigh @ w.flatten()) * (take @ x.flatten()))
    assert torch.allclose(found, F.conv2d(x[None, None], w[None, None]).flatten(), atol=1e-5)
    assert len(take) < len(give) * w.numel() / 2


def test_where_they_suit(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformed, "WIDTHS", {(1, 7): 16})
    monkeypatch.setattr(transformed, "PIXELS", 10)
    torch_has = products.quick(torch.zeros(1))
    conv, x = layer((1, 7)), drawn(1, 16, 1, 10 * torch.get_num_threads())
    assert suits(conv, x) == torch_has
    assert not suits(conv, x[..., 1:])
    assert not suits(layer((1, 5)), x)
    assert not suits(conv, x.bfloat16())
    assert not suits(conv.to("meta"), x.to("meta"))
    with torch.enable_grad():
        assert not suits(layer((1, 7)), x)

    class Casting(nn.Conv2d):
        """Of a host, with weights that are not yet what it computes with."""

        is_held = False

    other = Casting(16, 24, (1, 7), padding=(0, 3))
    assert not suits(other, x)
    other.is_held = True
    assert suits(other, x) == torch_has
    assert not suits(other.bfloat16(), x)


def test_what_fails_in_a_thread_is_raised(threads: int) -> None:
    def work(thread: int, share: int) -> None:
        if share == 4:
            raise ValueError("share 4")

    with pytest.raises(ValueError, match="share 4"), Room() as room:
        room.spread(work, range(9))
    assert torch.get_num_threads() == threads


def test_every_share_is_worked_on_once(threads: int) -> None:
    seen: list[int] = []
    with Room() as room:
        room.spread(lambda thread, share: seen.append(share), range(50))
    assert sorted(seen) == list(range(50))


@pytest.mark.parametrize("bias", [True, False])
def test_products(drawn: Drawn, bias: bool) -> None:
    inner = products.Linear(products.WIDTH, products.WIDTH + 3, bias=bias)
    x = drawn(2, products.ROWS, products.WIDTH)
    plain = F.linear(x.double(), inner.weight.double(), inner.bias.double() if bias else None)
    assert (inner(x) - plain).abs().max() < 1e-5
    assert (inner(x.movedim(0, 1)) - plain.movedim(0, 1)).abs().max() < 1e-5
    with torch.enable_grad():
        inner(x).sum().backward()
    assert inner.weight.grad is not None


def test_products_without_onednn(drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_has_onednn", lambda: False)
    inner = products.Linear(products.WIDTH, products.WIDTH)
    x = drawn(products.ROWS, products.WIDTH)
    assert torch.equal(inner(x), F.linear(x, inner.weight, inner.bias))
