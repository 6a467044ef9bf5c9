"""Tempo, beats, bars and onsets of clicks whose places are known."""

from __future__ import annotations

import numpy as np
import pytest

from acestep_core.sound.beats import BEATS_A_BAR, Pulse, pulse
from acestep_core.sound.outline import LATENT, RISE, Sketch
from tests.unit.sound_kit import noise

RATE = 32_000


def clicked(times: np.ndarray, seconds: float, strong: int = 2) -> Pulse:
    """Of short tones; every fourth is a low one, from that on."""
    wave = noise(seconds, RATE, 1, level=0.003).numpy()
    for index, at in enumerate(times):
        first = int(at * RATE)
        time = np.arange(min(int(0.12 * RATE), wave.shape[1] - first)) / RATE
        hz = 70 if index % BEATS_A_BAR == strong else 900
        wave[0, first : first + len(time)] += (
            0.5 * np.exp(-25 * time) * np.sin(2 * np.pi * hz * time)
        )
    sketch = Sketch(RATE)
    sketch.add(wave)
    sketch.close()
    return pulse(sketch.rise, RISE)


@pytest.mark.parametrize(
    ("tempo", "first"), [(72.0, 1.0), (93.4, 0.2), (120.0, 0.37), (140.0, 0.05)]
)
def test_beats_lie_on_the_clicks(tempo: float, first: float) -> None:
    times = np.arange(first, 29.5, 60 / tempo)
    found = clicked(times, 30.0)
    assert found.tempo == pytest.approx(tempo, abs=0.2)
    beats = np.array(found.beats)
    off = np.array([np.abs(beats - at).min() for at in times])
    assert off.max() < LATENT / 4
    assert len(beats) <= len(times) + 2
    bar = beats[found.first_bar]
    assert np.abs(times[2::BEATS_A_BAR] - bar).min() < LATENT / 4, "the low click begins a bar"
    onsets = np.array(found.onsets)
    assert max(np.abs(onsets - at).min() for at in times[1:]) < LATENT / 4


def test_without_a_rhythm_there_is_no_beat() -> None:
    for wave in (noise(20.0, RATE, 1).numpy(), np.zeros((1, 20 * RATE), np.float32)):
        sketch = Sketch(RATE)
        sketch.add(wave)
        sketch.close()
        found = pulse(sketch.rise, RISE)
        assert (found.tempo, found.beats) == (0.0, ())


def test_a_sound_too_short_for_a_tempo() -> None:
    assert pulse(np.ones((5, 2), np.float32), RISE) == Pulse()
    assert pulse(np.empty((0, 2), np.float32), RISE) == Pulse()
