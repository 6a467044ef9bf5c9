"""Waveforms on their way to the networks and back: rates, channels, whole frames.

    wave (..., N) at any rate -> checked_wave -> stereo -> resample -> without_round_trip_tail
                              -> whole_frames -> mel

Resampling is a windowed sinc. torchaudio computes it as a dense convolution, ours reads only
the few input samples that an output sample can hear; both give the same numbers to rounding.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..config import FRAME, SAMPLE_RATE
from ..settings import SettingError

SINC_ZEROS = 6  # zero crossings of the sinc kept on each side
ROLLOFF = 0.99  # cut-off as a share of the lower Nyquist frequency
DENSE_LIMIT = 4_000_000  # entries; 44101 -> 44100 Hz would need a dense kernel of 2 billion
BLOCK = 1 << 16  # output samples at a time, so that the gathered windows stay small

log = logging.getLogger(__name__)

Resampler = Callable[[Tensor, int, int], Tensor]


def checked_wave(label: str, wave: Tensor, rate: int) -> Tensor:
    """A wave (C, N) or (B, C, N) as float32, or the reason why it cannot be used."""
    if not math.isfinite(rate) or rate <= 0 or rate != int(rate):
        raise SettingError(
            f"{label} has a sample rate of {rate}; it must be a whole number of Hz above 0, "
            f"for example {SAMPLE_RATE}."
        )
    if wave.ndim not in (2, 3) or wave.numel() == 0:
        raise SettingError(
            f"{label} has the shape {tuple(wave.shape)}; it must be (channels, samples) or "
            "(batch, channels, samples) with at least one sample. Check what is connected to it."
        )
    if not wave.is_floating_point():
        raise SettingError(
            f"{label} holds {wave.dtype} samples; it must hold floating-point samples from -1 "
            "to 1. Divide whole numbers by their full scale first."
        )
    wave, bad = wave.float(), Bad(rate)
    for block in wave.split(BLOCK, -1):
        bad.look(block)
    bad.check(label)
    return wave


def peak_of(wave: Tensor) -> float:
    """The largest sample of a wave, without its sign; NaN where one is. No copy is made of it."""
    if not wave.numel():
        return 0.0
    lowest, highest = wave.aminmax()
    return max(float(-lowest), float(highest))


class Bad:
    """Counts the samples of a wave that are not numbers, block by block."""

    def __init__(self, rate: int) -> None:
        self._rate, self._seen, self._count, self._first = rate, 0, 0, 0

    def look(self, block: Tensor) -> None:
        """The next samples (..., n)."""
        finite = torch.isfinite(block)
        if not finite.all():
            if not self._count:
                places = (~finite).reshape(-1, block.shape[-1]).any(0).nonzero()
                self._first = self._seen + int(places[0])
            self._count += int((~finite).sum())
        self._seen += block.shape[-1]

    def check(self, label: str) -> None:
        if self._count:
            raise SettingError(
                f"{label} holds {self._count} NaN or infinite samples, the first at "
                f"{self._first / self._rate:.2f} s. What made it failed; make it again, or replace"
                " the file."
            )


def stereo(wave: Tensor) -> Tensor:
    """(..., 2, N) of a wave (C, N) or (B, C, N): mono is doubled, stereo left as it is."""
    channels = wave.shape[-2]
    if channels not in (1, 2):
        raise SettingError(
            f"The audio has {channels} channels; it must be mono or stereo. "
            "Mix it down to two channels first."
        )
    return wave if channels == 2 else torch.cat([wave, wave], dim=-2)


def whole_frames(wave: Tensor) -> Tensor:
    """(..., N) at 44.1 kHz, followed by zeros up to a whole number of latent frames."""
    return pad(wave, (0, -wave.shape[-1] % FRAME))


def without_round_trip_tail(wave: Tensor) -> Tensor:
    """(..., N) at 44.1 kHz, less the one or two samples a round trip through 48 kHz adds.

    Both directions round the length up, so a clip of whole frames comes back one sample too
    long; encoded again it would grow by a frame of silence each time.
    """
    surplus = wave.shape[-1] % FRAME
    is_round_trip = surplus in (1, 2) and wave.shape[-1] > FRAME
    return wave[..., :-surplus] if is_round_trip else wave


def resample(wave: Tensor, source_rate: int, target_rate: int) -> Tensor:
    """(..., N) at one rate -> (..., ceil(N * target / source)) at the other, float32."""
    wave = wave.float()
    divisor = math.gcd(source_rate, target_rate)
    source, target = source_rate // divisor, target_rate // divisor
    if source == target or wave.shape[-1] == 0:
        return wave
    is_small = target * (source + 2 * _width(source, target)) <= DENSE_LIMIT
    dense = torchaudio_resample() if is_small else None
    return dense(wave, source, target) if dense else banded_resample(wave, source, target)


@lru_cache(maxsize=1)
def torchaudio_resample() -> Resampler | None:
    """torchaudio's resampling, or None where torchaudio is missing or broken.

    The transform, not the function: it makes its kernel in float64, as the original's was.
    """
    try:
        from torchaudio.transforms import Resample

        Resample(2, 1)(torch.zeros(1, 8))
    except Exception as error:  # a mismatched build raises OSError, RuntimeError and others
        log.info("torchaudio is not usable (%s); resampling with our own kernel", error)
        return None
    return lambda wave, source, target: Resample(source, target).to(wave.device)(wave)


def banded_resample(wave: Tensor, source: int, target: int) -> Tensor:
    """The same as `resample` in torch alone; the rates must have no common divisor."""
    width = _width(source, target)
    taps = _taps(source, target).to(wave.device)
    windows = pad(wave, (width, width)).unfold(-1, 2 * width, 1)  # (..., N + 1, taps), a view
    length = -(-wave.shape[-1] * target // source)
    result = wave.new_empty(*wave.shape[:-1], length)
    for first in range(0, length, BLOCK):
        place = torch.arange(first, min(first + BLOCK, length), device=wave.device)
        heard = windows[..., place * source // target + 1, :]  # + 1: a row's first tap is zero
        result[..., first : first + BLOCK] = (heard * taps[place % target]).sum(-1)
    return result


def _width(source: int, target: int) -> int:
    """Input samples on each side that an output sample can hear."""
    return math.ceil(SINC_ZEROS * source / (ROLLOFF * min(source, target)))


@lru_cache(maxsize=16)
@torch.inference_mode(False)  # a cached inference tensor could not be used with gradients later
def _taps(source: int, target: int) -> Tensor:
    """Row i (target, 2 * width): weights of the inputs around output i, at i * source / target.

    Column 0 belongs to input floor(i * source / target) - width + 1. Mixed precision on purpose:
    the phase is float32 and the rest float64, which is what torchaudio does.
    """
    width, base = _width(source, target), ROLLOFF * min(source, target)
    phase = torch.arange(target, device="cpu")
    columns = torch.arange(1 - width, width + 1, device="cpu")
    inputs = (phase * source // target)[:, None] + columns
    time = -(phase.float() / target)[:, None] + inputs.double() / source
    time = (time * base).clamp(-SINC_ZEROS, SINC_ZEROS)
    sinc = torch.sinc(time)  # sin(pi t) / (pi t), 1 at 0
    return (sinc * torch.cos(time * math.pi / (2 * SINC_ZEROS)) ** 2 * base / source).float()
