"""Sound files in and out through PyAV.

    read_audio   path -> decoder -> (C, N) float32, rate
    InFile       path -> decoded once and counted; a stretch of it whenever it is asked for
    write_audio  (C, N) or a track, second by second
                 -> rate the format knows -> clipped, rounded -> encoder -> path

torchaudio is never asked: its loading and saving need a package that often fails to load.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..atomic import FileError, check_place, reason, replaced, state_of
from ..config import LONGEST_SOURCE
from ..settings import SettingError
from . import id3
from .audio import Bad, checked_wave
from .track import Held, Track, even, resampled

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer, OutputContainer

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Encoding:
    """How samples are stored: the encoder's name, its sample format, bits of whole numbers."""

    codec: str
    layout: str  # PyAV's name of the sample format; a final "p" = one row per channel
    bits: int = 0  # 0 = floating point


@dataclass(frozen=True)
class Format:
    container: str
    encodings: Mapping[int, Encoding]  # by the bits asked for; 0 = has no such choice
    rates: tuple[int, ...] = ()  # Hz, rising; empty = any
    kilobits: int = 0  # usual rate per second of a lossy format
    known: tuple[int, ...] = ()  # the only such rates it has; empty = any
    few: int = 0  # below so many music suffers audibly
    names: Mapping[str, str] = field(default_factory=dict)  # of tags, where it has its own
    options: Mapping[str, str] = field(default_factory=dict)  # of FFmpeg's muxer


VORBIS = {name: name.upper() for name in ("title", "genre", "lyrics")}


