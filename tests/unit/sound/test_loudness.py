"""Loudness against known signals, and gains that never pass their limits."""

from __future__ import annotations

import builtins
import logging
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acestep_core.sound import loudness
from acestep_core.sound.loudness import (
    CEILING,
    heat_of,
    loudness_range,
    matched,
    measured,
    standard,
    true_peak,
    unmatched,
    within_scale,
)
from tests.unit.sound_kit import noise, tone

pytest.importorskip("pyloudnorm")


def test_a_full_scale_tone_is_what_the_recommendation_says() -> None:
    """997 Hz at full scale is -3.01 LUFS in one channel, and 0 LUFS in two."""
    one = measured(tone(997, 5, 48_000, 1.0), 48_000)
    assert one.integrated == pytest.approx(-3.01, abs=0.1)
    assert one.rms == pytest.approx(-3.01, abs=0.01)
    two = measured(tone(997, 5, 48_000, 1.0).expand(2, -1), 48_000)
    assert two.integrated == pytest.approx(0.0, abs=0.1)


def test_quiet_parts_do_not_count() -> None:
    loud = noise(4)
    with_silence = torch.cat((loud, torch.zeros(2, 6 * 44_100)), -1)
    assert measured(with_silence, 44_100).integrated == pytest.approx(
        measured(loud, 44_100).integrated, abs=0.5
    )


@pytest.mark.parametrize(
    ("levels", "wanted"),
    [
        ((-20, -30), 10),
        ((-20, -15), 5),
        ((-40, -20), 20),
        ((-50, -35, -20, -35, -50), 15),
        ((-20,), 0),
        ((-20, -20, -120, -120), 0),  # what is below -70 LUFS is no music
    ],
)
@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_loudness_range_of_the_signals_of_tech_3342(
    levels: tuple[int, ...], wanted: float, rate: int
) -> None:
    """Its first four: stereo tones of 1 kHz, 20 s of each level, within 1 LU."""
    parts = [tone(1000, 20, rate, 10 ** (level / 20)) for level in levels]
    wave = torch.cat(parts, -1).expand(2, -1)
    assert loudness_range(wave, rate) == pytest.approx(wanted, abs=1)


def test_too_short_and_too_quiet_have_no_loudness_range() -> None:
    assert loudness_range(noise(2.9), 44_100) is None
    assert loudness_range(noise(3.0), 44_100) == pytest.approx(0.0)
    assert loudness_range(torch.zeros(2, 5 * 44_100), 44_100) is None
    assert loudness_range(noise(5, 2000), 2000) is None


def test_true_peak_is_between_the_samples() -> None:
    """A quarter of the rate, sampled at 45 degrees: no sample is over 0.707 of the wave."""
    time = torch.arange(44_100)
    wave = torch.sin(math.pi / 2 * time + math.pi / 4)[None] * torch.hann_window(44_100)
    assert loudness.decibels(float(wave.abs().max())) == pytest.approx(-3.01, abs=0.05)
    assert true_peak(wave) == pytest.approx(0.0, abs=0.1)


def test_true_peak_does_not_depend_on_its_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = noise(1)
    whole = true_peak(wave)
    for block in (1000, 4096, 44_099):
        monkeypatch.setattr(loudness, "BLOCK", block)
        assert true_peak(wave) == pytest.approx(whole, abs=1e-4)
    assert true_peak(torch.zeros(2, 100)) == -math.inf


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from((8000, 44_100, 96_000)),
    st.integers(1, 2),
    st.floats(0.05, 2.0),
    st.floats(-50, 0),
    st.floats(-40, -12),
)
def test_a_match_is_near_or_says_why(
    rate: int, channels: int, seconds: float, made_level: float, source_level: float
) -> None:
    made = noise(seconds, rate, level=10 ** (made_level / 20), channels=channels)
    source = measured(noise(3, rate, level=10 ** (source_level / 20), channels=channels), rate)
    found = matched(made, rate, source)
    assert found.gain >= -12 - 1e-9 or found.peak_before + found.gain <= CEILING + 1e-9
    assert found.gain <= 12
    assert found.after == pytest.approx(found.before + found.gain)
    result = measured(made * found.factor, rate)
    assert result.peak <= CEILING + 0.01
    assert result.peak == pytest.approx(found.peak_after, abs=0.01)
    heard = result.integrated if found.unit == "LUFS" else result.rms
    assert heard == pytest.approx(found.after, abs=0.3)
    assert (found.unit == "LUFS") == (seconds > 0.4 and measured(made, rate).integrated is not None)
    if not found.notes:
        assert found.after == pytest.approx(source.integrated, abs=0.3)
    if found.unit != "LUFS":
        assert any("RMS" in note for note in found.notes)
    if found.after != pytest.approx(found.source, abs=0.01):
        assert any("most" in note or "dBTP" in note or "silent" in note for note in found.notes)


