"""Tempo, beats, bars and onsets, guessed from how a sound gets louder.

    rise (n,) -> tempo: the rate at which it repeats, among rates people tap to
              -> beats: the row of onsets that keeps that rate best (D. Ellis, "Beat Tracking by
                 Dynamic Programming", 2007: the objective; written anew here)
              -> bars: every fourth beat, of the four ways the one with most bass

A guess, and shown as one: a change of tempo or of metre is not looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SLOWEST, FASTEST = 55.0, 200.0  # beats a minute
USUAL, SPREAD = 115.0, 0.7  # the rate people tap to most, and its spread in octaves
TIMES = (1, 2, 3, 4)  # multiples of the beat after which a rhythm repeats
STRICT = 400.0  # what an uneven beat costs against an onset
BEATS_A_BAR = 4
CLEAR = 0.08  # share of the rise that has to repeat, for there to be a beat
NEAR, AROUND = 3, 43  # entries in which an onset is the largest, and that it stands out from
EARLY = 0.0055  # seconds, measured on clicks
STANDS_OUT = 0.8  # standard deviations


@dataclass(frozen=True)
class Pulse:
    """What was guessed; times in seconds. Without a beat the tempo is 0."""

    tempo: float = 0.0
    beats: tuple[float, ...] = ()
    first_bar: int = 0  # index of the beat that begins a bar, below BEATS_A_BAR
    onsets: tuple[float, ...] = ()


def pulse(rise: np.ndarray, step: float) -> Pulse:
    """Of rise (n, 2), onsets and bass, one entry every `step` seconds."""
    every = rise[:, 0] if len(rise) else np.empty(0)
    onsets = tuple(_times(_onsets(every), step))
    tempo = _tempo(every, step)
    if not tempo:
        return Pulse(onsets=onsets)
    beats = _beats(every, 60 / tempo / step)
    bass = [rise[beat : beat + 2 * NEAR, 1].sum() for beat in beats.tolist()]
    sums = [float(np.mean(bass[way::BEATS_A_BAR] or [0])) for way in range(BEATS_A_BAR)]
    times = _times(_exact(every, beats), step)
    if len(times) > 1:  # finer than what the rise repeats at
        tempo = round(60 / float(np.polyfit(np.arange(len(times)), times, 1)[0]), 1)
    return Pulse(tempo, tuple(times), int(np.argmax(sums)), onsets)


def _times(places: np.ndarray, step: float) -> list[float]:
    """Seconds: entry i hears a window around (i + 0.5) steps, and rises most a little early."""
    return np.round((np.asarray(places, np.float64) + 0.5) * step + EARLY, 3).tolist()


def _tempo(rise: np.ndarray, step: float) -> float:
    """Beats a minute, to a tenth; 0 where nothing repeats."""
    longest = round(60 / SLOWEST / step * TIMES[-1]) + 2
    if len(rise) < 2 * longest / TIMES[-1] or not rise.any():
        return 0.0
    shape = rise - rise.mean()
    size = 1 << int(2 * len(shape) - 1).bit_length()
    spectrum = np.fft.rfft(shape, size)
    repeats = np.fft.irfft(np.abs(spectrum) ** 2)[: min(longest, len(shape))]
    repeats = repeats / repeats[0] * len(shape) / np.arange(len(shape), 0, -1)[: len(repeats)]
    tempi = np.arange(SLOWEST, FASTEST, 0.1)
    lags = 60 / tempi / step
    places = np.arange(len(repeats))
    rows = [np.interp(lags * many, places, repeats, right=0.0) for many in TIMES]
    strength = np.mean(rows, 0)
    liked = np.exp(-0.5 * (np.log2(tempi / USUAL) / SPREAD) ** 2)
    best = int(np.argmax(strength.clip(min=0) * liked))
    return round(float(tempi[best]), 1) if strength[best] > CLEAR else 0.0


def _beats(rise: np.ndarray, period: float) -> np.ndarray:
    """Entries of the beats: the row that adds up most rise and least unevenness."""
    width = max(round(period / 16), 1)
    bump = np.exp(-0.5 * (np.arange(-3 * width, 3 * width + 1) / width) ** 2)
    score = np.convolve(rise / (rise.std() or 1.0), bump, "same")
    lags = np.arange(max(round(period / 2), 1), round(2 * period) + 1)
    cost = -STRICT / 4 * np.log(lags / period) ** 2
    total, origin = score.copy(), np.full(len(score), -1)
    for place in range(lags[0], len(score)):
        reach = lags if place >= lags[-1] else lags[lags <= place]
        sums = total[place - reach] + cost[: len(reach)]
        best = int(sums.argmax())
        if sums[best] > 0:
            total[place] += sums[best]
            origin[place] = place - reach[best]
    last = len(total) - 1 - int(total[::-1][: round(period) + 1].argmax())
    found = [last]
    while origin[found[-1]] >= 0:
        found.append(int(origin[found[-1]]))
    return np.array(found[::-1])


def _exact(rise: np.ndarray, beats: np.ndarray) -> np.ndarray:
    """Beats at the top of the rise they stand on, where there is one, between the entries."""
    found = []
    for beat in beats.tolist():
        first = max(beat - NEAR, 1)
        near = rise[first : min(beat + NEAR + 1, len(rise) - 1)]
        place = first + int(near.argmax()) if len(near) else beat
        a, b, c = rise[max(place - 1, 0)], rise[place], rise[min(place + 1, len(rise) - 1)]
        is_top = b > a and b >= c
        found.append(place + 0.5 * (a - c) / (a - 2 * b + c) if is_top else float(beat))
    return np.array(found)


def _onsets(rise: np.ndarray) -> np.ndarray:
    """Entries where it gets louder than it does around."""
    if len(rise) <= 2 * AROUND:
        return np.empty(0, np.int64)
    window = np.ones(2 * AROUND + 1) / (2 * AROUND + 1)
    usual = np.convolve(rise, window, "same")
    padded = np.pad(rise, NEAR)
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEAR + 1).max(1)
    least = usual + STANDS_OUT * rise.std()
    return np.flatnonzero((rise == near) & (rise > least) & (rise > 0))
