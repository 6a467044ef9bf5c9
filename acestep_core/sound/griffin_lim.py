"""Log-mel to waveform without a network: for a checkpoint whose vocoder is not good enough.

    log-mel -> magnitudes that explain it -> 32 x (wave, its phases) -> wave

Frames lie as in `mel`: not centred, 768 samples mirrored at both ends. The phases of a frame
depend on the frames within `REACH` of it alone, so pieces with that much true context give what
the whole would give. Both channels start from the same phases, which keeps the middle in place.
Each step goes on in the direction of the last one ("A fast Griffin-Lim algorithm", Perraudin,
Balazs and Soendergaard, 2013): 32 of them come closer to the magnitudes than 64 without.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import VocoderConfig
from .mel import filterbank, hann_window

ITERATIONS = 32
MOMENTUM = 0.99  # how far; the paper's
INVERSION_STEPS = 60  # of the search for magnitudes
TINY = 1e-8
DRAWN = 1024  # frames whose phases are drawn at once
# A frame overlaps three neighbours on each side; once more for the last wave, and its edges.
REACH = 3 * (ITERATIONS + 2)


def griffin_lim(log_mel: Tensor, config: VocoderConfig, phase: Tensor | None = None) -> Tensor:
    """Log-mel (B, 128, M) -> wave (B, 512 M) float32.

    `phase` (M, bins) in radians is where it starts: first_phase(M), or the piece's part of it.
    """
    size = magnitudes(log_mel.float(), config)
    angle = first_phase(size.shape[1], config) if phase is None else phase
    spectrum = size * torch.polar(torch.ones_like(angle), angle).to(size.device)
    before = torch.zeros_like(spectrum)
    for _ in range(ITERATIONS):
        wave = _wave(spectrum, config)
        del spectrum  # every one of these is large: none is kept longer than it is needed
        found = _spectrum(wave, config)
        spectrum = torch.sub(found, before, out=before).mul_(MOMENTUM).add_(found)
        length = spectrum.abs().clamp_(min=TINY)
        spectrum *= torch.div(size, length, out=length)
        before = found
    return _wave(spectrum, config)


def first_phase(frames: int, config: VocoderConfig, seed: int = 0, start: int = 0) -> Tensor:
    """(frames, bins) float32 from frame `start` on, the same for every clip of any length."""
    draw, bins = torch.Generator().manual_seed(seed), config.n_fft // 2 + 1
    for first in range(0, start, DRAWN):  # drawn in their order, and dropped
        torch.rand((min(DRAWN, start - first), bins), generator=draw)
    return 2 * torch.pi * torch.rand((frames, bins), generator=draw)


def magnitudes(log_mel: Tensor, config: VocoderConfig) -> Tensor:
    """Non-negative (B, M, bins) whose mel is the given one, by multiplicative updates."""
    bank = filterbank(
        config.n_fft, config.n_mels, config.f_min, config.f_max, config.sampling_rate
    ).to(log_mel.device)  # (bins, mels)
    upper = log_mel.exp().mT @ bank.mT
    size = upper.clone()  # bins no mel covers stay at zero
    for _ in range(INVERSION_STEPS):
        found = ((size @ bank) @ bank.mT).clamp_(min=TINY)
        size *= torch.div(upper, found, out=found)
    return size


def _wave(spectrum: Tensor, config: VocoderConfig) -> Tensor:
    """(B, M, bins) -> (B, 512 M): overlapped and added, divided by the windows' sum."""
    hop, window = config.hop_length, hann_window(config.n_fft).to(spectrum.device)
    total = _added(torch.fft.irfft(spectrum, config.n_fft).mul_(window), hop)
    weight = _added(window.square().expand(1, spectrum.shape[1], -1), hop)
    margin = (config.n_fft - hop) // 2
    return (total / weight.clamp(min=1e-3))[:, margin:-margin]


def _added(frames: Tensor, hop: int) -> Tensor:
    """Frames (B, M, n_fft), one every `hop` samples -> their sum (B, hop (M - 1) + n_fft)."""
    count, parts = frames.shape[1], frames.shape[2] // hop
    total = frames.new_zeros(len(frames), count + parts - 1, hop)
    for part in range(parts):
        total[:, part : part + count] += frames[..., part * hop : (part + 1) * hop]
    return total.flatten(1)


def _spectrum(wave: Tensor, config: VocoderConfig) -> Tensor:
    """(B, 512 M) -> (B, M, bins)."""
    margin = (config.n_fft - config.hop_length) // 2
    padded = F.pad(wave[:, None], (margin, margin), mode="reflect")[:, 0]
    frames = padded.unfold(-1, config.n_fft, config.hop_length)
    return torch.fft.rfft(frames * hann_window(config.n_fft).to(wave.device))
