from __future__ import annotations

import pytest
import torch
from torch import nn

from acestep_core.networks.memory import Resident, Visiting, attention_bytes, first_that_fits

CPU = torch.device("cpu")


class Errors:
    """What drivers say when memory runs out."""

    cuda = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    mps = RuntimeError("MPS backend out of memory (MPS allocated: 18 GB)")
    cpu = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    windows = RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes")
    shape = RuntimeError("mat1 and mat2 shapes cannot be multiplied")


@pytest.mark.parametrize("error", [Errors.cuda, Errors.mps, Errors.cpu, Errors.windows])
def test_the_next_attempt_is_made_when_memory_runs_out(error: Exception) -> None:
    def too_big() -> str:
        raise error

    said: list[str] = []
    assert first_that_fits([too_big, too_big, lambda: "small"], said.append) == "small"
    assert len(said) == 2
    assert "smaller pieces" in said[0]


def test_the_first_attempt_is_enough() -> None:
    said: list[str] = []
    assert first_that_fits([lambda: 1, lambda: pytest.fail("tried again")], said.append) == 1
    assert said == []


@pytest.mark.parametrize("error", [Errors.shape, ValueError("out of memory"), KeyboardInterrupt()])
def test_other_errors_are_not_retried(error: BaseException) -> None:
    def broken() -> int:
        raise error

    with pytest.raises(type(error)):
        first_that_fits([broken, lambda: pytest.fail("tried again")], lambda _: None)


def test_the_last_attempt_may_fail() -> None:
    def too_big() -> int:
        raise Errors.cuda

    with pytest.raises(torch.OutOfMemoryError):
        first_that_fits([too_big, too_big], lambda _: None)


class Traveller(nn.Module):
    """Remembers where it was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.path: list[str] = []

    def to(self, device: object) -> Traveller:  # type: ignore[override]
        self.path.append(str(device))
        return self


def test_a_visiting_network_goes_home_again_whatever_happens() -> None:
    part = Visiting(Traveller(), torch.float32, torch.device("cuda"))
    with part.use() as network:
        assert network.path == ["cuda"]
    assert network.path == ["cuda", "cpu"]
    with pytest.raises(KeyboardInterrupt), part.use(memory=10):
        raise KeyboardInterrupt
    assert network.path == ["cuda", "cpu", "cuda", "cpu"]


def test_a_resident_network_stays() -> None:
    part = Resident(Traveller(), torch.float32, CPU)
    with part.use() as network:
        assert network is part.module
    assert network.path == []


@pytest.mark.parametrize(
    ("frames", "tokens", "traced"),
    [(645, 600, 127), (645, 1, 47), (2583, 600, 448), (2583, 1, 189)],
)
def test_forecast_covers_what_was_traced(frames: int, tokens: int, traced: int) -> None:
    """MiB of one forward in bfloat16 at the released width; too much forecast only wastes."""
    forecast = attention_bytes(frames, tokens, 2560, torch.bfloat16) / 2**20
    assert traced <= forecast <= 3 * traced
    double = attention_bytes(frames, tokens, 2560, torch.float32) / 2**20
    assert double == pytest.approx(2 * forecast)
