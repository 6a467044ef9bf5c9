"""AUDIO and LATENT as ComfyUI's nodes hand them on, and the way between the two.

    AUDIO {"waveform": (B, C, N), "sample_rate"}    LATENT {"samples": (B, 8, 16, T), "type"}
    AUDIO of a file, Streamed: its tracks are read where they are needed

Where memory is short both ways go on in smaller tiles. What was encoded is remembered for as
long as ComfyUI keeps the sound: the settings of a task change far more often than its source.
"""

from __future__ import annotations

import hashlib
import logging
import weakref
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Final, TypeAlias, TypedDict

import torch
from torch import Tensor, nn

from ..acestep_core.networks.memory import first_that_fits
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.records.latents import not_lost as keeping
from ..acestep_core.settings import SettingError
from ..acestep_core.sound.audio import checked_wave
from ..acestep_core.sound.tiles import Heard, Tiles
from ..acestep_core.sound.track import Held, Track
from ..acestep_core.types import Latent
from . import host

log = logging.getLogger(__name__)

# What we add: to a sound what made it, to a latent what for and the seeds of its clips.
KEY: Final = "acesuite"
SEEDS: Final = "acesuite_seeds"


class _Audio(TypedDict):
    waveform: Tensor  # (B, C, N) float32
    sample_rate: int  # Hz


class Loaded(_Audio, total=False):
    """ComfyUI's AUDIO."""

    acesuite: object  # shown.About


@dataclass(frozen=True, eq=False)
class Streamed(Mapping[str, Any]):
    """AUDIO of clips that lie in files: our nodes read stretches of its tracks. Whoever asks for
    the waveform gets all of it, which is held from then on."""

    tracks: Sequence[Track]  # each clip, all of one length
    file: str = ""  # as ComfyUI's loader names it, where it is one as it is
    path: Path | None = field(default=None, repr=False)  # of that file; pages may print it
    about: object = field(default=None, repr=False)  # shown.About

    def __eq__(self, other: object) -> bool:
        """Each is itself alone: to compare two would read both."""
        return self is other

    def __hash__(self) -> int:
        return id(self)

    @cached_property
    def waveform(self) -> Tensor:
        return host.handed_on(stacked(self.tracks))

    def __getitem__(self, name: str) -> Any:
        if name == "waveform":
            return self.waveform
        if name == "sample_rate":
            return self.tracks[0].rate
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_Audio.__annotations__)

    def __len__(self) -> int:
        return len(_Audio.__annotations__)


Audio: TypeAlias = Loaded | Streamed


class _Samples(TypedDict):
    samples: Tensor  # (B, 8, 16, T) float32


class Samples(_Samples, total=False):
    """ComfyUI's LATENT, of ACE-Step v1; of other nodes it may be any other model's."""

    type: str
    acesuite: object  # task_socket.Sampled
    acesuite_seeds: tuple[int, ...]  # of what is new, one a clip


TILES = (Tiles().frames, 64, 8)  # latent frames at once; smaller ones where memory is short
REMEMBERED = 8


def audio_of(wave: Tensor, rate: int) -> Loaded:
    return {"waveform": host.handed_on(wave), "sample_rate": rate}


def tracks_of(audio: Audio) -> list[Track]:
    """Its clips, as they are."""
    if isinstance(audio, Streamed):
        return list(audio.tracks)
    return [Held(wave, int(audio["sample_rate"])) for wave in audio["waveform"]]


def seconds_of(audio: Audio) -> float:
    if isinstance(audio, Streamed):
        return audio.tracks[0].samples / audio.tracks[0].rate
    return audio["waveform"].shape[-1] / audio["sample_rate"]


