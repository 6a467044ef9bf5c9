"""Waveform to log-mel, the image that the autoencoder compresses.

    wave (..., N) -> frames of 2048 every 512 -> |rFFT| -> 128 triangles -> log -> (..., 128, M)

The wave is mirrored by (2048 - 512) / 2 samples at both ends and frames are not centred, so
whole latent frames in give exactly N / 512 mel frames out. Silence is about -10, not the floor
of ln(1e-5) = -11.5, because of the constant under the root.
"""

from __future__ import annotations

import logging
import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..config import VocoderConfig
from ..settings import SettingError

POWER_FLOOR = 1e-6  # under the root, so that its slope stays finite at zero
MEL_FLOOR = 1e-5  # under the logarithm
CHUNK = 1024  # frames at a time; all spectra of 240 s of stereo would be 680 MB

LINEAR_HZ = 200 / 3  # Slaney's scale: one mel is this many Hz below the knee
KNEE_HZ, KNEE_MEL = 1000.0, 15.0
LOG_STEP = math.log(6.4) / 27  # above the knee 27 mels multiply the frequency by 6.4

log = logging.getLogger(__name__)


def log_mel(wave: Tensor, config: VocoderConfig, samples: int = 0) -> Tensor:
    """Natural-log mel spectrogram (..., n_mels, N // hop_length) of a wave (..., N), float32;
    of one with zeros after it up to `samples`, where that is more."""
    margin, length = (config.n_fft - config.hop_length) // 2, max(wave.shape[-1], samples)
    if length <= margin:
        raise SettingError(
            f"The audio has {length} samples; a mel spectrogram needs at least "
            f"{margin + 1}. Use a longer clip."
        )
    flat = wave.float().reshape(-1, wave.shape[-1])
    count = length // config.hop_length
    window = hann_window(config.n_fft).to(wave.device)
    bank = filterbank(
        config.n_fft, config.n_mels, config.f_min, config.f_max, config.sampling_rate
    ).to(wave.device)
    result = flat.new_empty(len(flat), config.n_mels, count)
    for first in range(0, count, CHUNK):
        frames = _frames(flat, (first, min(first + CHUNK, count)), length, config)
        mel = _magnitude(frames * window) @ bank
        result[..., first : first + CHUNK] = mel.clamp(min=MEL_FLOOR).log().mT
    return result.reshape(*wave.shape[:-1], *result.shape[1:])


def _frames(wave: Tensor, span: tuple[int, int], length: int, config: VocoderConfig) -> Tensor:
    """Frames [first, last) (waves, m, n_fft) of wave (waves, N), as if it went on with zeros up to
    `length` and were mirrored at its ends; only the frames themselves are copied."""
    hop, (first, last) = config.hop_length, span
    start = first * hop - (config.n_fft - hop) // 2
    end = start + (last - first - 1) * hop + config.n_fft
    beyond = max(-start, 0), max(end - length, 0)
    inner = slice(max(start, 0), min(end, length))
    piece = wave[:, inner]
    piece = pad(piece, (0, inner.stop - inner.start - piece.shape[-1]))
    if any(beyond):
        piece = pad(piece[None], beyond, mode="reflect")[0]  # wants exactly two leading axes
    return piece.unfold(-1, config.n_fft, hop)


def _magnitude(frames: Tensor) -> Tensor:
    """Windowed frames (..., n_fft) -> magnitudes (..., n_fft / 2 + 1)."""
    try:
        spectrum = torch.fft.rfft(frames)
    except RuntimeError as error:
        if frames.device.type == "cpu":
            raise
        _say_slow_transform(frames.device.type, str(error))
        return _magnitude(frames.cpu()).to(frames.device)
    return (spectrum.real.square() + spectrum.imag.square() + POWER_FLOOR).sqrt()


@lru_cache
def _say_slow_transform(device: str, reason: str) -> None:
    """Once per reason: some builds for AMD cards come without a working FFT."""
    log.warning("no FFT on %s (%s); the mel spectrogram is made on the CPU", device, reason)


@lru_cache
@torch.inference_mode(False)  # a cached inference tensor could not be used with gradients later
def hann_window(length: int) -> Tensor:
    """Periodic Hann window (length,)."""
    return torch.hann_window(length, periodic=True, dtype=torch.float32, device="cpu")


@lru_cache
@torch.inference_mode(False)
def filterbank(n_fft: int, n_mels: int, f_min: float, f_max: float, rate: int) -> Tensor:
    """Triangles of equal area on Slaney's mel scale, (n_fft / 2 + 1, n_mels) float32."""
    bins = torch.linspace(0, rate // 2, n_fft // 2 + 1, device="cpu", dtype=torch.float32)
    corners = mel_corners(n_mels, f_min, f_max)
    widths = corners.diff()
    distance = corners[None, :] - bins[:, None]  # (bins, n_mels + 2)
    rising = -distance[:, :-2] / widths[:-1]
    falling = distance[:, 2:] / widths[1:]
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return triangles * (2 / (corners[2:] - corners[:-2]))


def mel_corners(n_mels: int, f_min: float, f_max: float) -> Tensor:
    """Hz (n_mels + 2,): triangle j rises from corner j, peaks at j + 1 and ends at j + 2."""
    mels = torch.linspace(
        hz_to_mel(f_min), hz_to_mel(f_max), n_mels + 2, device="cpu", dtype=torch.float32
    )
    above = KNEE_HZ * torch.exp(LOG_STEP * (mels - KNEE_MEL))
    return torch.where(mels < KNEE_MEL, LINEAR_HZ * mels, above)


def hz_to_mel(hz: float) -> float:
    """Slaney's scale: straight up to 1 kHz, logarithmic above."""
    if hz < KNEE_HZ:
        return hz / LINEAR_HZ
    return KNEE_MEL + math.log(hz / KNEE_HZ) / LOG_STEP
