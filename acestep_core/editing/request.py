"""What an edit works on and what it gives: the source's clip, options, results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from ..config import FRAME, MAX_SECONDS, SAMPLE_RATE, seconds_of
from ..pipeline import Made
from ..sampling.loop import See
from ..settings import SettingError, checked
from ..sound.audio import checked_wave
from ..types import (
    Latent,
    Lyrics,
    Recipe,
    Region,
    Tags,
)
from .report import (
    EditReport,
)
from .splice import CROSSFADE

LONGEST = 3600.0  # seconds of a source


Takes = list[Tensor]  # (2, M) at 44.1 kHz, one a seed


class Pipe(Protocol):
    """What is needed of an ACEStep."""

    def tags(self, text: str) -> Tags: ...
    def lyrics(self, text: str, language: str, compat: str) -> Lyrics: ...
    def encode(self, wave: Tensor, rate: int) -> Latent: ...
    def generate(self, recipe: Recipe, see: See) -> Made: ...
    def decode(self, latent: Latent, rate: int) -> Tensor: ...


@dataclass(frozen=True, eq=False)
class SourceClip:
    """A source's sound, and its latents where this project made them."""

    wave: Tensor  # (C, N)
    rate: int
    latent: Latent | None = None

    def __post_init__(self) -> None:
        wave = checked_wave("The source", self.wave.detach().cpu(), self.rate)
        if wave.ndim != 2 or wave.shape[0] > 2:
            raise SettingError(
                f"The source has the shape {tuple(wave.shape)}; it must be one clip, (channels,"
                " samples), mono or stereo. Mix it down, or edit the clips of a batch one by one."
            )
        fix = "Choose a longer clip." if self.seconds < 1 else "Cut it into parts."
        checked("Source length (seconds)", self.seconds, seconds_of(1), LONGEST, fix)
        if self.latent is not None and len(self.latent.z) != 1:
            raise SettingError(
                f"The source's latents hold {len(self.latent.z)} clips; choose one take."
            )
        object.__setattr__(self, "wave", wave)  # as float32

    @property
    def samples(self) -> int:
        return self.wave.shape[-1]

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
        checked("Cross-fade (seconds)", self.crossfade, 0, 10)


@dataclass(frozen=True, eq=False)
class Edited:
    waves: list[Tensor]  # (C, N) of each take
    rate: int
    latent: Latent | None  # of all takes, where its frames are those of the waves
    reports: tuple[EditReport, ...]
    recipe: Recipe
    regions: tuple[Region, ...] = ()  # that were asked for, in the source's own time


def frames_encoded(samples: int, rate: int) -> int:
    """Latent frames of a clip, without one that would hold only what a round trip adds to it."""
    length = -(-samples * SAMPLE_RATE // rate)
    return max((length - 3) // FRAME + 1, 1)


@dataclass(frozen=True)
class Inpaint:
    """Regions to make new, and how much; variance 0 leaves the source."""

    regions: tuple[Region, ...]
    variance: float = 0.5

    def __post_init__(self) -> None:
        checked("Variance", self.variance, 0, 1)
        if not self.regions:
            raise SettingError("No region was given; name the part to make new.")


@dataclass(frozen=True)
class Follow:
    """A new clip along the lines of the source; strength 1 is the source."""

    strength: float = 0.5

    def __post_init__(self) -> None:
        checked("Reference strength", self.strength, 0, 1)


@dataclass(frozen=True)
class Growth:
    """New music before and after a source, in seconds, and how much of the source it follows."""

    before: float = 0.0
    after: float = 30.0
    context: float = MAX_SECONDS

    def __post_init__(self) -> None:
        checked("Extend before (seconds)", self.before, 0, MAX_SECONDS)
        checked("Extend after (seconds)", self.after, 0, MAX_SECONDS)
        checked("Context (seconds)", self.context, 1, MAX_SECONDS)
        if not self.before and not self.after:
            raise SettingError("Extend adds 0 s before and 0 s after. Ask for some new music.")


@dataclass(frozen=True)
class Flow:
    """What the source is, and how far an edit leads away from it (see `types.Edit`).

    With regions the edit is heard in them alone.
    """

    tags: str
    lyrics: str = ""
    start: float = 0.2
    stop: float = 0.4
    average: int = 1
    extended: bool = False
    regions: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        checked("Edit start (n_min)", self.start, 0, 1)
        # Said before the source is encoded, which may take minutes.
        checked("Edit stop (n_max)", self.stop, self.start, 1, "It cannot be before the start.")


Wish = Inpaint | Growth | Flow | Follow
