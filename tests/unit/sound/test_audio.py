from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acestep_core.config import FRAME
from acestep_core.settings import SettingError
from acestep_core.sound import audio

RATES = [(48_000, 44_100), (44_100, 48_000), (22_050, 44_100), (44_100, 32_000), (8_000, 44_100)]


@pytest.fixture
def own_kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A torchaudio whose import fails, as a build for another torch does."""

    class Broken(ModuleType):
        def __getattr__(self, name: str) -> object:
            raise OSError("undefined symbol: _ZNK3c10")

    monkeypatch.setitem(sys.modules, "torchaudio", Broken("torchaudio"))
    monkeypatch.setitem(sys.modules, "torchaudio.transforms", Broken("torchaudio.transforms"))
    audio.torchaudio_resample.cache_clear()
    yield
    audio.torchaudio_resample.cache_clear()


def lowest_terms(source: int, target: int) -> tuple[int, int]:
    divisor = math.gcd(source, target)
    return source // divisor, target // divisor


@pytest.mark.parametrize(("source", "target"), RATES)
def test_both_resamplers_agree(source: int, target: int) -> None:
    pytest.importorskip("torchaudio")
    audio.torchaudio_resample.cache_clear()
    dense = audio.torchaudio_resample()
    assert dense is not None
    wave = torch.rand(2, 3001, generator=torch.Generator().manual_seed(1)) * 2 - 1
    rates = lowest_terms(source, target)
    torch.testing.assert_close(
        audio.banded_resample(wave, *rates), dense(wave, *rates), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    ("rates", "length", "peak", "neighbours"),
    [
        ((48_000, 44_100), 368, (184, 0.817204), (0.271614, -0.142717)),
        ((44_100, 48_000), 436, (218, 0.858463), (0.453544, -0.136882)),
    ],
)
@pytest.mark.parametrize("is_broken", [False, True])
def test_impulse(
    request: pytest.FixtureRequest,
    is_broken: bool,
    rates: tuple[int, int],
    length: int,
    peak: tuple[int, float],
    neighbours: tuple[float, float],
) -> None:
    if is_broken:
        request.getfixturevalue("own_kernel")
    impulse = torch.zeros(1, 400)
    impulse[0, 200] = 1
    answer = audio.resample(impulse, *rates)[0]
    place, height = peak
    assert answer.shape == (length,)
    assert answer.argmax() == place
    found = answer[[place, place - 1, place + 1]]
    torch.testing.assert_close(found, torch.tensor([height, *neighbours]), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("rates", "shape", "total", "centre"),
    [((160, 147), (147, 14), 1.000694, 0.909563), ((147, 160), (160, 14), 1.000039, 0.99)],
)
def test_taps(rates: tuple[int, int], shape: tuple[int, int], total: float, centre: float) -> None:
    taps = audio._taps(*rates)
    assert taps.shape == shape
    assert taps[0].sum().item() == pytest.approx(total, abs=1e-6)
    assert taps[0, shape[1] // 2 - 1].item() == pytest.approx(centre, abs=1e-6)


@pytest.mark.usefixtures("own_kernel")
def test_broken_torchaudio_is_replaced() -> None:
    assert audio.torchaudio_resample() is None
    assert audio.resample(torch.ones(2, 480), 48_000, 44_100).shape == (2, 441)


@pytest.mark.usefixtures("own_kernel")
def test_torchaudio_that_imports_but_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    half_there = ModuleType("torchaudio.transforms")
    half_there.Resample = lambda *_: None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchaudio.transforms", half_there)
    assert audio.torchaudio_resample() is None


def test_equal_rates_and_no_samples() -> None:
    wave = torch.rand(2, 100)
    assert torch.equal(audio.resample(wave, 44_100, 44_100), wave)
    assert audio.resample(torch.zeros(2, 0), 48_000, 44_100).shape == (2, 0)


def test_odd_rates_need_no_giant_kernel() -> None:
    wave = torch.sin(torch.arange(44_101) * 0.05)
    assert audio.resample(wave, 44_101, 44_100).shape == (44_100,)


def test_blocks_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = torch.rand(2, 5000)
    whole = audio.banded_resample(wave, 147, 160)
    monkeypatch.setattr(audio, "BLOCK", 997)
    assert torch.equal(audio.banded_resample(wave, 147, 160), whole)


def test_taps_made_in_inference_mode_can_be_differentiated() -> None:
    audio._taps.cache_clear()
    with torch.inference_mode():
        audio.banded_resample(torch.rand(1, 50), 3, 2)
    wave = torch.rand(1, 50, requires_grad=True)
    audio.banded_resample(wave, 3, 2).sum().backward()
    assert wave.grad is not None


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 3000),
    source=st.sampled_from([8_000, 22_050, 32_000, 44_100, 48_000, 96_000]),
    target=st.sampled_from([22_050, 44_100, 48_000]),
    leading=st.sampled_from([(), (2,), (3, 2)]),
)
def test_length_is_rounded_up(
    samples: int, source: int, target: int, leading: tuple[int, ...]
) -> None:
    answer = audio.resample(torch.ones(*leading, samples), source, target)
    assert answer.shape == (*leading, -(-samples * target // source))
    assert answer.dtype == torch.float32
    assert torch.isfinite(answer).all()


def test_stereo() -> None:
    mono = torch.rand(1, 7)
    assert torch.equal(audio.stereo(mono), torch.cat([mono, mono]))
    assert audio.stereo(torch.rand(3, 1, 7)).shape == (3, 2, 7)
    pair = torch.rand(2, 7)
    assert audio.stereo(pair) is pair


def test_surround_is_refused_with_the_fix() -> None:
    with pytest.raises(SettingError, match=r"6 channels.*Mix it down"):
        audio.stereo(torch.rand(6, 7))


@given(st.integers(1, 3 * FRAME))
def test_whole_frames(samples: int) -> None:
    wave = torch.ones(1, samples)
    padded = audio.whole_frames(wave)
    assert padded.shape[-1] == -(-samples // FRAME) * FRAME
    assert padded.sum() == samples
    assert torch.equal(padded[..., :samples], wave)


@settings(deadline=None)
@given(st.integers(1, 2583))
def test_round_trip_through_48_khz_does_not_grow(frames: int) -> None:
    samples = frames * FRAME
    at_48_khz = math.ceil(samples * 160 / 147)
    back = math.ceil(at_48_khz * 147 / 160)
    wave = torch.zeros(1).expand(1, back)
    assert audio.without_round_trip_tail(wave).shape[-1] == samples


@pytest.mark.parametrize(
    ("samples", "kept"),
    [
        (2 * FRAME, 2 * FRAME),
        (2 * FRAME + 1, 2 * FRAME),
        (2 * FRAME + 2, 2 * FRAME),
        (2 * FRAME + 3, 2 * FRAME + 3),
        (2 * FRAME - 1, 2 * FRAME - 1),
        (2, 2),
    ],
)
def test_round_trip_tail(samples: int, kept: int) -> None:
    assert audio.without_round_trip_tail(torch.zeros(2, samples)).shape == (2, kept)


def test_checked_wave_is_float32() -> None:
    wave = audio.checked_wave("Source", torch.rand(2, 9).half(), 44_100)
    assert wave.dtype == torch.float32


@pytest.mark.parametrize(
    ("wave", "rate", "message"),
    [
        (torch.rand(2, 9), 0, "sample rate of 0"),
        (torch.rand(2, 9), -44_100, "sample rate of -44100"),
        (torch.rand(2, 9), float("nan"), "sample rate of nan"),
        (torch.rand(2, 9), 44_100.5, "sample rate of 44100.5"),
        (torch.zeros(2, 0), 44_100, r"shape \(2, 0\)"),
        (torch.zeros(9), 44_100, r"shape \(9,\)"),
        (torch.zeros(2, 9, dtype=torch.int16), 44_100, "torch.int16"),
        (torch.tensor([[0.0] * 100 + [float("nan"), 0.0]]), 100, "1 NaN .* at 1.00 s"),
        (torch.full((2, 4), float("-inf")), 44_100, "8 NaN or infinite .* at 0.00 s"),
    ],
)
def test_checked_wave_refuses(wave: torch.Tensor, rate: float, message: str) -> None:
    with pytest.raises(SettingError, match=f"^Source audio .*{message}"):
        audio.checked_wave("Source audio", wave, rate)  # type: ignore[arg-type]