class Watched(Track):
    """A track whose reading moves the node's bar, and ends where the user stops it."""

    def __init__(self, track: Track) -> None:
        self._track, self._bar = track, host.Bar()
        self.channels, self.samples, self.rate = track.channels, track.samples, track.rate

    def part(self, first: int, last: int) -> Tensor:
        host.stop_if_asked()
        return self._track.part(first, last)

    def blocks(self, size: int) -> Iterator[Tensor]:
        done, total = 0, -(-self.samples // size)
        for done, block in enumerate(self._track.blocks(size), start=1):
            self._bar.tick(done, total)
            yield block


def stacked(tracks: Sequence[Track]) -> Tensor:
    """(B, C, N) of clips of one length, each written to its place."""
    waves = torch.empty(len(tracks), tracks[0].channels, tracks[0].samples)
    for track, wave in zip(tracks, waves, strict=True):
        track.into(wave)
    return waves


@contextmanager
def not_lost(latent: Latent | None) -> Generator[None]:
    """Around what makes a latent sound and writes it: where that fails, it is kept in ComfyUI's
    temporary folder, and the error says how it is decoded."""
    folder, _, name, counter = host.output_place("acesuite_sampled", "temp")
    place = folder / f"{name}_{counter:05}_.latent"
    fix = "or queue again; or copy it to ComfyUI's input folder and choose it in LoadLatent"
    with keeping([place], "", fix) as keeper:
        keeper.latent = latent
        yield


def latent_out(latent: Latent) -> Samples:
    return {"samples": host.handed_on(latent.z), "type": "audio"}


def one_clip(label: str, audio: Audio) -> tuple[Tensor | Track, int]:
    """(C, N), or its track, and its rate, of an AUDIO that must hold a single clip."""
    clips, rate = tracks_of(audio), int(audio["sample_rate"])
    if len(clips) != 1:
        raise SettingError(f"{label} holds {len(clips)} clips. Choose one of the batch.")
    (clip,) = clips
    if not isinstance(clip, Held):
        return clip, rate  # looked at when it was opened
    return checked_wave(label, clip.wave.detach().cpu(), rate), rate


def encoded(model: ACEStep, stretch: list[Tensor], rate: int) -> Latent:
    """The latent of the one wave in `stretch`. Where main memory does all the work the wave is
    taken out of it, so that nothing holds it meanwhile but who else wants it."""
    bar = host.Bar()
    if model.model.dcae.device.type == "cpu":
        return model.encode(stretch.pop(), rate, Tiles(TILES[0]), bar.tick)
    attempts = [partial(model.encode, stretch[0], rate, Tiles(size), bar.tick) for size in TILES]
    return first_that_fits(attempts, log.warning)


def decoded(model: ACEStep, latent: Latent, rate: int, heard: Heard = None) -> Tensor:
    """(B, 2, N); zeros, perhaps, where nothing is heard of it."""
    bar = host.Bar()
    attempts = [partial(model.decode, latent, rate, Tiles(size), bar.tick, heard) for size in TILES]
    return first_that_fits(attempts, log.warning)


@dataclass(frozen=True)
class _Remembered:
    sound: weakref.ref[Tensor | Streamed]  # the tensor in the AUDIO that ComfyUI keeps
    network: weakref.ref[nn.Module]
    place: object  # first sample and count
    latent: Latent


_remembered: list[_Remembered] = []  # the latest last


def encoded_once(model: ACEStep, audio: Audio, stretch: list[Tensor], rate: int) -> Latent:
    """The latent of the one wave (C, n) in `stretch`, of a sound that ComfyUI holds."""
    network, wave = model.model.dcae.module, stretch[0]
    if isinstance(audio, Streamed):  # what is read is another tensor each time
        sound: Tensor | Streamed = audio
        place = hashlib.sha256(wave.contiguous().numpy().data).digest()
    else:
        sound, place = audio["waveform"], (int(wave.storage_offset()), wave.shape[-1])
    for one in _remembered:
        if (one.sound() is sound, one.network() is network, one.place) == (True, True, place):
            return one.latent
    del wave
    latent = encoded(model, stretch, rate)
    alive = [one for one in _remembered if one.sound() is not None and one.network() is not None]
    new = _Remembered(weakref.ref(sound), weakref.ref(network), place, latent)
    _remembered[:] = [*alive, new][-REMEMBERED:]
    return latent
