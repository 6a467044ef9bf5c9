"""Regions of a clip: where they lie, which frames are made new, which stretch is worked on.

    "10.5:20; -30:-5" -> Regions
    Regions -> resolve -> regenerate (1, 1, 1, T)   1 = make new, 0 = keep, soft in between
                       -> windows                   stretches of a long source, 240 s at most

A resolved region counts from the start of the clip; resolving it again changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ..config import FRAMES_PER_SECOND, MAX_SECONDS
from ..settings import ENDS, SettingError
from ..types import Region

CONTEXT = 15.0  # seconds kept free on each side when regions are put into one window
FROM_START, FROM_END = ENDS
NEAR = 1e-6  # seconds or frames that float arithmetic may be off

Shape = Callable[[Region, int, float], Tensor]  # region, frames, seconds of the clip -> (T,)


@dataclass(frozen=True)
class Window:
    """A stretch of a source, in seconds, and the regions in it, in the source's time."""

    start: float
    end: float
    regions: tuple[Region, ...]


def spelled(regions: Sequence[Region]) -> str:
    """Regions as people write them, "10.5:20; -30:-5"; their feathers are not in it."""

    def place(seconds: float, counted_from: str) -> str:
        digits = str(int(seconds)) if seconds == int(seconds) else repr(float(seconds))
        return f"-{digits}" if counted_from == FROM_END else digits

    return "; ".join(
        f"{place(one.start, one.start_from)}:{place(one.end, one.end_from)}" for one in regions
    )


def read_regions(text: str, feather: float = 0.0, label: str = "regions") -> tuple[Region, ...]:
    """START:END in seconds, several with ; or a line each; -5 is 5 s before the end of the clip,
    an empty end its end. Raises SettingError, which names `label`."""
    words = (word.strip() for word in text.replace("\n", ";").split(";"))
    return tuple(_read(word, feather, label) for word in words if word)


def _read(word: str, feather: float, label: str) -> Region:
    start, colon, end = (part.strip() for part in word.partition(":"))
    try:
        first, last = (abs(float(part)) for part in (start or "0", end or "0"))
    except ValueError:
        colon, first, last = "", 0.0, 0.0
    if not colon:
        raise SettingError(
            f"{label} {word!r} must be START:END in seconds, such as 10.5:20 or -30:-5."
        )
    start_from = FROM_END if start.startswith("-") else FROM_START
    end_from = FROM_END if end.startswith("-") or not end else FROM_START
    return Region(first, last, start_from, end_from, feather)


def resolve(regions: Sequence[Region], seconds: float) -> tuple[Region, ...]:
    """The regions of a clip, counted from its start, within it, in order and apart."""
    placed = (_placed(region, seconds) for region in regions)
    apart: list[Region] = []
    for region in sorted(placed, key=lambda region: (region.start, region.end)):
        if apart and region.start <= apart[-1].end:
            last = apart.pop()
            region = Region(
                last.start,
                max(last.end, region.end),
                feather=max(last.feather, region.feather),
            )
        apart.append(region)
    return tuple(apart)


def shortened(regions: Sequence[Region], seconds: float) -> list[str]:
    """What `resolve` cuts off because it lies beyond the clip, in words."""
    notes: list[str] = []
    for region in regions:
        start, end = _ends(region, seconds)
        if end > seconds + NEAR:
            notes.append(
                f"A region ends at {end:.2f} s; the clip ends at {seconds:.2f} s, so it ends there."
            )
        if start < -NEAR:
            notes.append(
                f"A region starts {region.start:.2f} s before the end; the clip has "
                f"{seconds:.2f} s, so it starts with the clip."
            )
    return notes


def moved(regions: Sequence[Region], start: float) -> tuple[Region, ...]:
    """Resolved regions in the time of a window that begins at `start` seconds."""
    return tuple(
        Region(max(region.start - start, 0.0), max(region.end - start, 0.0), feather=region.feather)
        for region in regions
    )


def _ends(region: Region, seconds: float) -> tuple[float, float]:
    """Start and end in seconds from the clip's start; they may lie outside the clip."""
    start = seconds - region.start if region.start_from == FROM_END else region.start
    end = seconds - region.end if region.end_from == FROM_END else region.end
    return start, end


def _placed(region: Region, seconds: float) -> Region:
    start, end = _ends(region, seconds)
    if start >= seconds:
        raise SettingError(
            f"Region start ({start:.2f} s) is not before the end of the clip ({seconds:.2f} s)."
            " Lower it, or use Extend to add music."
        )
    if end <= 0:
        raise SettingError(
            f"Region end ({region.end:.2f} s from the {region.end_from}) is not after the start of"
            f" the clip, which lasts {seconds:.2f} s. Choose an end inside the clip."
        )
    if end == start:
        raise SettingError(
            f"The region is empty: it starts and ends at {start:.2f} s. Raise its end."
        )
    if end < start:
        raise SettingError(
            f"The region is reversed: it starts at {start:.2f} s and ends at {end:.2f} s of"
            f" {seconds:.2f} s. Exchange the two, or check from where each is counted."
        )
    return Region(max(start, 0.0), min(end, seconds), feather=region.feather)


