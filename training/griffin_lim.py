"""Log-mel to waveform without a network: what the vocoder has to beat.

    log-mel -> magnitudes that explain it -> 32 x (wave, its phases) -> wave

Frames lie as in the core's log-mel: not centred, 768 samples mirrored at both ends.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from acestep_core.config import VocoderConfig
from acestep_core.mel import filterbank, hann_window

ITERATIONS = 32
INVERSION_STEPS = 60  # of the search for magnitudes
TINY = 1e-8


def griffin_lim(
    log_mel: Tensor, config: VocoderConfig, iterations: int = ITERATIONS, seed: int = 0
) -> Tensor:
    """Log-mel (B, 128, M) -> wave (B, 512 M) float32."""
    size = magnitudes(log_mel.float(), config)
    draw = torch.Generator().manual_seed(seed)
    angle = 2 * torch.pi * torch.rand(size.shape, generator=draw).to(size.device)
    phase = torch.polar(torch.ones_like(size), angle)
    for _ in range(iterations):
        spectrum = _spectrum(_wave(size * phase, config), config)
        phase = spectrum / spectrum.abs().clamp(min=TINY)
    return _wave(size * phase, config)


def magnitudes(log_mel: Tensor, config: VocoderConfig) -> Tensor:
    """Non-negative (B, bins, M) whose mel is the given one, by multiplicative updates."""
    bank = filterbank(
        config.n_fft, config.n_mels, config.f_min, config.f_max, config.sampling_rate
    ).to(log_mel.device)  # (bins, mels)
    target = log_mel.exp()
    size = bank @ target  # bins no mel covers stay at zero
    upper = bank @ target
    for _ in range(INVERSION_STEPS):
        size = size * upper / (bank @ (bank.mT @ size)).clamp(min=TINY)
    return size


def _wave(spectrum: Tensor, config: VocoderConfig) -> Tensor:
    """(B, bins, M) -> (B, 512 M): overlapped and added, divided by the windows' sum."""
    count = spectrum.shape[-1]
    window = hann_window(config.n_fft).to(spectrum.device)
    frames = torch.fft.irfft(spectrum, config.n_fft, dim=1) * window[None, :, None]
    length = config.n_fft + config.hop_length * (count - 1)
    shape = {"output_size": (1, length), "kernel_size": (1, config.n_fft)}
    shape["stride"] = (1, config.hop_length)
    total = F.fold(frames, **shape)[:, 0, 0]
    weight = F.fold(window.square()[None, :, None].expand(1, -1, count), **shape)[0, 0, 0]
    margin = (config.n_fft - config.hop_length) // 2
    return (total / weight.clamp(min=1e-3))[:, margin : length - margin]


def _spectrum(wave: Tensor, config: VocoderConfig) -> Tensor:
    margin = (config.n_fft - config.hop_length) // 2
    padded = F.pad(wave[:, None], (margin, margin), mode="reflect")[:, 0]
    frames = padded.unfold(-1, config.n_fft, config.hop_length)
    return torch.fft.rfft(frames * hann_window(config.n_fft).to(wave.device)).mT
