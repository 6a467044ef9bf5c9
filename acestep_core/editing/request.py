"""What an edit works on and what it gives: the source's clip, options, results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from torch import Tensor

from ..config import FRAME, LONGEST_SOURCE, SAMPLE_RATE, seconds_of
from ..pipeline import Made
from ..sampling.loop import See
from ..settings import SettingError, check, checked
from ..sound.audio import checked_wave
from ..sound.tiles import Heard
from ..sound.track import Held, Track
from ..types import Latent, Lyrics, Recipe, Source, Tags
from ..weights.model import Added
from .report import EditReport
from .splice import CROSSFADE

Takes = list[Tensor]  # (2, M) at 44.1 kHz, one a seed


class Pipe(Protocol):
    """What is needed of an ACEStep."""

    def tags(self, text: str) -> Tags: ...
    def lyrics(self, text: str, language: str, compat: str) -> Lyrics: ...
    def encode(self, wave: Tensor, rate: int) -> Latent: ...
    def generate(self, recipe: Recipe, see: See, source: Source | None = None) -> Made: ...
    def decode(self, latent: Latent, rate: int, *, heard: Heard = None) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class SourceClip:
    """A source's sound, held or in a file, and its latents where this project made them."""

    wave: Tensor | Track  # (C, N)
    rate: int
    latent: Latent | None = None
    tags: str = ""  # what it is now: an edit leads away from it
    lyrics: str = ""

    def __post_init__(self) -> None:
        wave = self.wave
        if isinstance(wave, Tensor):
            wave = checked_wave("The source", wave.detach().cpu(), self.rate)
            object.__setattr__(self, "wave", wave)  # as float32
        shape = wave.shape if isinstance(wave, Tensor) else (wave.channels, wave.samples)
        if len(shape) != 2 or shape[0] > 2:
            raise SettingError(
                f"The source has the shape {tuple(shape)}; it must be one clip, (channels,"
                " samples), mono or stereo. Mix it down, or edit the clips of a batch one by one."
            )
        fix = "Choose a longer clip." if self.seconds < 1 else "Cut it into parts."
        checked("Source length (seconds)", self.seconds, seconds_of(1), LONGEST_SOURCE, fix)
        if self.latent is not None and len(self.latent.z) != 1:
            raise SettingError(
                f"The source's latents hold {len(self.latent.z)} clips; choose one take."
            )

    @cached_property
    def track(self) -> Track:
        return Held(self.wave, self.rate) if isinstance(self.wave, Tensor) else self.wave

    @property
    def channels(self) -> int:
        return self.track.channels

    @property
    def samples(self) -> int:
        return self.track.samples

    @property
    def seconds(self) -> float:
        return self.samples / self.rate

    @property
    def frames(self) -> int:
        return frames_encoded(self.samples, self.rate)

    @property
    def whole_frames(self) -> int:
        """Latent frames that the sound fills to the end."""
        return self.samples * SAMPLE_RATE // self.rate // FRAME


@dataclass(frozen=True)
class Options:
    splice: bool = True
    crossfade: float = CROSSFADE  # seconds
    match_level: bool = True

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class SourceNamed:
    """Which file a request works on, and what is heard in it now."""

    name: str = ""  # without folders: a record is shared
    sha256: str = ""
    tags: str = ""  # of an edit's source
    lyrics: str = ""
    latent: bool = False  # whether its own latents were given


@dataclass(frozen=True)
class Request:
    """Everything that decides a result, as words and numbers: equal, hashable, printable."""

    recipe: Recipe
    source: SourceNamed | None = None
    options: Options = Options()
    adapters: tuple[Added, ...] = ()


@dataclass(frozen=True, eq=False)
class Edited:
    tracks: list[Track]  # each take
    rate: int
    latent: Latent | None  # of all takes, where its frames are those of the waves
    reports: tuple[EditReport, ...]
    recipe: Recipe  # with the seeds that were used

    @cached_property
    def waves(self) -> list[Tensor]:
        """(C, N) of each take, all in memory."""
        return [track.whole() for track in self.tracks]


def frames_encoded(samples: int, rate: int) -> int:
    """Latent frames of a clip, without one that would hold only what a round trip adds to it."""
    length = -(-samples * SAMPLE_RATE // rate)
    return max((length - 3) // FRAME + 1, 1)
