"""Whether a file is sound that may be worked on: found out by decoding it, whatever it claims.

    first bytes -> kind -> demuxer of that kind alone -> every frame decoded, counted, dropped

Durations in a header are not read at all. Playlists and the like, which make a decoder open
other files, are no kind here; the decoder may read nothing but the file.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config import LONGEST_SOURCE
from ..settings import limits_of
from .errors import RequestError

if TYPE_CHECKING:
    from av.container import InputContainer

MOST_SECONDS = LONGEST_SOURCE
MOST_CHANNELS = 2
MOST_VALUES = int(MOST_SECONDS) * 96_000 * 2  # samples of all channels: what has to fit in memory
MOST_WORK = 300.0  # seconds of decoding
_most_work = ContextVar("most_work", default=math.inf)

# Name of FFmpeg's demuxer and the extension it goes by, by the first bytes.
STARTS = (
    (b"fLaC", 0, "flac", ".flac"),
    (b"OggS", 0, "ogg", ".ogg"),
    (b"RIFF", 0, "wav", ".wav"),
    (b"RF64", 0, "wav", ".wav"),
    (b"ftyp", 4, "mov", ".m4a"),
)
FRAME_STARTS = (0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3)  # second byte of an MP3 frame, layer 3
MOST_PADDING = 64 * 1024  # zeros between an ID3 tag and the first frame


@dataclass(frozen=True)
class Sound:
    """What was decoded."""

    seconds: float
    rate: int  # Hz
    channels: int


def extension_of(path: Path) -> str:
    """What the file is, by its first bytes; RequestError for anything but sound."""
    return _kind(path)[1]


def rules_of(path: Path) -> dict[str, str]:
    """For FFmpeg: it may take the file for nothing else, and read nothing beside it."""
    # Its own probe sees the same kind: a file of two kinds is refused by the whitelist.
    return {"format_whitelist": _kind(path)[0], "protocol_whitelist": "file"}


def checked(path: Path) -> Sound:
    """Decode it all once; RequestError for what is no sound, too long or too large."""
    stat = path.stat()
    return _checked(path, (stat.st_ino, stat.st_size, stat.st_mtime_ns))


class UnfinishedError(Exception):
    """It takes longer than there was time; nothing is wrong with the file so far."""


@contextmanager
def hurried(seconds: float) -> Iterator[None]:
    """Within it, in this thread, decoding takes so long at most: UnfinishedError."""
    mark = _most_work.set(seconds)
    try:
        yield
    finally:
        _most_work.reset(mark)


@lru_cache(256)
def _checked(path: Path, state: tuple[int, ...]) -> Sound:
    """`state` changes with the file: an hour is not decoded for every request about it."""
    av, rules = _pyav(), rules_of(path)
    try:
        with av.open(os.path.abspath(path), options=rules) as container:
            if not container.streams.audio:
                raise RequestError("The file has no audio track.")
            return _counted(container)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, RequestError):
            raise
        text = getattr(error, "strerror", None) or type(error).__name__
        raise RequestError(f"The file cannot be decoded as sound ({text}).") from None


def _counted(container: InputContainer) -> Sound:
    damage = _pyav().error.InvalidDataError
    stream = container.streams.audio[0]
    most = min(_most_work.get(), MOST_WORK)
    samples, shapes, until = 0, set[tuple[int, int]](), time.monotonic() + most
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except damage:
            raise _damaged(samples, shapes) from None
        for frame in frames:
            shapes.add((frame.layout.nb_channels, frame.sample_rate))
            samples += frame.samples
            _check_shape(shapes, samples)
        if time.monotonic() > until:
            if most < MOST_WORK:
                raise UnfinishedError
            raise RequestError(f"Decoding takes longer than {MOST_WORK:g} s.")
    if not samples:
        raise RequestError("The file holds no samples.")
    ((channels, rate),) = shapes
    return Sound(samples / rate, rate, channels)


def _damaged(samples: int, shapes: set[tuple[int, int]]) -> RequestError:
    """Of what comes after nothing is known; ComfyUI's LoadAudio stops at the same place."""
    place = f"{samples / next(iter(shapes))[1]:.1f} s" if shapes else "its beginning"
    return RequestError(
        f"The file is damaged at {place} and would not be read to its end. Convert it once more,"
        " or export it again."
    )


def _check_shape(shapes: set[tuple[int, int]], samples: int) -> None:
    if len(shapes) > 1:
        raise RequestError(f"The file changes channels or rate on its way: {sorted(shapes)}.")
    channels, rate = next(iter(shapes))
    if not 1 <= channels <= MOST_CHANNELS:
        raise RequestError(f"The file has {channels} channels; 1 to {MOST_CHANNELS} are taken.")
    least, most = limits_of("sample_rate")
    if not least <= rate <= most:
        raise RequestError(f"The file has {rate} Hz; {least} to {most} are taken.")
    if samples > MOST_SECONDS * rate:
        raise RequestError(f"The file is longer than {MOST_SECONDS / 60:g} minutes.", status=413)
    if samples * channels > MOST_VALUES:
        raise RequestError(
            f"The file has more than {MOST_VALUES} samples (an hour in stereo at 96000 Hz).",
            status=413,
        )


def _kind(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        head = file.read(12)
        for mark, place, demuxer, extension in STARTS:
            if head[place : place + len(mark)] == mark:
                return demuxer, extension
        offset = 0
        while head[:3] == b"ID3" and len(head) >= 10:  # tags may follow one another
            offset += 10 + _size_of_tag(head)
            file.seek(offset)
            head = file.read(12)
        file.seek(offset)
        rest = (head + file.read(MOST_PADDING)[len(head) :]).lstrip(b"\0")
    if len(rest) > 1 and rest[0] == 0xFF and rest[1] in FRAME_STARTS:
        return "mp3", ".mp3"
    raise RequestError("The file is not MP3, WAV, FLAC, OGG or M4A.")


def _size_of_tag(head: bytes) -> int:
    """ID3 keeps seven bits of a size in each byte."""
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 127
    return size


def _pyav() -> Any:
    import av

    return av
