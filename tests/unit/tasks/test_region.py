"""Regions of clips of any length: where they lie, what is made new, which part is worked on."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from acestep_core.config import FRAMES_PER_SECOND, MAX_FRAMES, frames_of_samples, seconds_of
from acestep_core.settings import SettingError
from acestep_core.tasks.region import (
    CONTEXT,
    hard_frames,
    moved,
    read_regions,
    regenerate,
    resolve,
    shortened,
    soft_frames,
    spelled,
    territories,
    windows,
)
from acestep_core.types import Region

FRAME_SECONDS = seconds_of(1)


def clips(longest: float = 240.0) -> st.SearchStrategy[float]:
    return st.floats(0.1, longest)


@st.composite
def regions_in(draw: st.DrawFn, seconds: float, most: int = 4, least: float = 0.01) -> list[Region]:
    """Regions of a clip, their ends counted from either side."""
    found = []
    for _ in range(draw(st.integers(1, most))):
        start = draw(st.floats(0, seconds - least))
        end = draw(st.floats(start + least, seconds))
        from_start, from_end = draw(st.booleans()), draw(st.booleans())
        found.append(
            Region(
                start if from_start else seconds - start,
                end if from_end else max(seconds - end, 0.0),
                "start" if from_start else "end",
                "start" if from_end else "end",
                draw(st.sampled_from((0.0, 0.05, 0.1, 0.3, 1.0, 10.0))),
            )
        )
    return found


@pytest.mark.parametrize(
    ("region", "start", "end"),
    [
        (Region(1, 2), 1, 2),
        (Region(8, 3, "end", "end"), 2, 7),
        (Region(1.25, 0, end_from="end"), 1.25, 10),
        (Region(4, 9.5, start_from="end"), 6, 9.5),
        (Region(5, 30), 5, 10),  # REP-2: the end of a hosted default on a shorter clip
        (Region(30, 0, "end", "end"), 0, 10),
        (Region(0, 10), 0, 10),
    ],
)
def test_ends_count_from_either_side(region: Region, start: float, end: float) -> None:
    (found,) = resolve([region], 10.0)
    assert (found.start, found.end, found.start_from, found.end_from) == (
        start,
        end,
        "start",
        "start",
    )


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (Region(10, 12), "not before the end of the clip"),
        (Region(31, 40), "31.00 s"),
        (Region(3, 3), "empty"),
        (Region(5, 3), "reversed"),
        (Region(0, 10, end_from="end"), "not after the start"),
        (Region(0, 25, end_from="end"), "25.00 s from the end"),
        (Region(0, 0, "end", "end"), "not before the end"),
        (Region(2, 4, "end", "end"), "reversed"),
        (Region(0, 0), "not after the start"),
    ],
)
def test_regions_that_cannot_be_are_refused_with_numbers(region: Region, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        resolve([region], 10.0)


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_a_region_of_no_numbers_is_refused_where_it_is_made(value: float) -> None:
    with pytest.raises(SettingError, match="Region end"):
        Region(0, value)


def test_what_is_cut_off_is_said() -> None:
    assert shortened([Region(1, 2), Region(0, 0, end_from="end")], 10.0) == []
    (note,) = shortened([Region(5, 30)], 10.0)
    assert "30.00" in note
    assert "10.00" in note
    (note,) = shortened([Region(12, 0, "end", "end")], 10.0)
    assert "12.00 s before the end" in note


@settings(max_examples=60, deadline=None)
@given(st.data(), clips())
def test_resolved_regions_are_in_order_and_apart(data: st.DataObject, seconds: float) -> None:
    regions = data.draw(regions_in(seconds))
    found = resolve(regions, seconds)
    assert all(0 <= region.start < region.end <= seconds for region in found)
    assert all(a.end < b.start for a, b in pairwise(found))
    assert resolve(found, seconds) == found
    covered = sum(region.end - region.start for region in found)
    assert covered <= seconds * (1 + 1e-9)
    for region in regions:  # nothing that was asked for is lost
        (one,) = resolve([region], seconds)
        assert any(a.start <= one.start and one.end <= a.end for a in found)


def test_overlapping_regions_become_one_with_the_softer_edge() -> None:
    found = resolve([Region(4, 8, feather=0.5), Region(1, 5), Region(8, 9)], 10.0)
    assert found == (Region(1, 9, feather=0.5),)


def test_hard_frames_are_the_originals() -> None:
    for seconds, frames in ((5, 53), (10, 107), (30, 322), (120, 1291)):
        inside = hard_frames(Region(0, seconds), MAX_FRAMES, 240.0)
        assert int(inside.sum()) == frames
    inside = regenerate([Region(1.5, 4)], 107, 10.0, hard_frames)
    assert inside.shape == (1, 1, 1, 107)
    assert inside.flatten().nonzero().flatten().tolist() == list(range(16, 43))
    with pytest.raises(SettingError, match="no whole frame"):
        regenerate([Region(1.0, 1.01)], 107, 10.0, hard_frames)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, MAX_FRAMES))
def test_a_region_to_the_end_takes_every_frame(frames: int) -> None:
    """Rounding must not lose the last frame, as int() does for 168 of the 2583 lengths."""
    seconds = seconds_of(frames)
    for shape in (hard_frames, soft_frames):
        assert regenerate([Region(0, 240)], frames, seconds, shape).min() == 1


@settings(max_examples=60, deadline=None)
@given(st.data(), clips(), st.integers(0, 1))
def test_masks_are_where_asked(data: st.DataObject, seconds: float, shorter: int) -> None:
    """Also where the clip has a frame less than it could, as with lengths rounded down."""
    frames = frames_of_samples(int(seconds * 44_100)) - shorter
    assume(frames > 0)
    regions = data.draw(regions_in(seconds))
    inside = regenerate(regions, frames, seconds).flatten()
    assert inside.shape == (frames,)
    assert inside.min() >= 0
    assert inside.max() <= 1
    found = resolve(regions, seconds)
    for frame in range(frames):
        start, end = frame * FRAME_SECONDS, (frame + 1) * FRAME_SECONDS
        end = seconds if frame == frames - 1 else end
        touched = any(a.start < end - 1e-6 and start + 1e-6 < a.end for a in found)
        if not touched:  # a part too short to be seen by the check above may still be there
            near = any(a.start < end + 1e-4 and start - 1e-4 < a.end for a in found)
            assert inside[frame] == 0 or near
        else:
            assert inside[frame] > 0


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.integers(0, 40), st.integers(0, 40), st.floats(0, 30), st.booleans())
def test_feathers_are_honoured_at_every_width(
    count: int, before: int, after: int, feather: float, is_first: bool
) -> None:
    """From one frame to the whole region; a region that is wholly new somewhere, always."""
    before = 0 if is_first else before
    frames = before + count + after
    region = Region(seconds_of(before), seconds_of(before + count), feather=feather)
    inside = soft_frames(region, frames, seconds_of(frames))
    assert inside[:before].sum() == 0
    assert inside[before + count :].sum() == 0
    part = inside[before : before + count].double()
    assert part.max() == 1
    assert part.min() > 0
    rising = part[: int(part.argmax()) + 1]
    assert (rising.diff() >= 0).all()
    falling = part[len(part) - 1 - int(part.flip(0).argmax()) :]
    assert (falling.diff() <= 0).all()
    if before and after:
        assert torch.allclose(part, part.flip(0), atol=1e-6)
    soft = float((1 - part).sum())
    edges = (before > 0) + (after > 0)
    width = feather * FRAMES_PER_SECOND
    if edges * width <= count - 1:  # room for all of it: half of each ramp is kept
        assert soft == pytest.approx(edges * width / 2, abs=0.5 * edges)
    if width < 0.5 or not edges:
        assert soft == 0


def test_a_feather_longer_than_the_region_still_makes_it_new() -> None:
    """Ten seconds with 0.3 s, 1 s or more of feather: elsewhere not one frame was made new."""
    for feather in (0.3, 1.0, 5.0, 60.0):
        inside = regenerate([Region(5, 15, feather=feather)], 323, 30.0).flatten()
        assert inside.max() == 1
        wanted = min(feather, 4.96) * FRAMES_PER_SECOND
        assert int(((inside > 0) & (inside < 1)).sum()) == pytest.approx(2 * wanted, abs=2)


@pytest.mark.parametrize("length", [0.001, 0.05, FRAME_SECONDS, 0.1])
def test_a_short_region_is_at_least_a_frame(length: float) -> None:
    inside = regenerate([Region(3, 3 + length, feather=1)], 107, 10.0).flatten()
    assert 1 <= int((inside > 0).sum()) <= 3
    assert inside.max() == 1


@settings(max_examples=200, deadline=None)
@given(st.data(), clips(3600.0), st.floats(5, 240))
def test_windows_hold_their_regions(data: st.DataObject, seconds: float, limit: float) -> None:
    regions = data.draw(regions_in(seconds))
    found = resolve(regions, seconds)
    longest = max(region.end - region.start for region in found)
    if longest > limit + 1e-6:
        with pytest.raises(SettingError, match="at once"):
            windows(regions, seconds, limit)
        return
    stretches = windows(regions, seconds, limit)
    assert tuple(region for stretch in stretches for region in stretch.regions) == found
    for stretch in stretches:
        assert stretch.start >= 0
        assert stretch.end <= seconds + 1e-6
        # As much context as fits.
        assert stretch.end - stretch.start == pytest.approx(min(limit, seconds), abs=1e-5)
        first, last = stretch.regions[0], stretch.regions[-1]
        assert stretch.start <= first.start < last.end <= stretch.end
        if len(stretch.regions) > 1 and seconds > limit:
            assert last.end - first.start + 2 * CONTEXT <= limit + 1e-6
        inner = moved(stretch.regions, stretch.start)
        assert all(0 <= region.start < region.end for region in inner)
    if seconds <= limit:
        assert len(stretches) == 1
    own = territories(stretches)
    assert all(a.end <= b.start for a, b in pairwise(own))
    for stretch, territory in zip(stretches, own, strict=True):
        assert stretch.start <= territory.start <= stretch.regions[0].start
        assert stretch.regions[-1].end <= territory.end <= stretch.end


def test_windows_of_an_hour() -> None:
    regions = [Region(1800, 1830), Region(1850, 1860), Region(5, 10), Region(10, 0, "end", "end")]
    first, middle, last = windows(regions, 3600.0)
    assert (first.start, first.end, len(first.regions)) == (0, 240, 1)
    assert (middle.start, middle.end, len(middle.regions)) == (1710, 1950, 2)
    assert (last.start, last.end, len(last.regions)) == (3360, 3600, 1)
    with pytest.raises(SettingError, match=r"lasts 250\.00 s; at most 240 s"):
        windows([Region(100, 350)], 3600.0)


@given(st.data())
def test_regions_in_writing_are_the_same_again(data: st.DataObject) -> None:
    found = data.draw(regions_in(data.draw(clips())))
    feather = data.draw(st.floats(0, 60))
    found = [replace(region, feather=feather) for region in found]
    assert list(read_regions(spelled(found), feather)) == found


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("", ()),
        (" ; ", ()),
        ("10.5:20", (Region(10.5, 20),)),
        ("10.5:20; -30:-5", (Region(10.5, 20), Region(30, 5, "end", "end"))),
        (" 1 : 2 ;\n3:", (Region(1, 2), Region(3, 0, "start", "end"))),
        (":4", (Region(0, 4),)),
    ],
)
def test_regions_are_read_as_people_write_them(text: str, regions: tuple[Region, ...]) -> None:
    assert read_regions(text) == regions


@pytest.mark.parametrize("text", ["10", "a:b", "1:2:3", "1:2; x", "1-2"])
def test_what_is_no_region_is_named(text: str) -> None:
    with pytest.raises(SettingError, match=r"regions '.*' must be START:END in seconds"):
        read_regions(text)


def test_a_region_must_lie_within_an_hour() -> None:
    with pytest.raises(SettingError, match="Region end is inf"):
        read_regions("1:inf")
