"""Plain synthesis: a few sounds made of sines and noise, for styles without a sound font.

    notes -> sound of each note by name, pitch and length -> panned sum (2, N)

Bright sounds are sums of harmonics below 14 kHz, so that nothing folds back. Noise is drawn
once and used again: the same hit always sounds the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from acestep_core.config import SAMPLE_RATE

from .compose import Note, Piece
from .styles import DRUM_KEYS, Voice

HIGHEST = 14_000.0  # Hz
DRUM_NAMES = {key: name for name, key in DRUM_KEYS.items()}
FADE = 0.005  # seconds at both ends of every sound

# Level of harmonic n, and how many are used.
SPECTRA: dict[str, tuple[Callable[[int], float], int]] = {
    "pulse": (lambda n: abs(np.sin(np.pi * n / 4)) / n, 24),
    "saw": (lambda n: 1 / n, 24),
    "triangle": (lambda n: (n % 2) / n**2, 9),
    "pluck": (lambda n: (n % 2) / n, 16),
    "sine": (lambda n: 1.0 if n == 1 else 0.25 / n**2, 3),
    "soft": (lambda n: 1 / n**2.2, 6),
    "pad": (lambda n: 1 / n**1.6, 6),
    "strings": (lambda n: 1 / n**1.2, 10),
}
# Seconds to rise, and to fall to 1/e (0: stays until the note ends).
ENVELOPES = {
    "pluck": (0.003, 0.12),
    "bell": (0.003, 0.5),
    "soft": (0.04, 0.0),
    "pad": (0.25, 0.0),
    "strings": (0.15, 0.0),
    "sine": (0.03, 0.0),
}
RELEASE = {"bell": 0.6, "pad": 0.25, "strings": 0.2, "sine": 0.1}


def sound(piece: Piece, samples: int) -> np.ndarray:
    """Wave (2, samples) float32, not yet levelled."""
    band = piece.ensemble
    voices = {"lead": band.lead, "chords": band.chords, "bass": band.bass}
    total = np.zeros((2, samples), np.float32)
    for note in piece.notes:
        voice = voices.get(note.part, Voice("drums", 100, 64))
        start = round(note.start * SAMPLE_RATE)
        one = _one(note, voice)[: max(samples - start, 0)]
        level = voice.volume / 127 * (note.velocity / 127) ** 1.5
        right = voice.pan / 127
        total[0, start : start + len(one)] += one * level * (1 - right) ** 0.5
        total[1, start : start + len(one)] += one * level * right**0.5
    return total


def _one(note: Note, voice: Voice) -> np.ndarray:
    if note.part == "drums":
        return drum(DRUM_NAMES[note.pitch])
    assert isinstance(voice.sound, str), "an instrument of a sound font cannot be synthesised"
    return tone(voice.sound, note.pitch, round(note.length, 3))


@lru_cache(maxsize=4096)
def tone(name: str, pitch: int, seconds: float) -> np.ndarray:
    """One note (N,) float32, its release included."""
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    release = RELEASE.get(name, 0.04)
    time = np.arange(round((seconds + release) * SAMPLE_RATE)) / SAMPLE_RATE
    if name == "bell":
        index = 2.0 * np.exp(-time / 0.3)
        wave = np.sin(2 * np.pi * frequency * time + index * np.sin(7 * np.pi * frequency * time))
    else:
        level, count = SPECTRA[name]
        harmonics = range(1, min(count, int(HIGHEST / frequency)) + 1)
        wave = sum(level(n) * np.sin(2 * np.pi * frequency * n * time) for n in harmonics)
    rise, fall = ENVELOPES.get(name, (FADE, 0.0))
    envelope = np.minimum(time / rise, 1) * np.clip((time[-1] - time) / release, 0, 1)
    if fall:
        envelope = envelope * np.exp(-time / fall)
    return (0.4 * wave * envelope).astype(np.float32)


@lru_cache
def drum(name: str) -> np.ndarray:
    """One hit (N,) float32."""
    time = np.arange(round(0.3 * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.RandomState(7).standard_normal(len(time))
    if name == "kick":
        wave = np.sin(2 * np.pi * (50 * time + 5 * (1 - np.exp(-time / 0.02)))) * 1.4
        fall = 0.12
    elif name in ("snare", "clap", "stick"):
        wave, fall = 0.4 * noise + 0.4 * np.sin(2 * np.pi * 190 * time), 0.06
    else:
        wave, fall = 0.35 * np.diff(noise, prepend=0.0), 0.025
    return (0.5 * wave * np.exp(-time / fall) * np.minimum(time / 0.001, 1)).astype(np.float32)
