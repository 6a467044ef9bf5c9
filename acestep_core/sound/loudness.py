"""How loud a wave is, and the gain that brings what was made to its source's level.

    wave (C, N) -> measured -> Loudness (LUFS, RMS, true peak)
    a whole clip -> within_scale -> the clip without what a file would cut, dB it was lowered by
    the source where the new part goes, and all around -> standard -> Loudness to be met
    made, that Loudness -> matched -> Matching (gain, before, after, what was limited)

Integrated loudness is ITU-R BS.1770 by pyloudnorm, its range EBU Tech 3342 with the same
weighting. It needs 0.4 s and something to hear; where there is less, RMS levels are compared, and a
note says so. Only a gain is ever applied. A new part is to be as loud as what it replaces: met with
a whole song's loudness, a quiet passage would step up by 13 dB at its edges.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from torch import Tensor

from .audio import peak_of, resample

LEAST_SECONDS = 0.4  # BS.1770's block
ABSOLUTE_GATE = -70.0  # LUFS
LEAST_RATE = 4000  # Hz; below, the weighting filter's shelf at 1.5 kHz has no room
SILENCE = -80.0  # dB RMS below which nothing is matched
MOST_GAIN = 12.0  # dB, up or down
# Of the loudness range: looks of 3 s, each 0.1 s after the last; a gate 20 LU below what is over
# -70; from the 10th to the 95th hundredth of what is left.
RANGE_SECONDS, STEP, RANGE_GATE, RANGE_ENDS = 3.0, 0.1, 20.0, (10, 95)
GAP = 20.0  # LU below what is around: nothing that anyone meant to hear
CEILING = -1.0  # dBTP
OVERSAMPLING = 4
BLOCK = 1 << 18  # samples at a time
FINE, MARGIN = 1 << 16, 32  # those of an oversampled block, and those heard around them

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loudness:
    integrated: float | None  # LUFS; None where it cannot be measured
    rms: float  # dB of full scale, -inf for digital silence
    peak: float  # dBTP
    clipped: int = 0  # samples at or over full scale
    reason: str = ""  # why there is no integrated loudness

    @property
    def is_silent(self) -> bool:
        return self.rms < SILENCE

    @property
    def is_clipped(self) -> bool:
        return self.clipped > 0 or self.peak > 0

    @property
    def is_hot(self) -> bool:
        return self.peak > CEILING


@dataclass(frozen=True)
class Matching:
    """What was done to the level of a new part."""

    gain: float  # dB
    unit: str  # LUFS, or dB RMS where there was no integrated loudness
    source: float
    before: float
    after: float
    peak_before: float  # dBTP
    peak_after: float
    notes: tuple[str, ...] = ()

    @property
    def factor(self) -> float:
        return 10 ** (self.gain / 20)


def measured(wave: Tensor, rate: int) -> Loudness:
    """The loudness of a wave (C, N)."""
    power, clipped = 0.0, 0
    for block in wave.split(BLOCK, -1):
        power += float(block.double().square().sum())
        clipped += int((block.abs() >= 1).sum())
    found, reason = _integrated(wave, rate)
    level = decibels(math.sqrt(power / wave.numel()))
    return Loudness(found, level, true_peak(wave), clipped, reason)


def decibels(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def true_peak(wave: Tensor) -> float:
    """dBTP of a wave (C, N): its largest value between the samples as well, 4x oversampled."""
    highest, length = 0.0, wave.shape[-1]
    for start in range(0, length, FINE):
        first, last = max(start - MARGIN, 0), min(start + FINE + MARGIN, length)
        fine = resample(wave[..., first:last], 1, OVERSAMPLING)
        # What a margin's own cut does to its end is not the wave's.
        inner = slice((start - first) * OVERSAMPLING, (start + FINE - first) * OVERSAMPLING)
        highest = max(highest, float(fine[..., inner].abs().max()))
    return decibels(highest)


def within_scale(wave: Tensor) -> tuple[Tensor, float]:
    """A clip (C, N), and the dB it was brought down by: to -1 dBTP where it is over full scale."""
    if peak_of(wave) <= 1:
        return wave, 0.0
    lowered = true_peak(wave) - CEILING
    return wave * 10 ** (-lowered / 20), lowered


def standard(there: Loudness, around: Loudness) -> Loudness:
    """What a new part is to be as loud as: the source in its place, or, where that is a gap,
    the source around it."""
    if there.integrated is not None and around.integrated is not None:
        below = around.integrated - there.integrated
    else:
        below = around.rms - there.rms
    return around if there.is_silent or below > GAP else there


def loudness_range(wave: Tensor, rate: int) -> float | None:
    """LU between the quiet and the loud passages of a wave (C, N), by EBU Tech 3342; None where
    it is too short or too quiet to tell."""
    if wave.shape[-1] < RANGE_SECONDS * rate or rate < LEAST_RATE:
        return None
    meter, _ = _meter(rate)
    if meter is None:
        return None
    steps = _powers(wave, rate, meter, STEP, 1.0)[:, : int(wave.shape[-1] / rate / STEP + 1e-6)]
    looks = np.lib.stride_tricks.sliding_window_view(steps, round(RANGE_SECONDS / STEP), axis=1)
    levels = _levels(looks.mean(-1))
    heard = levels[levels >= ABSOLUTE_GATE]
    if not heard.size:
        return None
    gate = 10 * np.log10(np.mean(10 ** (heard / 10))) - RANGE_GATE
    kept = np.sort(heard[heard >= gate])
    low, high = (kept[round((len(kept) - 1) * end / 100)] for end in RANGE_ENDS)
    return float(high - low)


def _integrated(wave: Tensor, rate: int) -> tuple[float | None, str]:
    """LUFS of a wave (C, N), or why there is none."""
    if wave.shape[-1] <= LEAST_SECONDS * rate:
        return None, f"there is no loudness of {LEAST_SECONDS:g} s or less"
    if rate < LEAST_RATE:
        return None, f"there is no loudness at {rate} Hz"
    meter, missing = _meter(rate)
    if meter is None:
        return None, missing
    found = _gated(_powers(wave, rate, meter, LEAST_SECONDS, 1.0 - meter.overlap))
    return (found, "") if math.isfinite(found) else (None, "it is below the threshold of hearing")


def _meter(rate: int) -> tuple[Any, str]:
    """The weighting for a rate; None, and why, where the package is missing."""
    try:
        from pyloudnorm import Meter
    except ImportError as error:
        _say_missing(str(error))
        return None, f"the package pyloudnorm does not load ({error})"
    return Meter(rate), ""


def _powers(wave: Tensor, rate: int, meter: Any, size: float, step: float) -> np.ndarray:
    """Weighted power (C, looks) of wave (C, N) in looks of `size` seconds, each `step` looks after
    the last.

    What pyloudnorm measures, to the last bit, but second by second: it holds five copies of a wave
    in float64.
    """
    from scipy.signal import lfilter  # pyloudnorm brings it

    count = int(np.round((wave.shape[-1] / rate - size) / (size * step)) + 1)
    ends = [
        (int(size * (j * step) * rate), int(size * (j * step + 1) * rate)) for j in range(count)
    ]
    powers = np.zeros((len(wave), count))
    for row, channel in zip(powers, wave, strict=True):
        states = [np.zeros(2) for _ in meter._filters]
        kept, begins, look = np.zeros(0), 0, 0
        for block in channel.split(BLOCK):
            heard = block.double().cpu().numpy()
            for index, stage in enumerate(meter._filters.values()):
                heard, states[index] = lfilter(stage.b, stage.a, heard, zi=states[index])
            kept = np.concatenate((kept, heard))
            is_last = begins + len(kept) == wave.shape[-1]
            while look < count and (ends[look][1] <= begins + len(kept) or is_last):
                first, last = (end - begins for end in ends[look])
                row[look] = (1.0 / (size * rate)) * np.sum(np.square(kept[first:last]))
                look += 1
            if look < count:
                kept, begins = kept[ends[look][0] - begins :], ends[look][0]
    return powers


def _levels(powers: np.ndarray) -> np.ndarray:
    """LUFS (looks,) of powers (C, looks)."""
    with np.errstate(divide="ignore"):
        return -0.691 + 10.0 * np.log10(powers.sum(0))


def _gated(powers: np.ndarray) -> float:
    """LUFS of powers (C, looks): the mean of the looks over -70, then of those over 10 below it."""

    def mean(chosen: np.ndarray) -> float:
        return float(_levels(np.array([row[chosen].mean() for row in powers])))

    levels = _levels(powers)
    if not (levels >= ABSOLUTE_GATE).any():
        return -math.inf
    gate = mean(levels >= ABSOLUTE_GATE) - 10.0
    return mean((levels > gate) & (levels > ABSOLUTE_GATE))


@lru_cache
def _say_missing(reason: str) -> None:
    """Once per reason."""
    log.warning("pyloudnorm does not load (%s); comparing RMS levels instead", reason)


def unmatched(made: Tensor, rate: int, source: Loudness, note: str = "") -> Matching:
    """The levels as they are, but for what is over full scale."""
    level = measured(made, rate)
    return _uncut(_compared(level, source, (note,) if note else ()), level)


def matched(made: Tensor, rate: int, source: Loudness) -> Matching:
    """The gain that brings made (C, N) to the source's loudness, under -1 dBTP."""
    level = measured(made, rate)
    as_made = _compared(level, source, ())
    if source.is_silent or level.is_silent:
        which = "source" if source.is_silent else "new part"
        note = f"The {which} is silent ({SILENCE:g} dB RMS or less), so no level was matched."
        return _uncut(replace(as_made, notes=(*as_made.notes, note)), level)
    wanted = as_made.source - as_made.before
    gain, notes = max(-MOST_GAIN, min(wanted, MOST_GAIN)), list(as_made.notes)
    if gain != wanted:
        notes.append(
            f"Matching the level would take {wanted:+.1f} dB; {gain:+.1f} dB was given, the most."
        )
    if level.peak + gain > CEILING:
        notes.append(
            f"The new part's peak would be {level.peak + gain:.1f} dBTP; its level was lowered by"
            f" {level.peak + gain - CEILING:.1f} dB to keep {CEILING:g} dBTP."
        )
        gain = CEILING - level.peak
    return replace(
        as_made,
        gain=gain,
        after=as_made.before + gain,
        peak_after=level.peak + gain,
        notes=tuple(notes),
    )


