"""Outlines: what is drawn lies where it is heard, at any rate, however the blocks come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from acestep_core.sound.files import write_audio
from acestep_core.sound.outline import (
    BANDS,
    BIN,
    COLUMN,
    LATENT,
    Sketch,
    coarser_levels,
    coarser_peaks,
    overview,
    seconds_of,
)
from tests.unit.sound_kit import noise, tone

RATES = (8000, 32_000, 44_100, 48_000)


def sketched(wave: np.ndarray, rate: int, block: int = 10_007) -> Sketch:
    sketch = Sketch(rate)
    for first in range(0, wave.shape[1], block):
        sketch.add(wave[:, first : first + block])
    sketch.close()
    return sketch


@pytest.mark.parametrize("rate", RATES)
def test_a_click_is_drawn_where_it_is(rate: int) -> None:
    wave = np.zeros((2, 3 * rate), np.float32)
    place = int(1.7 * rate)
    wave[0, place], wave[1, place + 1] = 0.5, -0.25
    sketch = sketched(wave, rate)
    heard = np.flatnonzero(sketch.peaks.any(1))
    assert set(heard.tolist()) <= {int(1.7 / BIN), int(1.7 / BIN) + 1}
    assert sketch.peaks.min(0)[0] == round(-0.25 * 127)
    assert sketch.peaks.max(0)[1] == round(0.5 * 127)
    assert abs(int(sketch.levels.max(1).argmax()) * COLUMN - 1.7) < LATENT / 2


@pytest.mark.parametrize("rate", RATES)
def test_a_drawing_is_as_long_as_the_sound(rate: int) -> None:
    sketch = sketched(noise(2.345, rate).numpy(), rate)
    assert sketch.seconds == pytest.approx(2.345, abs=1 / rate)
    assert len(sketch.peaks) == int(np.ceil(2.345 / BIN))
    assert abs(len(sketch.levels) * COLUMN - 2.345) < 2 * COLUMN


def test_blocks_of_any_length_give_the_same() -> None:
    wave = noise(3.0).numpy()
    whole, cut = (sketched(wave, 44_100, block) for block in (wave.shape[1], 777))
    np.testing.assert_array_equal(whole.peaks, cut.peaks)
    assert np.abs(whole.levels.astype(int) - cut.levels).max() <= 1
    np.testing.assert_allclose(whole.rise, cut.rise, atol=1e-3)


def test_a_pitch_has_its_band() -> None:
    loudest = [
        int(sketched(tone(hz, 1.0).numpy(), 44_100).levels[10:-10].mean(0).argmax())
        for hz in (110, 440, 1760, 7040)
    ]
    assert loudest == sorted(set(loudest))
    assert 0 <= loudest[0] < 4
    assert loudest[-1] < BANDS


def test_a_sound_shorter_than_one_bin() -> None:
    sketch = sketched(np.full((1, 3), 0.5, np.float32), 44_100)
    assert sketch.peaks.tolist() == [[64, 64]]


def test_coarser_is_the_least_and_most_of_what_it_joins() -> None:
    peaks = np.array([[-1, 1], [-5, 2], [0, 9], [-2, 3], [-7, 0]], np.int8)
    assert coarser_peaks(peaks, 0) is peaks
    assert coarser_peaks(peaks, 1).tolist() == [[-5, 9], [-7, 0]]
    assert coarser_levels(peaks[:, 1:].view(np.uint8), 1).tolist() == [[9], [0]]


def test_an_overview_shows_loud_and_soft_without_reading_it_all(tmp_path: Path) -> None:
    wave = noise(60.0, level=0.02)
    wave[:, 30 * 44_100 :] *= 20
    write_audio(tmp_path / "song.flac", wave, 44_100)
    glance = overview(tmp_path / "song.flac", 100)
    assert glance.shape == (100, 2)
    assert glance[:49, 1].max() < 20 < glance[51:, 1].min()
    hasty = overview(tmp_path / "song.flac", 100, patience=0.0)
    assert hasty.shape == (100, 2), "places that there was no time for are as their neighbours"
    assert seconds_of(tmp_path / "song.flac") == pytest.approx(60.0)


def test_an_overview_of_what_is_no_sound_is_empty(tmp_path: Path) -> None:
    place = tmp_path / "song.flac"
    place.write_bytes(b"no sound at all")
    assert len(overview(place)) == 0
    assert seconds_of(place) == 0
