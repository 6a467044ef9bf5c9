"""What can be heard in a clip beside its tags: notes, beats and how alike two clips are.

    wave (2, N) -> chroma (12, M), one column a mel frame: which of the twelve tones sound
    wave (2, N) -> onsets (M,): how much begins in each mel frame

A probe of tags is easily pleased by the right spectrum; these ask for clean notes and a beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from acestep_core.config import HOP, SAMPLE_RATE, VocoderConfig
from acestep_core.sound.mel import hann_window, log_mel

from .features import FLOOR, TEMPOS, autocorrelation, beat_strength

WINDOW = 8192  # samples, 5.4 Hz a bin: a semitone at 110 Hz has 6.5
LOWEST, HIGHEST = 110.0, 1760.0  # Hz, four octaves
LAGS = (10, 110)  # mel frames: beats and their halves, 47 to 517 a minute
LATE = 4  # mel frames that two onsets may lie apart, 46 ms
TONES = 12


@dataclass(frozen=True)
class Heard:
    chroma: Tensor  # (12, M), each column sums to 1
    onsets: Tensor  # (M,)

    @property
    def peakiness(self) -> float:
        """Share of the loudest three tones of a moment, mean; 0.25 if all sound alike."""
        return float(self.chroma.topk(3, 0).values.sum(0).mean())

    @property
    def regularity(self) -> float:
        """Highest autocorrelation of the onsets at a beat's distance; 1 is a clockwork."""
        return float(autocorrelation(self.onsets, LAGS[1])[LAGS[0] :].max())

    @property
    def tempo(self) -> float:
        """Beats per minute, within the octave that the probe knows."""
        strength = beat_strength(autocorrelation(self.onsets, 4 * LAGS[1]))
        return TEMPOS[int(strength.argmax())]


def heard(wave: Tensor) -> Heard:
    """Of a wave (2, N) at 44.1 kHz."""
    return Heard(chroma_of(wave), onsets_of(log_mel(wave, VocoderConfig())))


def chroma_of(wave: Tensor) -> Tensor:
    """(12, M): magnitudes of four octaves folded into one."""
    mono = wave.float().mean(0)
    spectrum = torch.stft(
        mono, WINDOW, HOP, window=hann_window(WINDOW), return_complex=True, pad_mode="constant"
    ).abs()
    folded = _folding() @ spectrum[:, : len(mono) // HOP]
    return folded / folded.sum(0, keepdim=True).clamp(min=1e-6)


@lru_cache
def _folding() -> Tensor:
    """(12, bins): each bin to its nearest tone."""
    hertz = torch.arange(WINDOW // 2 + 1) * SAMPLE_RATE / WINDOW
    tone = (TONES * (hertz.clamp(min=1) / 440).log2()).round().long() % TONES
    inside = (hertz >= LOWEST) & (hertz <= HIGHEST)
    return (tone == torch.arange(TONES)[:, None]).float() * inside


def onsets_of(mel: Tensor) -> Tensor:
    """Log-mel (2, 128, M) -> (M,)."""
    rises = mel.float().mean(0).clamp(min=FLOOR).diff(dim=-1).clamp(min=0)
    return torch.nn.functional.pad(rises.mean(0), (1, 0))


def same_beat(a: Heard, b: Heard) -> float:
    """Correlation of two onset patterns, the best within a few hundredths of a second."""
    length = min(len(a.onsets), len(b.onsets)) - 2 * LATE
    middle = _centred(a.onsets[LATE : LATE + length])
    shifted = (_centred(b.onsets[late : late + length]) for late in range(2 * LATE + 1))
    return max(float(middle @ other) for other in shifted)


def same_notes(a: Heard, b: Heard) -> float:
    """Correlation of two chroma, moment by moment, mean over time."""
    length = min(a.chroma.shape[1], b.chroma.shape[1])
    x, y = (_centred(one.chroma[:, :length].mT) for one in (a, b))
    return float((x * y).sum(-1).mean())


def _centred(x: Tensor) -> Tensor:
    """Last axis: mean 0, length 1."""
    x = x - x.mean(-1, keepdim=True)
    return x / x.norm(dim=-1, keepdim=True).clamp(min=1e-6)
