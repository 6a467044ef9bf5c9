"""The vocabulary of the project. Read this first.

    Tags, Lyrics -> Branch -> field -> Latent          what flows
    Guidance, Sampling, Task                           what a run is asked to do

B items, T latent frames, S tag tokens, L lyric tokens, D the transformer's width.
Everything is frozen; settings are checked where they are made, so a bad value names itself
before any work is done.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from .config import FRAMES_PER_SECOND, LATENT_CHANNELS, LATENT_HEIGHT, MAX_SECONDS, seconds_of
from .settings import CORRECTED, OLD_NAMES, SettingError, check, limits_of, setting


@dataclass(frozen=True)
class Tags:
    """A style description after the tag encoder."""

    states: Tensor  # (B, S, 768)
    mask: Tensor  # (B, S), 1 = a real token
    weak_states: Tensor | None = None  # (B, S, 768) of the same tags with ERG; None where not made
    text: str = ""


@dataclass(frozen=True)
class LyricLine:
    """One line as the model will hear it."""

    text: str
    language: str
    normalised: str
    ids: tuple[int, ...]


@dataclass(frozen=True)
class Lyrics:
    """Lyric tokens; the empty lyric is the single id 0 under mask 0."""

    ids: Tensor  # (B, L) int64
    mask: Tensor  # (B, L), 1 = a real token
    lines: tuple[LyricLine, ...] = ()
    text: str = ""
    warnings: tuple[str, ...] = ()  # fallbacks taken, each said once
    language: str = "auto"  # as it was asked for


@dataclass(frozen=True)
class Branch:
    """One condition the transformer is asked about, prepared once per run."""

    context: Tensor  # (B, 1+S+L, D)
    mask: Tensor | None = None  # (B, 1+S+L), 1 = may be attended to; None = all
    temper: Tensor | None = None  # (B,) factor on the queries of the ERG blocks; None = 1
    keys_values: tuple[tuple[Tensor, Tensor], ...] = ()  # per block (B, heads, 1+S+L, d) each


@dataclass(frozen=True)
class Guidance:
    """How the conditions are combined. The defaults are the original project's."""

    kind: str = "apg"
    scale: float = 15.0
    interval: float = 0.5
    decay: float = 0.0
    min_scale: float = 3.0
    text_scale: float = 0.0
    lyric_scale: float = 0.0
    erg_tag: bool = True
    erg_lyric: bool = True
    erg_diffusion: bool = True

    def __post_init__(self) -> None:
        check(self)

    @property
    def is_active(self) -> bool:
        return self.scale not in (0.0, 1.0)

    @property
    def is_double(self) -> bool:
        return self.is_active and self.text_scale > 1.0 and self.lyric_scale > 1.0


@dataclass(frozen=True)
class Sampling:
    """The schedule and the solver that walks down it."""

    steps: int = 60
    solver: str = "euler"
    granularity: float = 10.0
    chosen: tuple[int, ...] = ()  # 1-based steps of the max(chosen)-step schedule; empty = all

    def __post_init__(self) -> None:
        check(self)
        first, last = limits_of("Sampling.steps")
        if any(not first <= step <= last for step in self.chosen):
            raise SettingError(
                f"Chosen steps are {self.chosen}; each must be from {first} to {last}."
            )
        if list(self.chosen) != sorted(set(self.chosen)):
            raise SettingError(f"Chosen steps are {self.chosen}; they must rise, without repeats.")


@dataclass(frozen=True)
class TextToMusic:
    """A new clip; its true length is a whole number of frames, rounded down."""

    seconds: float = 60.0

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Retake:
    """The clip of another seed, varied: variance 0 is that clip, 1 an unrelated one."""

    seconds: float = 60.0
    variance: float = 0.2

    def __post_init__(self) -> None:
        setting("TextToMusic.seconds").check(self.seconds)
        check(self)


@dataclass(frozen=True)
class Region:
    """A stretch of time to make new. Each end counts from the clip's start or from its end."""

    start: float = 0.0  # seconds
    end: float = 30.0
    start_from: str = "start"
    end_from: str = "start"
    feather: float = 0.0  # seconds over which each edge goes from kept to new, inside the region

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Follow:
    """A new clip along the lines of a source; strength 1 is the source itself."""

    strength: float = 0.5

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Inpaint:
    """Parts of a source made new; variance says how much, and from which step. 0 is the source."""

    regions: tuple[Region, ...]
    variance: float = 0.5

    def __post_init__(self) -> None:
        check(self)
        if not self.regions:
            raise SettingError("No region was given; name the part to make new.")


