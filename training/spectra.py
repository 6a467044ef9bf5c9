"""Distances between waves: what the vocoder is trained on, and what it is judged by.

    loss      log magnitudes and spectral convergence at five resolutions, log-mel
    figures   log-spectral distance (dB), multi-resolution, mel, and how tonal the sound is

The multi-resolution distance alone flatters: it hardly notices harmonic lines that are smeared
into bands. The log-spectral distance at 2048 and the tonal measure do.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from acestep_core.config import VocoderConfig
from acestep_core.sound.mel import log_mel

RESOLUTIONS = (2048, 1024, 512, 256, 128)
MAGNITUDE_FLOOR = 2e-3  # of the loss; below it lies the rounding of 16-bit files
LSD_FLOOR = 0.01  # of the figure: magnitude below which a difference cannot be heard
DECIBEL = 20 / math.log(10)
ENVELOPE = 33  # bins of the smooth spectrum that harmonics stand out of
TONAL_BINS = (20, 400)  # 430 Hz to 8.6 kHz


def magnitude(wave: Tensor, size: int) -> Tensor:
    """(..., N) -> (waves, size / 2 + 1, frames)."""
    window = torch.hann_window(size, device=wave.device)
    flat = wave.float().reshape(-1, wave.shape[-1])
    spectrum = torch.stft(flat, size, size // 4, window=window, return_complex=True)
    # The root has no slope at zero.
    return (spectrum.real.square() + spectrum.imag.square() + MAGNITUDE_FLOOR**2).sqrt()


def multi_resolution(made: Tensor, real: Tensor) -> Tensor:
    """Log-magnitude error plus half the spectral convergence, mean over the resolutions."""
    total = made.new_zeros(())
    for size in RESOLUTIONS:
        a, b = magnitude(made, size), magnitude(real, size)
        distance = (a.log() - b.log()).abs().mean()
        total = total + distance + 0.5 * (a - b).norm() / b.norm().clamp(min=1e-3)
    return total / len(RESOLUTIONS)


def mel_error(made: Tensor, real: Tensor, config: VocoderConfig) -> Tensor:
    return (log_mel(made, config) - log_mel(real, config)).abs().mean()


def log_spectral_distance(made: Tensor, real: Tensor) -> Tensor:
    """Decibels: root mean square over the bins of a frame, mean over the frames."""
    a, b = (DECIBEL * (magnitude(wave, 2048) + LSD_FLOOR).log() for wave in (made, real))
    return (a - b).square().mean(1).sqrt().mean()


def tonality(wave: Tensor) -> Tensor:
    """How far single bins stand out of the smooth spectrum, in decibels; noise has about 6."""
    spectrum = (magnitude(wave, 2048) + LSD_FLOOR).log() * DECIBEL
    spectrum = spectrum[:, TONAL_BINS[0] : TONAL_BINS[1]]
    smooth = F.avg_pool1d(spectrum.mT, ENVELOPE, 1, ENVELOPE // 2, count_include_pad=False).mT
    return (spectrum - smooth).std(1).mean()


def figures(made: Tensor, real: Tensor, config: VocoderConfig) -> dict[str, float]:
    """All four distances of waves (..., N); tonality as a ratio, 1 being as tonal as the real."""
    return {
        "lsd": float(log_spectral_distance(made, real)),
        "multi_resolution": float(multi_resolution(made, real)),
        "mel_l1": float(mel_error(made, real, config)),
        "tonality": float(tonality(made) / tonality(real).clamp(min=1e-3)),
    }
