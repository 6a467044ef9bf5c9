"""The listener of the musical checks, on sounds whose answers are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from acestep_core.config import SAMPLE_RATE
from training.heard import chroma_of, heard, same_beat, same_notes

TONES = ("A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#")


def tone(*hertz: float, seconds: float = 4.0) -> Tensor:
    t = torch.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = torch.stack([torch.sin(2 * math.pi * one * t) for one in hertz]).sum(0)
    return (0.2 * wave).expand(2, -1)


def clicks(bpm: float, seconds: float = 8.0, late: float = 0.0) -> Tensor:
    """Short bursts of noise, one a beat."""
    wave = torch.zeros(round(seconds * SAMPLE_RATE))
    burst = torch.randn(800, generator=torch.Generator().manual_seed(0)) * 0.3
    at = late
    while at < seconds - 0.1:
        start = round(at * SAMPLE_RATE)
        wave[start : start + len(burst)] += burst
        at += 60 / bpm
    return wave.expand(2, -1)


@pytest.mark.parametrize(("hertz", "name"), [(440.0, "A"), (261.6, "C"), (659.3, "E")])
def test_a_tone_is_heard_as_itself(hertz: float, name: str) -> None:
    middle = chroma_of(tone(hertz))[:, 20:-20].mean(1)
    assert TONES[int(middle.argmax())] == name
    assert float(middle.max()) > 0.6


def test_notes_are_peaky_and_noise_is_not() -> None:
    noise = torch.randn(2, 4 * SAMPLE_RATE, generator=torch.Generator().manual_seed(1))
    assert heard(tone(220.0, 277.2, 329.6)).peakiness > 0.8
    assert heard(noise).peakiness < 0.4


def test_a_beat_is_regular_and_its_tempo_is_read() -> None:
    beat = heard(clicks(90))
    assert beat.regularity > 0.7
    assert beat.tempo == pytest.approx(90, rel=0.02)
    noise = torch.randn(2, 8 * SAMPLE_RATE, generator=torch.Generator().manual_seed(1))
    assert heard(noise).regularity < 0.3


def test_same_beat_forgives_hundredths_of_a_second_and_no_other_tempo() -> None:
    beat = heard(clicks(90))
    assert same_beat(heard(clicks(90, late=0.03)), beat) > 0.8
    assert same_beat(heard(clicks(117)), beat) < 0.4


def test_same_notes_tells_chords_apart() -> None:
    chord = heard(tone(220.0, 277.2, 329.6))
    assert same_notes(chord, heard(0.3 * tone(220.0, 277.2, 329.6))) > 0.95
    assert same_notes(chord, heard(tone(246.9, 311.1, 370.0))) < 0.3