def _uncut(as_made: Matching, level: Loudness) -> Matching:
    """A new part that nothing is matched to, brought down to -1 dBTP if a file would cut it."""
    if not level.clipped:
        return as_made
    lowered = as_made.peak_before - CEILING
    note = (
        f"The new part's peak was {as_made.peak_before:+.1f} dBTP; its level was lowered by"
        f" {lowered:.1f} dB to {CEILING:g} dBTP, so that nothing is cut at full scale."
    )
    return replace(
        as_made,
        gain=-lowered,
        after=as_made.before - lowered,
        peak_after=CEILING,
        notes=(*as_made.notes, note),
    )


def _compared(made: Loudness, source: Loudness, notes: tuple[str, ...]) -> Matching:
    """Both in LUFS, or both as RMS."""
    if made.integrated is not None and source.integrated is not None:
        unit, own, new = "LUFS", source.integrated, made.integrated
    else:
        unit, own, new = "dB RMS", source.rms, made.rms
        reason = made.reason or source.reason
        notes = (*notes, f"Levels were compared as RMS: {reason}.")
    return Matching(0.0, unit, own, new, new, made.peak, made.peak, notes)


def heat_of(source: Loudness) -> str:
    """What is to be said of a source over -1 dBTP; empty where there is nothing."""
    if not source.is_hot:
        return ""
    samples = f", with {source.clipped} samples at full scale" if source.clipped else ""
    harm = " It may be clipped: lower its level first if you hear distortion."
    return (
        f"The source peaks at {source.peak:+.1f} dBTP{samples}, over {CEILING:g} dBTP; it was not"
        f" changed.{harm if source.is_clipped else ''}"
    )