@dataclass(frozen=True)
class Extend:
    """A source with new music before it, after it, or both."""

    before: float = 0.0  # seconds
    after: float = 30.0
    context: float = MAX_SECONDS  # seconds of the source that the new music is fitted to, at most

    def __post_init__(self) -> None:
        check(self)
        if not self.before and not self.after:
            raise SettingError("Extend adds 0 s before and 0 s after. Ask for some new music.")


@dataclass(frozen=True)
class Edit:
    """A source under other tags or lyrics (flow-edit). The recipe's tags and lyrics are the target.

    The first `start` share of the steps is skipped, until `stop` source and target are
    followed together, and after it the target alone. With regions it is heard in them alone.
    """

    start: float = 0.2
    stop: float = 0.4
    average: int = 1  # noises averaged at each step
    extended: bool = False  # use the guidance and solver settings, which the original ignores
    regions: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        check(self)
        if self.stop < self.start:
            raise SettingError(
                f"Edit stop (n_max) is {self.stop:g}; it cannot be before the start,"
                f" {self.start:g}."
            )


Task = TextToMusic | Retake | Inpaint | Extend | Edit | Follow


def compat_of(text: str) -> str:
    """A mode by its name or an older one."""
    return OLD_NAMES.get(text, text)


@dataclass(frozen=True)
class Recipe:
    """All that decides a result, apart from the model."""

    tags: str
    lyrics: str = ""
    task: Task = field(default_factory=TextToMusic)
    guidance: Guidance = field(default_factory=Guidance)
    sampling: Sampling = field(default_factory=Sampling)
    seeds: tuple[int, ...] = (0,)
    retake_seeds: tuple[int, ...] = ()
    compat: str = CORRECTED
    language: str = "auto"
    in_turn: bool = False  # guidance branches and clips one after the other, for less memory

    def __post_init__(self) -> None:
        check(self)
        if not self.seeds:
            raise SettingError("No seed was given; give one for each clip.")


@dataclass(frozen=True)
class Latent:
    """Frames of music in the model's own space (scaled)."""

    z: Tensor = field(repr=False)  # (B, 8, 16, T) float32

    @classmethod
    def none(cls) -> Latent:
        """No frames at all: what a result has whose latents are not of one piece."""
        return cls(torch.zeros(1, LATENT_CHANNELS, LATENT_HEIGHT, 0))

    @property
    def frames(self) -> int:
        return self.z.shape[-1]

    @property
    def seconds(self) -> float:
        return seconds_of(self.frames)

    def cut(self, start: float, end: float) -> Latent:
        """The frames from `start` to `end` seconds, both rounded to the nearest frame."""
        first, last = round(start * FRAMES_PER_SECOND), round(end * FRAMES_PER_SECOND)
        return Latent(self.z[..., max(first, 0) : last])


@dataclass(frozen=True, eq=False)
class Source:
    """What a task works on, as the sampler needs it."""

    latent: Latent
    tags: Tags | None = None  # what it is now: for an edit
    lyrics: Lyrics | None = None
    seconds: float | None = None  # true length; None = all its frames

    @property
    def length(self) -> float:
        """Seconds."""
        return self.latent.seconds if self.seconds is None else self.seconds


def checked_latent(z: Tensor) -> Latent:
    """A latent that came from elsewhere, as float32, or the reason why it cannot be used."""
    if z.ndim == 3 and z.shape[1] == 64:
        raise SettingError(
            f"The latent has the shape {tuple(z.shape)}, which is ACE-Step 1.5, another model."
            " Decode it with the nodes for that version; this pack is for version 1."
        )
    if z.ndim != 4 or tuple(z.shape[1:3]) != (LATENT_CHANNELS, LATENT_HEIGHT) or not z.numel():
        raise SettingError(
            f"The latent has the shape {tuple(z.shape)}; ACE-Step v1 has"
            f" (batch, {LATENT_CHANNELS}, {LATENT_HEIGHT}, frames)."
            " Take one that was sampled or encoded for this model."
        )
    if not bool(torch.isfinite(z).all()):
        raise SettingError(
            "The latent holds values that are not numbers. Sample again with the transformer in"
            " float32 or bfloat16, or with a lower guidance scale."
        )
    return Latent(z.float())
