"""AUDIO and LATENT as ComfyUI's nodes hand them on, and the way between the two.

    AUDIO {"waveform": (B, C, N), "sample_rate"}    LATENT {"samples": (B, 8, 16, T), "type"}

Where memory is short both ways go on in smaller tiles. What was encoded is remembered for as
long as ComfyUI keeps the sound: the settings of a task change far more often than its source.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypedDict

import torch
from torch import Tensor, nn

from ..acestep_core.networks.memory import first_that_fits
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.records.latents import not_lost as keeping
from ..acestep_core.settings import SettingError
from ..acestep_core.sound.audio import checked_wave
from ..acestep_core.sound.tiles import Heard, Tiles
from ..acestep_core.sound.track import Track
from ..acestep_core.types import Latent
from . import host

log = logging.getLogger(__name__)

# What we add: to a sound what made it, to a latent what for and the seeds of its clips.
KEY: Final = "acesuite"
SEEDS: Final = "acesuite_seeds"


class _Audio(TypedDict):
    waveform: Tensor  # (B, C, N) float32
    sample_rate: int  # Hz


class Audio(_Audio, total=False):
    """ComfyUI's AUDIO."""

    acesuite: object  # shown.About


class _Samples(TypedDict):
    samples: Tensor  # (B, 8, 16, T) float32


class Samples(_Samples, total=False):
    """ComfyUI's LATENT, of ACE-Step v1; of other nodes it may be any other model's."""

    type: str
    acesuite: object  # task_socket.Sampled
    acesuite_seeds: tuple[int, ...]  # of what is new, one a clip


TILES = (Tiles().frames, 64, 8)  # latent frames at once; smaller ones where memory is short
REMEMBERED = 8


def audio_of(wave: Tensor, rate: int) -> Audio:
    return {"waveform": host.handed_on(wave), "sample_rate": rate}


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


def one_clip(label: str, audio: Audio) -> tuple[Tensor, int]:
    """(C, N) and its rate, of an AUDIO that must hold a single clip."""
    wave, rate = audio["waveform"], int(audio["sample_rate"])
    if len(wave) != 1:
        raise SettingError(f"{label} holds {len(wave)} clips. Choose one of the batch.")
    return checked_wave(label, wave[0].detach().cpu(), rate), rate


def encoded(model: ACEStep, wave: Tensor, rate: int) -> Latent:
    bar = host.Bar()
    attempts = [partial(model.encode, wave, rate, Tiles(size), bar.tick) for size in TILES]
    return first_that_fits(attempts, log.warning)


def decoded(model: ACEStep, latent: Latent, rate: int, heard: Heard = None) -> Tensor:
    """(B, 2, N); zeros, perhaps, where nothing is heard of it."""
    bar = host.Bar()
    attempts = [partial(model.decode, latent, rate, Tiles(size), bar.tick, heard) for size in TILES]
    return first_that_fits(attempts, log.warning)


@dataclass(frozen=True)
class _Remembered:
    sound: weakref.ref[Tensor]  # the tensor in the AUDIO that ComfyUI keeps
    network: weakref.ref[nn.Module]
    place: tuple[int, int]  # first sample and count
    latent: Latent


_remembered: list[_Remembered] = []  # the latest last


def encoded_once(model: ACEStep, sound: Tensor, wave: Tensor, rate: int) -> Latent:
    """The latent of wave (C, n), a stretch of the sound that ComfyUI holds."""
    network = model.model.dcae.module
    place = (int(wave.storage_offset()), wave.shape[-1])
    for one in _remembered:
        if (one.sound() is sound, one.network() is network, one.place) == (True, True, place):
            return one.latent
    latent = encoded(model, wave, rate)
    alive = [one for one in _remembered if one.sound() is not None and one.network() is not None]
    new = _Remembered(weakref.ref(sound), weakref.ref(network), place, latent)
    _remembered[:] = [*alive, new][-REMEMBERED:]
    return latent
