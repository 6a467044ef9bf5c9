"""Reports: numbers with a known answer, words in several scripts, data that JSON takes."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from acestep_core.editing import report as editing_report
from acestep_core.editing.report import (
    Change,
    EditReport,
    band_levels,
    change_warnings,
    step_warnings,
)
from acestep_core.sound.loudness import measured, unmatched
from acestep_core.sound.track import Held
from acestep_core.types import Region
from tests.unit.sound_kit import RATE, noise

REGION = (Region(1.0, 2.0),)


def compared(source: Tensor, result: Tensor, regions: tuple[Region, ...], rate: int) -> Change:
    return editing_report.compared(Held(source, rate), Held(result, rate), regions)


def compared_extension(source: Tensor, result: Tensor, before: int, rate: int) -> Change:
    return editing_report.compared_extension(Held(source, rate), Held(result, rate), before)


def test_an_untouched_outside_is_minus_infinity() -> None:
    source = noise(3)
    result = source.clone()
    result[:, RATE : 2 * RATE] *= 2
    change = compared(source, result, REGION, RATE)
    assert change.outside == -math.inf
    assert change.inside == pytest.approx(0.0, abs=1e-4)
    assert change.spectrum == pytest.approx(6.02, abs=0.05)
    assert [edge.seconds for edge in change.edges] == [1.0, 2.0]
    first, second = change.edges
    assert first.level - first.own_level == pytest.approx(6.02, abs=0.01)
    assert second.level - second.own_level == pytest.approx(-6.02, abs=0.01)
    assert first.spectrum > 5 > 3 > first.own_spectrum


@pytest.mark.parametrize("place", [0, 100, RATE - 1, 2 * RATE, 3 * RATE - 1])
def test_one_changed_sample_outside_is_found(place: int) -> None:
    source = noise(3)
    result = source.clone()
    result[1, place] += 0.001 * float(source.abs().max())
    kept = torch.ones(3 * RATE, dtype=torch.bool)
    kept[RATE : 2 * RATE] = False
    peak = float(source[:, kept].abs().max())
    expected = 20 * math.log10(0.001 * float(source.abs().max()) / peak)
    assert compared(source, result, REGION, RATE).outside == pytest.approx(expected, abs=0.05)


def test_nothing_changed_is_said() -> None:
    source = noise(3)
    change = compared(source, source.clone(), REGION, RATE)
    assert change.inside == -math.inf
    assert change.spectrum == 0
    assert "Almost nothing" in change_warnings(change)[0]
    assert change_warnings(compared(source, noise(3, seed=1), REGION, RATE)) == []


def test_a_clip_that_is_all_new_has_no_outside_and_no_edges() -> None:
    change = compared(noise(1), noise(1, seed=1), (Region(0, 1),), RATE)
    assert change.outside is None
    assert change.edges == ()
    assert change.inside == pytest.approx(3.0, abs=0.1)  # two unlike waves


def test_a_click_where_old_and_new_meet_is_warned_about() -> None:
    time = torch.arange(3 * RATE) / RATE
    source = 0.3 * torch.sin(2 * math.pi * 220 * time).expand(2, -1)
    result = source.clone()
    result[:, RATE : 2 * RATE] += 0.2 * torch.sin(2 * math.pi * 110 * time[:RATE])
    change = compared(source, result, REGION, RATE)
    assert not any(edge.clicks for edge in change.edges)
    result[:, RATE : 2 * RATE] += 0.2  # both of its ends step
    change = compared(source, result, REGION, RATE)
    (said,) = change_warnings(change)
    assert said == "There may be a click at 1.00, 2.00 s. Raise crossfade."
    # One that the source has there already is not ours.
    assert not any(edge.clicks for edge in compared(result, result, REGION, RATE).edges)
    grown = torch.cat((source[:, :RATE] + 0.5, source), -1)
    assert [edge.clicks for edge in compared_extension(source, grown, RATE, RATE).edges] == [True]


def test_silence_made_into_sound_has_no_measure_against_it() -> None:
    silence = torch.zeros(2, 3 * RATE)
    assert compared(silence, noise(3), REGION, RATE).inside is None
    still = compared(silence, silence, REGION, RATE)
    assert (still.inside, still.outside) == (-math.inf, -math.inf)


def test_an_extension_is_compared_where_its_source_lies() -> None:
    source = noise(2)
    result = torch.cat((noise(0.5, seed=1), source, 4 * noise(1, seed=2)), -1)
    change = compared_extension(source, result, RATE // 2, RATE)
    assert change.outside == -math.inf
    assert change.inside is None
    first, second = change.edges
    assert (first.seconds, second.seconds) == (0.5, 2.5)
    assert first.level == pytest.approx(0.0, abs=0.5)
    assert second.level == pytest.approx(12.0, abs=0.5)
    assert first.own_level < 0.5
    result[0, RATE] += 0.1
    assert compared_extension(source, result, RATE // 2, RATE).outside > -20


def test_bands_tell_pitches_apart_and_keep_levels() -> None:
    time = torch.arange(RATE) / RATE
    low, high = (torch.sin(2 * math.pi * hz * time)[None] for hz in (200, 5000))
    for wave in (low, high):
        levels = band_levels(wave, RATE, RATE // 10)[0]
        assert levels.max() == pytest.approx(-3.0, abs=0.5)  # a tone's power is half
    assert band_levels(low, RATE, 4410)[0].argmax() < band_levels(high, RATE, 4410)[0].argmax()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from((8000, 44_101, 96_000)), st.integers(1, 2), st.floats(0.001, 0.5), st.data())
def test_reports_of_any_clip_are_numbers(
    rate: int, channels: int, length: float, data: st.DataObject
) -> None:
    count = max(round(length * rate), 2)
    source, result = torch.zeros(channels, count), torch.rand(channels, count)
    start = data.draw(st.floats(0, length * 0.9))
    end = data.draw(st.floats(start + length * 0.05, length))
    for a, b in ((source, result), (result, source), (result, result), (source, source)):
        change = compared(a, b, (Region(start, end),), rate)
        report = EditReport("Inpaint", 1, length, ((start, end),), change, 30, 60)
        assert "nan" not in report.text().lower()
        json.dumps(report.as_data(), allow_nan=False)


def test_text_and_data_say_the_same() -> None:
    source, made = noise(3), noise(3, seed=1, level=0.2)
    result = source.clone()
    result[:, RATE : 2 * RATE] = made[:, RATE : 2 * RATE]
    level = unmatched(made, RATE, measured(source, RATE))
    report = EditReport(
        "Inpaint",
        42,
        3.0,
        ((1.0, 2.0),),
        compared(source, result, REGION, RATE),
        30,
        60,
        (level,),
        ("a note",),
        ("a warning",),
    )
    text = report.text()
    for words in (
        "Inpaint, seed 42: new 1.00-2.00 s of 3.00 s",
        "sample for sample (-inf dB)",
        "Edge at 1.00 s",
        "Steps re-sampled: 30 of 60",
        "LUFS",
        "Note: a note",
        "Warning: a warning",
    ):
        assert words in text
    data = json.loads(json.dumps(report.as_data(), allow_nan=False))
    assert data["outside_identical"] is True
    assert data["change"]["outside"] is None
    assert data["change"]["edges"][0]["seconds"] == 1.0
    assert data["steps_run"] == 30
    assert data["levels"][0]["unit"] == "LUFS"
    all_new = replace(report, change=Change(None, (), None, None))
    assert all_new.as_data()["outside_identical"] is False
    assert "Outside" not in all_new.text()


@pytest.mark.parametrize(
    ("run", "steps", "is_few"),
    [
        (0, 60, True),
        (1, 60, True),
        (6, 60, True),
        (7, 60, False),
        (12, 60, False),
        (60, 60, False),
        (1, 1, False),
        (1, 5, True),
        (2, 27, True),
        (3, 27, False),
    ],
)
def test_few_steps_are_warned_about_with_numbers(run: int, steps: int, is_few: bool) -> None:
    warnings = step_warnings(run, steps)
    assert bool(warnings) == is_few
    assert not is_few or f"{run} of {steps}" in warnings[0]
