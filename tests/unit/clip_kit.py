"""A codec that returns its source plus known noise, and no transformer: for tests of edits.

What is new is twice as loud as the sources, so that it can be told from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from hypothesis import strategies as st
from torch import Tensor

from acestep_core.config import FRAME, FRAMES_PER_SECOND, SAMPLE_RATE, frames_of, seconds_of
from acestep_core.editing.edits import Edited, SourceClip
from acestep_core.editing.splice import samples_of
from acestep_core.pipeline import Made
from acestep_core.sampling.loop import See
from acestep_core.sampling.schedule import Step
from acestep_core.sound.audio import resample, stereo, whole_frames, without_round_trip_tail
from acestep_core.sound.tiles import Heard
from acestep_core.tasks.region import resolve
from acestep_core.types import (
    Extend,
    Inpaint,
    Latent,
    Lyrics,
    Recipe,
    Region,
    Retake,
    Sampling,
    Source,
    Tags,
    Task,
    TextToMusic,
)

from .sound_kit import noise, samples

RATES = st.sampled_from((8000, 11_025, 44_100, 44_101, 48_000, 96_000))
RECIPE = Recipe("pop", sampling=Sampling(20), seeds=(5,))


@dataclass(frozen=True)
class Sounding(Latent):
    """Latents that remember their sound (B, 2, 4096 T) at 44.1 kHz."""

    wave: Tensor = field(default_factory=lambda: torch.zeros(0), repr=False)


def sounding(wave: Tensor) -> Sounding:
    return Sounding(torch.zeros(len(wave), 8, 16, wave.shape[-1] // FRAME), wave)


class StubPipe:
    """The codec adds noise at -40 dB; what is new is twice as loud as its source was."""

    def __init__(self) -> None:
        self.encoded: list[int] = []
        self.tasks: list[Task] = []
        self.sources: list[Source | None] = []

    def tags(self, text: str) -> Tags:
        return Tags(torch.zeros(1, 1, 768), torch.ones(1, 1), text=text)

    def lyrics(self, text: str, language: str, compat: str) -> Lyrics:
        return Lyrics(torch.zeros(1, 1, dtype=torch.int64), torch.zeros(1, 1), text=text)

    def encode(self, wave: Tensor, rate: int) -> Latent:
        wave = without_round_trip_tail(resample(stereo(wave), rate, SAMPLE_RATE))
        self.encoded.append(wave.shape[-1])
        return sounding(whole_frames(wave)[None])

    def decode(self, latent: Latent, rate: int, *, heard: Heard = None) -> Tensor:
        assert isinstance(latent, Sounding)
        assert rate == SAMPLE_RATE
        generator = torch.Generator().manual_seed(99)
        return latent.wave + 0.01 * torch.randn(latent.wave.shape, generator=generator)

    def generate(self, recipe: Recipe, see: See, source: Source | None = None) -> Made:
        self.tasks.append(recipe.task)
        self.sources.append(source)
        waves = [self.made(recipe.task, seed, source) for seed in recipe.seeds]
        for index in range(recipe.sampling.steps - _first(recipe), recipe.sampling.steps):
            sigma = 1 - index / recipe.sampling.steps
            see(Step(index, recipe.sampling.steps, sigma, 0.0), waves[0], waves[0])
        lyrics = self.lyrics(recipe.lyrics, "auto", recipe.compat)
        return Made(sounding(torch.stack(waves)), recipe, lyrics, warnings=("of the lyrics",))

    def made(self, task: Task, seed: int, source: Source | None) -> Tensor:
        """(2, 4096 T)"""
        if isinstance(task, TextToMusic | Retake):
            return new_sound(frames_of(task.seconds), seed)
        assert source is not None
        assert isinstance(source.latent, Sounding)
        wave = source.latent.wave[0]
        if isinstance(task, Extend):
            before, after = (round(s * FRAMES_PER_SECOND) for s in (task.before, task.after))
            return torch.cat((new_sound(before, seed), wave, new_sound(after, seed + 1)), -1)
        if isinstance(task, Inpaint):
            result = wave.clone()
            for region in resolve(task.regions, source.length):
                first, last = (round(end * SAMPLE_RATE) for end in (region.start, region.end))
                result[:, first:last] = new_sound(source.latent.frames, seed)[:, first:last]
            return result
        return 0.5 * wave + new_sound(source.latent.frames, seed)


def new_sound(frames: int, seed: int) -> Tensor:
    return samples(frames * FRAME, 2, seed, 0.2)


def _first(recipe: Recipe) -> int:
    task, steps = recipe.task, recipe.sampling.steps
    if isinstance(task, Inpaint):
        return steps - int(steps * (1 - task.variance))
    return steps


def outside_of(regions: list[Region], clip: SourceClip) -> Tensor:
    kept = torch.ones(clip.samples, dtype=torch.bool)
    for region in resolve(regions, clip.seconds):
        first, last = samples_of(region, clip.rate, clip.samples)
        kept[first:last] = False
    return kept


def check_kept(edited: Edited, clip: SourceClip, regions: list[Region]) -> None:
    kept = outside_of(regions, clip)
    assert edited.rate == clip.rate
    for wave, report in zip(edited.waves, edited.reports, strict=True):
        assert wave.shape == clip.wave.shape
        assert torch.equal(wave[:, kept], clip.wave[:, kept])
        assert report.change.outside == (-math.inf if kept.any() else None)
        assert not torch.equal(wave[:, ~kept], clip.wave[:, ~kept])


@st.composite
def cases(draw: st.DrawFn, longest: float = 1.0) -> tuple[SourceClip, list[Region]]:
    rate, channels = draw(RATES), draw(st.integers(1, 2))
    least = seconds_of(1) + 2 / rate
    clip = SourceClip(noise(draw(st.floats(least, longest)), rate, channels), rate)
    regions = []
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.floats(0, clip.seconds * 0.9))
        end = draw(st.floats(start + clip.seconds * 0.02, clip.seconds))
        feather = draw(st.sampled_from((0.0, 0.1, 1.0)))
        regions.append(Region(start, end, feather=feather))
    return clip, regions