def test_the_standard_is_the_place_itself_unless_it_is_a_gap() -> None:
    around = measured(noise(3, level=0.1), 44_100)
    for length in (1.0, 0.2):  # in LUFS, and as RMS
        for level, is_own in ((0.1, True), (0.02, True), (0.005, False), (0.0, False)):
            there = measured(noise(length, level=level), 44_100)
            assert standard(there, around) == (there if is_own else around)


def test_short_parts_are_compared_as_rms_and_it_is_said() -> None:
    source = measured(noise(2, level=0.1), 44_100)
    found = matched(noise(0.3, level=0.05), 44_100, source)
    assert found.unit == "dB RMS"
    assert found.gain == pytest.approx(6.0, abs=0.3)
    assert "0.4 s or less" in found.notes[0]


def test_silence_is_left_alone_and_it_is_said() -> None:
    sound, silence = noise(1), torch.zeros(2, 44_100)
    for made, source, which in ((sound, silence, "source"), (silence, sound, "new part")):
        found = matched(made, 44_100, measured(source, 44_100))
        assert found.gain == 0
        assert any(f"The {which} is silent" in note for note in found.notes)
    assert measured(silence, 44_100).integrated is None


def test_gains_and_peaks_are_limited_and_it_is_said() -> None:
    quiet, loud = noise(1, level=0.001), noise(1, level=0.1)
    found = matched(quiet, 44_100, measured(loud, 44_100))
    assert found.gain == 12
    assert "+12.0 dB was given" in found.notes[0]
    click = 0.05 * tone(300, 1)
    click[0, 22_000] = 0.8
    found = matched(click, 44_100, measured(loud, 44_100))
    assert found.peak_after == pytest.approx(CEILING)
    assert "dBTP" in found.notes[-1]


def test_a_hot_source_is_reported_and_not_a_quiet_one() -> None:
    assert heat_of(measured(tone(440, 1, level=0.5), 44_100)) == ""
    hot = measured(tone(440, 1, level=0.95), 44_100)
    assert "not changed" in heat_of(hot)
    assert "clipped" not in heat_of(hot)
    clipped = heat_of(measured(tone(440, 1, level=2.0).clamp(-1, 1), 44_100))
    assert "samples at full scale" in clipped
    assert "may be clipped" in clipped


def test_without_a_match_levels_are_only_told() -> None:
    source = measured(noise(1, level=0.1), 44_100)
    found = unmatched(noise(1, level=0.2), 44_100, source)
    assert (found.gain, found.factor) == (0, 1)
    assert found.before == found.after
    assert found.before - found.source == pytest.approx(6.0, abs=0.1)


@pytest.mark.parametrize("level", [0.5, 1.0, 1.2, 4.0])
def test_clip_over_full_scale_is_brought_down_and_no_other(level: float) -> None:
    wave = tone(440, 1, level=level)
    found, lowered = within_scale(wave)
    assert (lowered > 0) == (level > 1)
    assert torch.equal(found, wave) == (level <= 1)
    if lowered:
        assert true_peak(found) == pytest.approx(CEILING, abs=0.01)
        assert torch.allclose(found * 10 ** (lowered / 20), wave, atol=1e-6)
    assert within_scale(torch.zeros(2, 0))[1] == 0


def test_part_that_is_not_matched_is_not_cut_either() -> None:
    for source in (noise(1, level=0.1), torch.zeros(2, 44_100)):
        match = unmatched if source.any() else matched
        found = match(tone(440, 1, level=2.0), 44_100, measured(source, 44_100))
        assert found.peak_after == pytest.approx(CEILING)
        assert found.gain == pytest.approx(CEILING - found.peak_before)
        assert found.after == pytest.approx(found.before + found.gain)
        assert "nothing is cut" in found.notes[-1]


def test_without_pyloudnorm_it_is_rms(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    usual = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "pyloudnorm":
            raise ImportError("not installed")
        return usual(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with caplog.at_level(logging.WARNING):
        found = matched(noise(1), 44_100, measured(noise(1), 44_100))
    assert found.unit == "dB RMS"
    assert "pyloudnorm" in caplog.text
    assert "pyloudnorm" in found.notes[0]


def test_rates_too_low_to_weigh_are_rms() -> None:
    assert measured(noise(10, 1000), 1000).integrated is None
    assert "1000 Hz" in measured(noise(10, 1000), 1000).reason


@pytest.mark.parametrize("rate", [8000, 44_100, 44_101, 96_000])
@pytest.mark.parametrize("seconds", [0.41, 1.03, 12.7])
@pytest.mark.parametrize("channels", [1, 2])
def test_block_by_block_it_is_what_the_meter_says(rate: int, seconds: float, channels: int) -> None:
    """To the last bit: gains, and with them songs, would otherwise change."""
    from pyloudnorm import Meter

    wave = noise(seconds, rate, channels=channels)
    wave[:, wave.shape[-1] // 3 : wave.shape[-1] // 2] *= 0.001
    expected = float(Meter(rate).integrated_loudness(wave.double().numpy().T))
    assert measured(wave, rate).integrated == expected