FORMATS = {
    ".flac": Format(
        "flac",
        {16: Encoding("flac", "s16", 16), 24: Encoding("flac", "s32", 24)},
        names=VORBIS,
    ),
    ".wav": Format(
        "wav",
        {
            16: Encoding("pcm_s16le", "s16", 16),
            24: Encoding("pcm_s24le", "s32", 24),
            32: Encoding("pcm_f32le", "flt"),
        },
    ),
    ".mp3": Format(
        "mp3",
        {0: Encoding("libmp3lame", "fltp")},
        (32_000, 44_100, 48_000),
        256,
        (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
        96,
    ),
    ".opus": Format(
        "opus",
        {0: Encoding("libopus", "flt")},
        (48_000,),
        160,
        few=48,
        names=VORBIS,
        options={"fflags": "bitexact"},  # else the stream has a number drawn by chance
    ),
}

# Zero and full scale of each whole-number format a decoder delivers.
ZERO_AND_SCALE = {"uint8": (128, 2**7), "int16": (0, 2**15), "int32": (0, 2**31)}


@dataclass(frozen=True)
class Written:
    """What was really written."""

    path: Path
    rate: int  # Hz; another than asked for where the format does not know that one
    samples: int  # per channel
    clipped: int  # samples over full scale that were cut to it
    notes: tuple[str, ...] = ()  # what went otherwise than asked


def read_audio(path: str | Path) -> tuple[Tensor, int]:
    """The first audio track of a file: (C, N) float32 from -1 to 1, and its rate in Hz."""
    with _opened(Path(path)) as frames:
        pieces = list(frames)
    if not pieces:
        raise _no_samples(path)
    return torch.from_numpy(np.concatenate([piece for piece, _ in pieces], axis=1)), pieces[0][1]


@contextmanager
def in_pieces(path: Path) -> Iterator[Iterator[tuple[np.ndarray, int]]]:
    """The decoded pieces (C, n) of a file as they come, each with the rate in Hz; what of it is
    damaged is left out in silence."""
    with _opened(path, says=False) as frames:
        yield frames


class InFile(Track):
    """The first audio track of a file, as `read_audio` gives it, but never all at once.

    It is decoded to its end when it is opened: what a header says of its length may be wrong.
    What is read is decoded from the beginning, since a decoder that starts in the middle gives
    other samples in some formats; a short stretch is kept with some seconds around it. `rules` are
    FFmpeg's own for a file that somebody else has brought, and `look` is called all along while it
    is opened; it may raise to cancel.
    """

    AROUND = 5.0  # seconds

    def __init__(
        self,
        path: str | Path,
        label: str = "The source",
        rules: Mapping[str, str] | None = None,
        look: Callable[[], object] = lambda: None,
    ) -> None:
        self.path, self._rules, self._state = Path(path), rules, state_of(path)
        self.channels = self.samples = self.rate = 0
        with _opened(self.path, rules=rules) as frames:
            bad: Bad | None = None
            for piece, rate in frames:
                look()
                bad = bad or Bad(rate)
                bad.look(torch.from_numpy(piece))
                self.channels, self.rate = len(piece), rate
                self.samples += piece.shape[1]
                if self.samples > LONGEST_SOURCE * rate:  # a small file may hold weeks of silence
                    raise SettingError(
                        f"{label} lasts more than {LONGEST_SOURCE:g} s, the most that can be"
                        " worked on. Cut it into parts."
                    )
        if bad is None:
            raise _no_samples(path)
        bad.check(label)
        self._kept = self._read(0, 0)
        self._first = 0

    def part(self, first: int, last: int) -> Tensor:
        inner = slice(first - self._first, last - self._first)
        if inner.start >= 0 and inner.stop <= self._kept.shape[-1]:
            return self._kept[:, inner]
        around = round(self.AROUND * self.rate)
        if last - first > 2 * around:
            return self._read(first, last)
        self._first = max(first - around, 0)
        self._kept = self._read(self._first, min(last + around, self.samples))
        return self.part(first, last)

    def blocks(self, size: int) -> Iterator[Tensor]:
        with self._again() as frames:
            yield from even((torch.from_numpy(piece) for piece, _ in frames), size)

    def _read(self, first: int, last: int) -> Tensor:
        found, place = torch.empty(self.channels, last - first), 0
        if first == last:
            return found
        with self._again() as frames:
            for piece, _ in frames:
                start, end = max(first, place), min(last, place + piece.shape[1])
                if start < end:
                    found[:, start - first : end - first] = torch.from_numpy(
                        piece[:, start - place : end - place]
                    )
                place += piece.shape[1]
                if place >= last:
                    return found
        raise self._changed()

    @contextmanager
    def _again(self) -> Iterator[Iterator[tuple[np.ndarray, int]]]:
        """The decoded pieces once more, of the file that was opened."""
        if state_of(self.path) != self._state:
            raise self._changed()
        with _opened(self.path, says=False, rules=self._rules) as frames:
            yield frames

    def _changed(self) -> FileError:
        return FileError(
            f"{self.path} is shorter than it was before, or another one. Leave it as it is"
            " meanwhile, and begin again."
        )


def _no_samples(path: str | Path) -> FileError:
    return FileError(f"{path} holds no samples. Choose a file that plays elsewhere.")


def write_audio(
    path: str | Path,
    wave: Tensor | Track,
    rate: int,
    *,
    tags: Mapping[str, str] | None = None,
    bits: int = 16,
    kilobits: int | None = None,
) -> Written:
    """Write (C, N), or a track, as the extension says.

    Tags go into the file; WAV keeps the usual ones only.
    The names that players look for are `title`, `genre`, `comment` and `lyrics`, in every format.
    `bits` is for WAV (16, 24, 32 = floating point) and FLAC (16, 24), `kilobits` per second for
    MP3 and Opus.
    """
    path = check_writable(path)
    sound_format = FORMATS[path.suffix.lower()]
    encoding = _encoding(path, sound_format, bits)
    track = wave if isinstance(wave, Track) else Held(_one_clip(wave, rate), rate)
    track = resampled(track, _nearest_rate(rate, sound_format.rates))
    labels = {sound_format.names.get(name, name): _text(one) for name, one in (tags or {}).items()}
    av, named = _pyav(), sound_format.container
    words = {name: labels.pop(name) for name in id3.FRAMES if named == "mp3" and name in labels}
    try:
        with (
            replaced(path) as temporary,
            av.open(str(temporary), "w", named, dict(sound_format.options)) as container,
        ):
            container.metadata.update(labels)
            stream = container.add_stream(encoding.codec, rate=track.rate)
            if sound_format.kilobits:
                stream.bit_rate = 1000 * rate_of(sound_format, kilobits)
            clipped = _encode(container, stream, track, encoding)
            container.close()
            if words:
                id3.add_words(temporary, words)
    except av.FFmpegError as error:
        raise FileError(f"{path} could not be written ({reason(error)}).") from error
    cut = f"{clipped} samples were over full scale and are clipped."
    if clipped:
        log.warning("%s: %s", path.name, cut)
    notes = (*[cut] * bool(clipped), *_notes(path, sound_format, kilobits))
    return Written(path, track.rate, track.samples, clipped, notes)


def rate_of(sound_format: Format, kilobits: int | None) -> int:
    """The kilobits per second that are written where so many are asked for."""
    asked = kilobits or sound_format.kilobits
    return min(sound_format.known or (asked,), key=lambda known: abs(known - asked))


def _notes(path: Path, sound_format: Format, kilobits: int | None) -> tuple[str, ...]:
    if not kilobits or not sound_format.kilobits:
        return ()
    name, written, notes = path.suffix[1:].upper(), rate_of(sound_format, kilobits), []
    if written != kilobits:
        notes.append(f"{name} has no {kilobits} kbit/s: {written} were written.")
    if written < sound_format.few:
        notes.append(
            f"{written} kbit/s is little for music: {name} sounds well from {sound_format.few} on"
            f" and usually takes {sound_format.kilobits}."
        )
    return tuple(notes)


def _text(value: str) -> str:
    """As every format can hold it: half a surrogate pair or a null would end the file's tags."""
    return value.replace("\0", "").encode("utf-8", "replace").decode()


def check_writable(path: str | Path) -> Path:
    """The path, if a sound file can be written there. Call it before the work, not after."""
    path = Path(path)
    if path.suffix.lower() not in FORMATS and not os.path.isdir(path):
        given = f"the extension {path.suffix!r}" if path.suffix else "no extension"
        raise FileError(f"{path} has {given}; a sound file ends in one of: {', '.join(FORMATS)}.")
    path = check_place(path)
    av = _pyav()
    for encoding in FORMATS[path.suffix.lower()].encodings.values():
        try:
            av.Codec(encoding.codec, "w")
        except ValueError as error:
            raise FileError(
                f"{path} needs the encoder {encoding.codec}, which this build of the package av "
                "does not have. Choose .wav or .flac."
            ) from error
    return path


def _check_readable(path: Path) -> None:
    try:
        if os.path.isdir(path):
            raise FileError(f"{path} is a folder. Choose a sound file in it.")
        if not path.exists():
            raise FileError(f"{path} does not exist. Check the name and the folder.")
        if path.is_file() and path.stat().st_size == 0:
            raise FileError(f"{path} is empty (0 bytes). It was probably not written to the end.")
    except OSError as error:
        raise FileError(f"{path} cannot be read ({reason(error)}).") from error


@contextmanager
def _opened(
    path: Path, says: bool = True, rules: Mapping[str, str] | None = None
) -> Iterator[Iterator[tuple[np.ndarray, int]]]:
    """The decoded pieces of a file, as they come; it may say what of it is damaged."""
    _check_readable(path)
    av = _pyav()
    try:
        with av.open(os.path.abspath(path), options=dict(rules or {})) as container:
            if not container.streams.audio:
                raise FileError(f"{path} has no audio track. Choose a sound file.")
            yield _decoded(path, container, says)
    except (av.FFmpegError, OSError) as error:
        raise FileError(
            f"{path} cannot be read as sound ({reason(error)}). "
            "Choose a WAV, FLAC, MP3, Opus, OGG or M4A file that plays elsewhere."
        ) from error


def _decoded(path: Path, container: InputContainer, says: bool) -> Iterator[tuple[np.ndarray, int]]:
    """Every decoded piece (C, n) of the first audio track, and the rate in Hz."""
    damage = _pyav().error.InvalidDataError
    shapes: set[tuple[int, int]] = set()
    damaged = 0
    # The last packet is empty: it flushes the decoder.
    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except damage:
            damaged += 1
            continue
        for frame in frames:
            shapes.add((frame.layout.nb_channels, frame.sample_rate))
            if len(shapes) > 1:
                raise FileError(
                    f"{path} changes its channels or sample rate on the way: {sorted(shapes)}. "
                    "Convert it to WAV or FLAC first."
                )
            yield _scaled(path, frame), frame.sample_rate
    if damaged and shapes and says:
        log.warning("%s: %d damaged packets were skipped", path, damaged)


def _scaled(path: Path, frame: AudioFrame) -> np.ndarray:
    """One decoded frame as (C, n) float32 from -1 to 1."""
    channels = frame.layout.nb_channels
    try:
        samples = frame.to_ndarray()
    except (ValueError, KeyError) as error:
        raise FileError(
            f"{path} holds samples of the kind {frame.format.name}, which cannot be read. "
            "Convert it to WAV or FLAC of 16 or 24 bits."
        ) from error
    if not frame.format.is_planar:
        samples = samples.reshape(-1, channels).T
    if samples.dtype.name in ZERO_AND_SCALE:
        zero, scale = ZERO_AND_SCALE[samples.dtype.name]
        samples = (samples.astype(np.float64) - zero) / scale
    return samples.astype(np.float32)


def _one_clip(wave: Tensor, rate: int) -> Tensor:
    wave = checked_wave("The audio to write", wave.detach().cpu(), rate)
    if wave.ndim != 2 or wave.shape[0] > 2:
        raise SettingError(
            f"The audio to write has the shape {tuple(wave.shape)}; it must be one clip, "
            "(channels, samples), of one or two channels. Write the clips of a batch one by one."
        )
    return wave


def _encoding(path: Path, sound_format: Format, bits: int) -> Encoding:
    choices = sound_format.encodings
    if 0 in choices:
        return choices[0]
    if bits not in choices:
        raise SettingError(
            f"Bits per sample is {bits}; a {path.suffix} file can have one of: "
            f"{', '.join(map(str, choices))}."
        )
    return choices[bits]


def _nearest_rate(rate: int, rates: tuple[int, ...]) -> int:
    """The lowest rate the format knows that loses nothing, or its highest."""
    return next((known for known in rates if known >= rate), rates[-1]) if rates else rate


def _samples(wave: Tensor, encoding: Encoding) -> tuple[np.ndarray, int]:
    """(C, N) as the encoder takes it, and how many samples were over full scale."""
    values = wave.numpy()
    if encoding.codec == "pcm_f32le":
        return values, 0
    clipped = int((np.abs(values) > 1).sum())
    if not encoding.bits:
        return values.clip(-1, 1), clipped
    scale = 2 ** (encoding.bits - 1)
    whole = np.rint(values.astype(np.float64) * scale).clip(-scale, scale - 1)
    if encoding.layout == "s16":
        return whole.astype(np.int16), clipped
    # 24 bits travel in the upper part of 32.
    return whole.astype(np.int32) << (32 - encoding.bits), clipped


def _encode(
    container: OutputContainer, stream: AudioStream, track: Track, encoding: Encoding
) -> int:
    """Feed a track to the encoder second by second, then empty it: samples over full scale."""
    rate, layout = stream.rate, "stereo" if track.channels == 2 else "mono"
    stream.format, stream.layout = encoding.layout, layout
    clipped = first = 0
    for block in track.blocks(rate):
        piece, over = _samples(block, encoding)
        if not encoding.layout.endswith("p"):
            piece = piece.T.reshape(1, -1)
        frame = _pyav().AudioFrame.from_ndarray(
            np.ascontiguousarray(piece), format=encoding.layout, layout=layout
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
        container.mux(stream.encode(frame))
        clipped, first = clipped + over, first + block.shape[-1]
    container.mux(stream.encode(None))
    return clipped


def _pyav() -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise FileError(
            f"Sound files need the package av, which does not load ({error}). "
            "Install it with: pip install av"
        ) from error
    return av
