"""What a linear probe may look at: statistics of a log-mel, the same for real and made clips.

log-mel (2, 128, M) -> mean over channels
    -> per band: mean, deviation, mean difference, 90th percentile
    -> onsets in three ranges -> autocorrelation, and its sums over beats of each tempo
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from acestep_core.config import HOP, SAMPLE_RATE

MEL_RATE = SAMPLE_RATE / HOP  # mel frames per second
RANGES = ((0, 20), (20, 70), (70, 128))  # mel bins: bass, middle, cymbals
LAGS = 110  # mel frames, 1.28 s: a beat at 47 bpm
TEMPOS = tuple(60 * 1.015**step for step in range(50))  # bpm, just over an octave
FLOOR = -8.0  # log-mel below which nothing is heard and codecs guess


def features(log_mel: Tensor) -> Tensor:
    """Log-mel (2, 128, M) -> (F,) float32."""
    mel = log_mel.float().mean(0).clamp(min=FLOOR)
    rises = mel.diff(dim=-1)
    spread = torch.stack(
        (mel.mean(-1), mel.std(-1), rises.abs().mean(-1), mel.quantile(0.9, dim=-1))
    )
    rhythm = [onset_features(rises[low:high].clamp(min=0).mean(0)) for low, high in RANGES]
    return torch.cat((spread.flatten(), *rhythm))


def onset_features(onset: Tensor) -> Tensor:
    """Onset strength (M,) -> autocorrelation by lag, and how well each tempo explains it."""
    correlation = autocorrelation(onset, 4 * LAGS)
    return torch.cat((correlation[:LAGS], beat_strength(correlation)))


def autocorrelation(onset: Tensor, lags: int) -> Tensor:
    """(lags,) for lags 1 and up, 1 at lag 0; a short clip is padded with zeros."""
    onset = onset - onset.mean()
    spectrum = torch.fft.rfft(onset, 2 * len(onset))
    result = torch.fft.irfft(spectrum.abs().square())[: len(onset)]
    # Fewer products overlap at long lags; without this a slow tempo would look weak.
    result = result / torch.arange(len(onset), 0, -1)
    result = F.pad(result, (0, max(lags + 1 - len(onset), 0)))
    return result[1 : lags + 1] / result[0].clamp(min=1e-8)


def beat_strength(correlation: Tensor) -> Tensor:
    """(tempos,): mean correlation at one, two and four beats."""
    strength = torch.zeros(len(TEMPOS))
    for beats in (1, 2, 4):
        lag = torch.tensor([beats * 60 / tempo * MEL_RATE - 1 for tempo in TEMPOS])
        low = lag.floor().long().clamp(0, len(correlation) - 2)
        part = lag - low
        strength += correlation[low] * (1 - part) + correlation[low + 1] * part
    return strength / 3
