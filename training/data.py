"""The data stage, and reading what it made.

    seed -> shards of ten minutes -> audio-0000.npy, mel-0000.npy, clips-0000.json

A shard is made whole or not at all, and one that exists is left alone: the stage can be
interrupted, and more hours only add shards. Every sixth shard holds clips of 30 s, the others
clips of 10 s. Every tenth clip is held out from all training.
"""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from acestep_core.atomic import replaced
from acestep_core.config import FRAME, MEL_PER_FRAME, VocoderConfig, frames_of, seconds_of
from acestep_core.sound.mel import log_mel

from .compose import Piece, piece
from .places import made
from .render import is_plain, rendered

SHORT, LONG = frames_of(10), frames_of(30)  # latent frames of a clip
SHARD_SECONDS = 600
EVERY_LONG = 6
EVERY_HELD_OUT = 10
NUMBERS = 1000  # of pieces set aside for one shard

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """How much of which data."""

    hours: float = 2.0
    seed: int = 0
    plain_only: bool = False  # without FluidSynth: for tests


def make(folder: Path, wanted: Wanted) -> None:
    """Make the shards that are not there yet."""
    count = max(1, round(wanted.hours * 3600 / SHARD_SECONDS))
    for shard in range(count):
        if not (made(folder) / f"clips-{shard:04}.json").is_file():
            began = time.perf_counter()
            frames = LONG if shard % EVERY_LONG == EVERY_LONG - 1 else SHORT
            clips = SHARD_SECONDS // round(seconds_of(frames))
            numbers = range(NUMBERS * shard, NUMBERS * shard + clips)
            make_shard(folder, shard, pieces_of(wanted, numbers, frames), frames)
            log.info("shard %d of %d in %.0f s", shard + 1, count, time.perf_counter() - began)


def pieces_of(wanted: Wanted, numbers: range, frames: int) -> list[tuple[int, Piece]]:
    """(number, piece) of a shard."""
    seconds = seconds_of(frames)
    pieces = [(number, piece(wanted.seed, number, seconds)) for number in numbers]
    return [one for one in pieces if is_plain(one[1])] if wanted.plain_only else pieces


def make_shard(folder: Path, shard: int, pieces: list[tuple[int, Piece]], frames: int) -> None:
    """Render, take the log-mel and write; the list of clips comes last and says it is whole."""
    audio = rendered([one for _, one in pieces], frames)
    mels = np.stack([_mel(wave) for wave in audio])
    for name, values in (("audio", audio), ("mel", mels)):
        with replaced(folder / f"{name}-{shard:04}.npy") as temporary, temporary.open("wb") as file:
            np.save(file, values)
    clips = [{"number": number, "bpm": round(one.tempo), **one.tags} for number, one in pieces]
    with replaced(folder / f"clips-{shard:04}.json") as temporary:
        temporary.write_text(json.dumps(clips, indent=0) + "\n", encoding="utf-8")


def _mel(wave: np.ndarray) -> np.ndarray:
    sound = torch.from_numpy(wave.astype(np.float32) / 32767)
    return log_mel(sound, VocoderConfig()).numpy().astype(np.float16)


# --- reading -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Clip:
    shard: int
    row: int
    number: int
    bpm: int
    tags: dict[str, str]

    @property
    def is_held_out(self) -> bool:
        return self.number % EVERY_HELD_OUT == EVERY_HELD_OUT - 1


class Clips:
    """The clips of a folder, read from memory maps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lists = sorted(folder.glob("clips-*.json"))
        if not self.lists:
            raise FileNotFoundError(f"{folder} holds no clips: run `python -m training data`.")

    @cached_property
    def all(self) -> list[Clip]:
        found = []
        for path in self.lists:
            shard = int(path.stem.rpartition("-")[2])
            for row, entry in enumerate(json.loads(path.read_text(encoding="utf-8"))):
                number, bpm = entry.pop("number"), entry.pop("bpm")
                found.append(Clip(shard, row, number, bpm, entry))
        return found

    @cached_property
    def training(self) -> list[Clip]:
        return [clip for clip in self.all if not clip.is_held_out]

    @cached_property
    def held_out(self) -> list[Clip]:
        return [clip for clip in self.all if clip.is_held_out]

    @cached_property
    def _maps(self) -> dict[str, np.ndarray]:
        return {}

    def _map(self, kind: str, shard: int) -> np.ndarray:
        name = f"{kind}-{shard:04}.npy"
        if name not in self._maps:
            self._maps[name] = np.load(self.folder / name, mmap_mode="r")
        return self._maps[name]

    def frames(self, clip: Clip) -> int:
        return self._map("mel", clip.shard).shape[-1] // MEL_PER_FRAME

    def mel(self, clip: Clip, start: int = 0, length: int | None = None) -> Tensor:
        """Log-mel (2, 128, length) float32 from a mel frame on."""
        end = None if length is None else start + length
        return torch.from_numpy(
            self._map("mel", clip.shard)[clip.row][..., start:end].astype(np.float32)
        )

    def wave(self, clip: Clip, start: int = 0, length: int | None = None) -> Tensor:
        """Wave (2, length) float32 from a sample on."""
        end = None if length is None else start + length
        part = self._map("audio", clip.shard)[clip.row][..., start:end]
        return torch.from_numpy(part.astype(np.float32) / 32767)

    @property
    def hours(self) -> float:
        return sum(self.frames(clip) for clip in self.all) * FRAME / 44_100 / 3600
