"""What decoded sound is looked at for: values that are no numbers, DC, clicks where pieces meet.

a tile of 16 bits, what came before it -> flaw_of -> "" or the flaw: it is made again in float32
two tiles where they overlap           -> Borders -> a warning, which is told
a result, where it was joined          -> is_click -> a warning

Music has steps of its own, and may have one right at a border. Two tiles have computed the same
few samples there: where these are alike nothing was broken, however loud the step.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from torch import Tensor

MOST_OFFSET = 0.08  # mean of the samples; music has a hundredth of it
CLICK = 4.0  # a step so many times the largest near by is heard as a click
LEAST_CLICK = 0.02  # of full scale: smaller ones are not heard
NEAR = 256  # samples on each side that a step is compared to
NO_NUMBERS, DC, CLICKS = "values that are not numbers", "DC", "a click"
OVERLAP = 8  # samples before a tile's own that it is compared to the tile before it in

log = logging.getLogger(__name__)
_listeners: ContextVar[list[str] | None] = ContextVar("listeners", default=None)


@contextmanager
def listening() -> Iterator[list[str]]:
    """Within it, in this thread, what is wrong with a sound is told there and not in the log."""
    told: list[str] = []
    mark = _listeners.set(told)
    try:
        yield told
    finally:
        _listeners.reset(mark)


def tell(text: str) -> None:
    told = _listeners.get()
    if told is None:
        log.warning(text)
    else:
        told.append(text)


def asked(found: Tensor) -> list[float]:
    """The numbers of a few values (n,), in one question to their device."""
    return found.tolist()


def offset_of(wave: Tensor) -> float:
    """How far the channel of wave (..., N) that is farthest off lies from the middle."""
    return max(asked(wave.mean(-1).flatten()), key=abs, default=0.0)


def is_click(wave: Tensor, place: int) -> bool:
    """Whether a channel of wave (C, N) steps to its sample `place` as it does nowhere near by."""
    return bool(asked(_clicks(wave, place)[None])[0])


def _clicks(wave: Tensor, place: int) -> Tensor:
    """The same, where the wave is."""
    start = max(place - NEAR, 0)
    steps, at = wave[:, start : place + NEAR].diff().abs(), place - 1 - start
    none = wave.new_zeros((), dtype=torch.bool)
    if at < 1 or at + 2 > steps.shape[-1]:
        return none
    step = steps[:, at]
    usual = torch.cat((steps[:, : at - 1], steps[:, at + 2 :]), -1)
    if not usual.shape[-1]:
        return none
    return ((step > LEAST_CLICK) & (step > CLICK * usual.amax(-1))).any()


def no_numbers(x: Tensor) -> str:
    return "" if bool(torch.isfinite(x).all()) else NO_NUMBERS


def flaw_of(tile: Tensor, before: Tensor | None = None) -> str:
    """What is wrong with a tile of sound (C, n), which follows `before` (C, m); empty: nothing.
    Its device is asked once."""
    clicks = tile.new_zeros((), dtype=torch.bool)
    if before is not None:
        joined = torch.cat((before[:, -NEAR:], tile[:, :NEAR]), -1)
        clicks = _clicks(joined, min(before.shape[-1], NEAR))
    is_finite, is_off = torch.isfinite(tile).all(), tile.mean(-1).abs().amax() > MOST_OFFSET
    found = asked(torch.stack((~is_finite, is_off, clicks)))
    named = zip((NO_NUMBERS, DC, CLICKS), found, strict=True)
    return next((name for name, is_there in named if is_there), "")


class Borders:
    """Where the tiles of a sound meet; nothing is asked of the device before the end."""

    def __init__(self, rate: int) -> None:
        self._rate, self._ends = rate, dict[int, Tensor]()
        self._gaps: list[tuple[int, Tensor]] = []

    def meet(self, first: int, tile: Tensor, lead: int) -> None:
        """A tile (C, lead + n), whose own samples begin at `first` of the sound."""
        before = self._ends.pop(first, None)
        if before is not None and lead:
            self._gaps.append((first, (tile[:, :lead] - before[:, -lead:]).abs().amax()))
        self._ends[first + tile.shape[-1] - lead] = tile[:, -OVERLAP:].clone()

    def tell(self) -> None:
        """Say where one tile does not go on as the other ended."""
        if not self._gaps:
            return
        starts, gaps = zip(*self._gaps, strict=True)
        sizes = zip(starts, asked(torch.stack(gaps)), strict=True)
        if places := [first for first, size in sizes if size > LEAST_CLICK]:
            seconds = ", ".join(f"{place / self._rate:.2f}" for place in places)
            tell(
                f"There may be a click at {seconds} s of what was decoded: two tiles do not fit"
                " there. Decode again; where it stays, the device computes wrongly."
            )