def hard_frames(region: Region, frames: int, seconds: float) -> Tensor:
    """(T,) of 0 and 1: both ends rounded down to a frame, as the original does."""
    first, last = (math.floor(_frame(end)) for end in (region.start, region.end))
    if last <= first:
        raise SettingError(
            f"The region from {region.start:.2f} to {region.end:.2f} s holds no whole frame of"
            f" {1 / FRAMES_PER_SECOND:.3f} s in original mode. Make it longer."
        )
    inside = torch.zeros(frames)
    inside[first:last] = 1
    return inside


def soft_frames(region: Region, frames: int, seconds: float) -> Tensor:
    """(T,) from 0 to 1: every frame that the region touches, rising and falling over its feather.

    The ramps are raised cosines inside the region, read in the middle of each frame. An edge
    that is the clip's own has none, and both are shortened until one frame is wholly new.
    """
    is_first, is_last = region.start <= NEAR, region.end >= seconds - NEAR
    last = frames if is_last else min(math.ceil(_frame(region.end)), frames)
    first = min(math.floor(_frame(region.start)), last - 1)
    feather = region.feather * FRAMES_PER_SECOND
    rise, fall = 0.0 if is_first else feather, 0.0 if is_last else feather
    if rise + fall > last - first - 1:
        share = (last - first - 1) / (rise + fall)
        rise, fall = rise * share, fall * share
    inside = torch.zeros(frames)
    middle = torch.arange(last - first, dtype=torch.float64) + 0.5
    inside[first:last] = torch.minimum(_ramp(middle, rise), _ramp(middle.flip(0), fall)).float()
    return inside


def _ramp(distance: Tensor, width: float) -> Tensor:
    """Raised cosine: 0 at distance 0, 1 from `width` frames on."""
    share = (distance / max(width, NEAR)).clamp(0, 1)
    return torch.sin(share * math.pi / 2) ** 2


def _frame(seconds: float) -> float:
    """A place in frames; what rounding in the last digits hides is put right."""
    return round(seconds * FRAMES_PER_SECOND, 6)


def regenerate(
    regions: Sequence[Region], frames: int, seconds: float, shape: Shape = soft_frames
) -> Tensor:
    """regenerate (1, 1, 1, T): 1 where frames of a clip of so many seconds are made new."""
    inside = torch.zeros(frames)
    for region in resolve(regions, seconds):
        inside = torch.maximum(inside, shape(region, frames, seconds))
    return inside.view(1, 1, 1, -1)


def windows(regions: Sequence[Region], seconds: float, limit: float = MAX_SECONDS) -> list[Window]:
    """Stretches of at most `limit` seconds around the regions, with as much context as fits.

    Regions share a stretch where that leaves some context on both sides. Stretches may
    overlap; the regions in them do not.
    """
    groups: list[list[Region]] = []
    for region in resolve(regions, seconds):
        if region.end - region.start > limit + NEAR:
            raise SettingError(
                f"The region from {region.start:.2f} to {region.end:.2f} s lasts"
                f" {region.end - region.start:.2f} s; at most {limit:g} s can be made at once."
                " Shorten it, or split it and make the parts one after the other."
            )
        fits = groups and region.end - groups[-1][0].start + 2 * CONTEXT <= limit
        if fits or seconds <= limit:
            groups = groups or [[]]
            groups[-1].append(region)
        else:
            groups.append([region])
    return [_window(tuple(group), seconds, limit) for group in groups]


def _window(group: tuple[Region, ...], seconds: float, limit: float) -> Window:
    length = min(limit, seconds)
    middle = (group[0].start + group[-1].end) / 2
    start = min(max(middle - length / 2, 0.0), seconds - length)
    # Rounding must not put an edge of a region outside.
    start = min(start, group[0].start)
    return Window(start, max(start + length, group[-1].end), group)


def territories(stretches: Sequence[Window]) -> list[Region]:
    """What each of these windows may replace when it is put back whole: where they overlap, up
    to the middle between their regions."""
    inner = [
        (one.regions[-1].end + other.regions[0].start) / 2 for one, other in pairwise(stretches)
    ]
    return [
        Region(max(stretch.start, left), min(stretch.end, right))
        for stretch, left, right in zip(stretches, [0.0, *inner], [*inner, math.inf], strict=True)
    ]
