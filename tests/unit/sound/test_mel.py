from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from acestep_core.config import VocoderConfig
from acestep_core.settings import SettingError
from acestep_core.sound import mel
from tests.golden_cases.record import Record

CONFIG = VocoderConfig()
LIMIT = 2e-5  # of the largest value, as for all codec cases


def released_filterbank() -> torch.Tensor:
    return mel.filterbank(2048, 128, 40.0, 16_000.0, 44_100)


def test_golden_log_mel(golden: Callable[[str], Record]) -> None:
    tensors = golden("codec").tensors
    expected = tensors["mel44"]
    found = mel.log_mel(tensors["audio44"], CONFIG)
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= LIMIT * expected.abs().max()


def test_filterbank_anchors() -> None:
    bank = released_filterbank()
    assert bank.shape == (1025, 128)
    assert bank.sum().item() == pytest.approx(5.944013, abs=2e-6)
    assert bank[2, 0].item() == pytest.approx(0.00383336, abs=1e-8)
    assert bank[3, 0].item() == pytest.approx(0.03075237, abs=1e-8)
    assert bank.max().item() == pytest.approx(0.03515501, abs=1e-8)
    assert divmod(int(bank.argmax()), 128) == (36, 25)
    sums = bank.sum(0)[[0, 1, 64, 127]]
    expected = torch.tensor([0.047628, 0.043795, 0.046985, 0.046422])
    torch.testing.assert_close(sums, expected, rtol=0, atol=1e-6)
    rows = bank.sum(1).nonzero()
    assert (rows.min(), rows.max()) == (2, 743)
    assert int((bank.sum(1) == 0).sum()) == 283
    assert (bank.sum(0) > 0).all()


def test_sine_anchors() -> None:
    wave = 0.5 * torch.sin(2 * math.pi * 1000 * (torch.arange(8192) / 44_100))
    frame = mel.log_mel(wave, CONFIG)[:, 8]
    assert frame.argmax() == 33
    loud = torch.tensor([1.5482, 2.2393, 1.2717, -1.3445])
    torch.testing.assert_close(frame[32:36], loud, rtol=0, atol=1e-4)
    faint = torch.tensor([-9.3533, -7.2215, -9.9375, -9.9605])  # rounding of the wave itself
    torch.testing.assert_close(frame[[0, 20, 64, 127]], faint, rtol=0, atol=2e-4)


def test_silence_anchors() -> None:
    frame = mel.log_mel(torch.zeros(8192), CONFIG)[[0, 64, 127], 3]
    expected = torch.tensor([-9.95208, -9.96569, -9.97773])
    torch.testing.assert_close(frame, expected, rtol=0, atol=1e-5)


def test_scale_is_continuous_at_the_knee() -> None:
    assert mel.hz_to_mel(40) == pytest.approx(0.6)
    assert mel.hz_to_mel(999.999) == pytest.approx(15, abs=1e-4)
    assert mel.hz_to_mel(16_000) == pytest.approx(55.3275, abs=1e-4)


@pytest.mark.parametrize("samples", [4096, 5000, 40_960])
def test_one_frame_every_512_samples(samples: int) -> None:
    assert mel.log_mel(torch.rand(3, 2, samples), CONFIG).shape == (3, 2, 128, samples // 512)


def test_chunks_equal_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = torch.rand(2, 40_960) - 0.5
    whole = mel.log_mel(wave, CONFIG)
    monkeypatch.setattr(mel, "CHUNK", 7)
    torch.testing.assert_close(mel.log_mel(wave, CONFIG), whole, rtol=0, atol=1e-6)


def test_both_channels_are_independent() -> None:
    wave = torch.rand(2, 8192) - 0.5
    together = mel.log_mel(wave, CONFIG)
    apart = torch.stack([mel.log_mel(channel, CONFIG) for channel in wave])
    torch.testing.assert_close(together, apart, rtol=0, atol=1e-6)


def test_tables_made_in_inference_mode_can_be_differentiated() -> None:
    mel.hann_window.cache_clear()
    mel.filterbank.cache_clear()
    with torch.inference_mode():
        mel.log_mel(torch.rand(4096), CONFIG)
    wave = torch.rand(4096, requires_grad=True)
    mel.log_mel(wave, CONFIG).sum().backward()
    assert wave.grad is not None


def test_too_short_a_wave_says_so() -> None:
    with pytest.raises(SettingError, match=r"768 samples.*at least 769"):
        mel.log_mel(torch.rand(2, 768), CONFIG)


def test_zeros_that_follow_need_not_be_there() -> None:
    """Of a wave that is to be as long as whole latent frames, to the last bit."""
    wave = torch.randn(2, 9_000, generator=torch.Generator().manual_seed(1))
    for samples in (0, 9_000, 9_300, 12_288):
        length = max(samples, 9_000)
        whole = torch.nn.functional.pad(wave, (0, length - 9_000))
        assert torch.equal(mel.log_mel(wave, CONFIG, samples), mel.log_mel(whole, CONFIG))
