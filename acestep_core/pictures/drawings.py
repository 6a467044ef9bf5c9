"""Drawings of sound files for a page that scrolls over them: each made once, in the background.

    path -> Shelf -> Drawing: overview at once, then peaks, levels and pulse as they are read
                     kept by the hash of the file's bytes, in memory and in a folder
    levels (columns, BANDS) -> tile -> PNG, TILE columns wide, low pitches at the bottom

A file that has changed has another drawing; equal files have one.
"""

from __future__ import annotations

import io
import logging
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch

from ..anonymous import sentence
from ..atomic import FileError, replaced, state_of
from ..settings import SettingError
from ..sound.beats import Pulse, pulse
from ..sound.files import in_pieces
from ..sound.outline import (
    RISE,
    Sketch,
    coarser_levels,
    coarser_peaks,
    overview,
    seconds_of,
)
from ..sound.track import even
from ..weights.download import sha256
from .sound import RANGE_DB, coloured

log = logging.getLogger(__name__)

MOST = 6  # drawings in memory, about 12 MB an hour
BLOCK = 10  # seconds that are read at once
TILE = 256  # columns
SHORT = 90.0  # seconds; what is read faster than it is glanced at
LONGEST = 6 * 3600.0  # seconds that are drawn
SHADES = 256
QUIET = 150  # half decibels: without it the rounding of digital silence would glow


@dataclass(eq=False)
class Drawing:
    """What is drawn of one file; the thread that reads it replaces the arrays as it goes on."""

    path: Path
    seconds: float = 0.0  # by its header until it has been read
    done: float = 0.0  # seconds that have been read
    peaks: np.ndarray = field(default_factory=lambda: np.empty((0, 2), np.int8))
    levels: np.ndarray = field(default_factory=lambda: np.empty((0, 1), np.uint8))
    pulse: Pulse = field(default_factory=Pulse)
    glance: np.ndarray = field(default_factory=lambda: np.empty((0, 2), np.int8))
    trouble: str = ""
    is_finished: bool = False
    is_dropped: bool = False  # nobody asks for it any more
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def loudest(self) -> int:
        return max(int(self.levels.max()) if len(self.levels) else 0, QUIET)

    def peaks_at(self, zoom: int, first: int, count: int) -> bytes:
        """Pairs of int8, least and most, of bins from `first` on at a level of zoom."""
        part = self.peaks[first << 2 * zoom : (first + count) << 2 * zoom]
        return coarser_peaks(part, zoom).tobytes()

    def tile(self, zoom: int, index: int) -> bytes:
        """PNG of columns from TILE * index on; empty where there is none (yet)."""
        first = TILE * index << 2 * zoom
        part = self.levels[first : first + (TILE << 2 * zoom)]
        return tile(coarser_levels(part, zoom), self.loudest) if len(part) else b""


def tile(levels: np.ndarray, loudest: int) -> bytes:
    """Levels (columns, BANDS) in half decibels -> PNG, from RANGE_DB below the loudest up."""
    from PIL import Image

    shade = 1 + (levels.T[::-1].astype(np.float32) - loudest) / (2 * RANGE_DB)
    pixels = np.rint(shade.clip(0, 1) * (SHADES - 1)).astype(np.uint8)
    image = Image.fromarray(pixels, "P")
    image.putpalette(coloured(np.linspace(0, 1, SHADES)).tobytes())
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


class Shelf:
    """Drawings of the files that were asked for last; `folder` keeps them beyond that."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._worker = ThreadPoolExecutor(1, "acesuite-drawing")
        self._kept: OrderedDict[object, Drawing] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, path: Path) -> Drawing:
        """The drawing as it is by now; the first call of a long file takes a glance at it."""
        key = (path, state_of(path))
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                found = self._kept[key] = Drawing(path, seconds_of(path))
                self._worker.submit(self._draw, found)
                self._forget()
            self._kept.move_to_end(key)
        if found.seconds > SHORT and not found.is_finished and not len(found.glance):
            found.glance = overview(path)
        return found

    def _forget(self) -> None:
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)[1].is_dropped = True

    def _draw(self, drawing: Drawing) -> None:
        try:
            if not drawing.is_dropped:
                self._made(drawing)
        except (FileError, SettingError) as error:
            drawing.trouble = sentence(str(error))
        except Exception as error:
            log.exception("%s could not be drawn", drawing.path.name)
            drawing.trouble = f"{drawing.path.name} could not be drawn ({type(error).__name__})."
        finally:
            drawing.ended.set()

    def _made(self, drawing: Drawing) -> None:
        place = self.folder / f"{sha256(drawing.path)[:32]}.npz" if self.folder else None
        if place is None or not _read(drawing, place):
            _draw_all(drawing)
            if place is not None and drawing.is_finished:
                _keep(drawing, place)


def _draw_all(drawing: Drawing) -> None:
    with in_pieces(drawing.path) as pieces:
        first = next(pieces, None)
        if first is None:
            raise FileError(f"{drawing.path} holds no samples. Choose a file that plays elsewhere.")
        sketch, rate = Sketch(first[1]), first[1]
        waves = (torch.from_numpy(wave) for wave, _ in pieces)
        sketch.add(first[0])
        for block in even(waves, BLOCK * rate):
            sketch.add(block.numpy())
            if drawing.is_dropped:
                return
            if sketch.seconds > LONGEST:
                raise SettingError(
                    f"{drawing.path.name} lasts more than {LONGEST / 3600:g} hours, and is not"
                    " drawn. Regions can still be written as numbers."
                )
            _show(drawing, sketch)
    sketch.close()
    drawing.pulse = pulse(sketch.rise, RISE)
    _show(drawing, sketch)
    drawing.seconds = sketch.seconds
    drawing.is_finished = True


def _show(drawing: Drawing, sketch: Sketch) -> None:
    drawing.peaks, drawing.levels = sketch.peaks, sketch.levels
    drawing.done = sketch.seconds
    drawing.seconds = max(drawing.seconds, drawing.done)


def _keep(drawing: Drawing, place: Path) -> None:
    one = drawing.pulse
    place.parent.mkdir(parents=True, exist_ok=True)
    with replaced(place) as temporary, temporary.open("wb") as out:
        np.savez(
            out,
            peaks=drawing.peaks,
            levels=drawing.levels,
            numbers=np.array([drawing.seconds, one.tempo, one.first_bar]),
            beats=np.array(one.beats),
            onsets=np.array(one.onsets),
        )


def _read(drawing: Drawing, place: Path) -> bool:
    """Whether an equal file's drawing is there."""
    try:
        with np.load(place, allow_pickle=False) as kept:
            seconds, tempo, first_bar = kept["numbers"].tolist()
            beats, onsets = (tuple(kept[name].tolist()) for name in ("beats", "onsets"))
            drawing.peaks, drawing.levels = kept["peaks"], kept["levels"]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):  # not there, or half of it
        return False
    drawing.pulse = Pulse(tempo, beats, int(first_bar), onsets)
    drawing.seconds = drawing.done = seconds
    drawing.is_finished = True
    return True
