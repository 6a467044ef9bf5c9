"""What is heard at the edges of an inpainted region: steps of level and spectrum, in real audio.

    clip -> inpaint of five regions, with and without splice, with three feathers
         -> the step at each edge beside the source's own step there -> table, pictures

Without files: the small model inpaints held-out clips of its training data, 30 s each. With
files no model is used: what is made anew is music from elsewhere in the same file, and the
codec is imitated, as the table says: +2 dB, 10 samples late, noise at -20 dB with the music's
own spectrum and envelope.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from acestep_core.config import FRAME, SAMPLE_RATE, VocoderConfig
from acestep_core.editing.edits import Options, SourceClip, inpaint
from acestep_core.editing.report import EditReport
from acestep_core.editing.request import Pipe
from acestep_core.pictures.sound import edit_picture, save_png
from acestep_core.pipeline import ACEStep, Made
from acestep_core.sampling.loop import See
from acestep_core.sampling.schedule import Step
from acestep_core.sound import tiles
from acestep_core.sound.audio import resample, stereo, whole_frames
from acestep_core.sound.files import read_audio
from acestep_core.sound.mel import log_mel
from acestep_core.tasks.plans import first_step
from acestep_core.tasks.region import regenerate
from acestep_core.types import Inpaint, Latent, Lyrics, Recipe, Region, Source, Tags
from acestep_core.weights.small import FOLDER, GUIDANCE, LYRICS, SAMPLING

from .measure import last_line

if TYPE_CHECKING:
    from PIL.Image import Image

PLACES = (0.15, 0.32, 0.49, 0.66, 0.83)  # of the clip, where regions begin
REGION_SECONDS = 4.0
FEATHERS = (0.0, 0.1, 0.5)
ELSEWHERE = 17.3  # seconds; from so much later comes what is "made anew"
GAIN_DB, DELAY, NOISE_DB = 2.0, 10, -20.0
LOOK = 2048  # samples of a spectrum
SHOWN = 16.0  # seconds of a picture
HELD_OUT = 3  # clips of the training data, where no file is named
SPLICED_PICTURE = 0.1  # feather of the picture that is drawn


@dataclass(frozen=True)
class Heard(Latent):
    """Latents that remember their sound (B, 2, 4096 T)."""

    wave: Tensor = field(default_factory=lambda: torch.zeros(0), repr=False)


def heard(wave: Tensor) -> Heard:
    return Heard(torch.zeros(len(wave), 8, 16, wave.shape[-1] // FRAME), wave)


class Imitation:
    """In place of an ACEStep."""

    def tags(self, text: str) -> Tags:
        raise NotImplementedError("inpaint needs no source tags")

    def lyrics(self, text: str, language: str, compat: str) -> Lyrics:
        raise NotImplementedError("inpaint needs no source lyrics")

    def encode(self, wave: Tensor, rate: int) -> Latent:
        return heard(whole_frames(resample(stereo(wave), rate, SAMPLE_RATE))[None])

    def generate(self, recipe: Recipe, see: See, source: Source | None = None) -> Made:
        """Another part of the clip where frames are made new, mixed at constant power."""
        task = recipe.task
        assert isinstance(task, Inpaint)
        assert source is not None
        assert isinstance(source.latent, Heard)
        wave = source.latent.wave
        share = regenerate(task.regions, source.latent.frames, source.length)[0]
        share = interpolate(share, wave.shape[-1], mode="linear", align_corners=False)[0]
        other = wave.roll(-round(ELSEWHERE * SAMPLE_RATE), -1)
        mixed = share.sqrt() * other + (1 - share).sqrt() * wave
        steps = recipe.sampling.steps
        for index in range(first_step(steps, task.variance), steps):
            see(Step(index, steps, 1 - index / steps, 0.0), mixed, mixed)
        nothing = Lyrics(torch.zeros(1, 1, dtype=torch.int64), torch.zeros(1, 1))
        return Made(heard(mixed), recipe, nothing)

    def decode(self, latent: Latent, rate: int, *, heard: tiles.Heard = None) -> Tensor:
        """As after a round trip: too loud, late, and noisy."""
        assert isinstance(latent, Heard)
        assert rate == SAMPLE_RATE
        wave = latent.wave
        late = torch.cat((wave[..., :DELAY] * 0, wave[..., :-DELAY]), -1)
        return 10 ** (GAIN_DB / 20) * (late + 10 ** (NOISE_DB / 20) * scrambled(wave))


def scrambled(wave: Tensor) -> Tensor:
    """Noise with the spectrum and envelope of wave (1, 2, N): its own, with other phases."""
    window, generator = torch.hann_window(LOOK), torch.Generator().manual_seed(0)
    spectrum = torch.stft(wave[0], LOOK, LOOK // 4, window=window, return_complex=True)
    turned = 2 * torch.pi * torch.rand(spectrum.shape, generator=generator)
    noise = torch.istft(
        torch.polar(spectrum.abs(), turned), LOOK, LOOK // 4, window=window, length=wave.shape[-1]
    )
    return noise[None] * (wave.square().mean() / noise.square().mean().clamp(min=1e-12)).sqrt()


@dataclass(frozen=True)
class Row:
    clip: str
    seconds: float
    splice: bool
    feather: float
    own_level: float  # median of the source's steps, dB
    own_spectrum: float
    level: float  # median of the steps beyond those, dB
    level_worst: float
    spectrum: float
    spectrum_worst: float
    outside: float | None  # dB of the source's peak; None = bit-identical


@dataclass(frozen=True)
class Work:
    """One clip, and what inpaints it."""

    name: str
    clip: SourceClip
    pipe: Pipe
    recipe: Recipe


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench seams", description=about)
    parser.add_argument("files", type=Path, nargs="*", help="default: the small model's clips")
    default = Path(tempfile.gettempdir()) / "seams"
    parser.add_argument("--out", type=Path, default=default, help="folder for the pictures")
    options = parser.parse_args(words)
    options.out.mkdir(parents=True, exist_ok=True)
    work = [_imitated(path) for path in options.files] or held_out()
    rows = [row for one in work for row in measured(one, options.out)]
    codec = (
        f"Codec imitated: {GAIN_DB:+g} dB, {DELAY} samples late, noise like the"
        f" music at {NOISE_DB:g} dB; new music from {ELSEWHERE:g} s later"
        if options.files
        else "The small demonstration model and its codec; clips that it was not trained on"
    )
    print(
        f"\n{codec}; {len(PLACES)} regions of"
        f" {REGION_SECONDS:g} s a clip.\nSteps from the 0.1 s before an edge to the 0.1 s after:"
        " the source's own, and beyond that; median (worst).\n"
    )
    print("\n".join(table(rows)))
    last_line("seams", rows=[vars(row) for row in rows])
    return 0


def _imitated(path: Path) -> Work:
    return Work(path.stem, SourceClip(*read_audio(path)), Imitation(), Recipe("music"))


def held_out() -> list[Work]:
    """The small model, and clips of three styles that it has not seen."""
    from training import prompts
    from training.data import LONG, Clips
    from training.places import Places

    clips, pipe = Clips(Places.usual().data), ACEStep.load(FOLDER)
    found: dict[str, Work] = {}
    for clip in clips.held_out:
        if clips.frames(clip) == LONG and clip.tags["genre"] not in found:
            text = prompts.full(clip.tags, ("genre", "ensemble", "tempo", "density"))
            source = SourceClip(clips.wave(clip), SAMPLE_RATE)
            recipe = Recipe(text, LYRICS, guidance=GUIDANCE, sampling=SAMPLING, seeds=(1,))
            found[clip.tags["genre"]] = Work(clip.tags["genre"], source, pipe, recipe)
    return list(found.values())[:HELD_OUT]


def measured(work: Work, out: Path) -> list[Row]:
    """The rows of one clip, and its picture."""
    clip, rows = work.clip, []
    for splice in (False, True):
        for feather in FEATHERS:
            regions = [
                Region(at * clip.seconds, at * clip.seconds + REGION_SECONDS, feather=feather)
                for at in PLACES
            ]
            options = Options(splice=splice)
            edited = inpaint(work.pipe, clip, work.recipe, regions, 0.5, options)
            rows.append(row_of(work.name, splice, feather, edited.reports[0]))
            said = f"{work.name}, splice {splice}, feather {feather:g} s: done"
            print(said, file=sys.stderr, flush=True)
            if splice and feather == SPLICED_PICTURE:
                image = drawn(clip, edited.waves[0], regions[0], work.name)
                save_png(image, out / f"{work.name}.png")
    return rows


def row_of(name: str, splice: bool, feather: float, report: EditReport) -> Row:
    edges = report.change.edges
    level = [abs(edge.level - edge.own_level) for edge in edges]
    spectrum = [edge.spectrum - edge.own_spectrum for edge in edges]
    identical = report.as_data()["outside_identical"]
    return Row(
        clip=name,
        seconds=round(report.seconds, 1),
        splice=splice,
        feather=feather,
        own_level=round(median(abs(edge.own_level) for edge in edges), 2),
        own_spectrum=round(median(edge.own_spectrum for edge in edges), 2),
        level=round(median(level), 2),
        level_worst=round(max(level), 2),
        spectrum=round(median(spectrum), 2),
        spectrum_worst=round(max(spectrum), 2),
        outside=None if identical else round(report.change.outside or 0.0, 1),
    )


def table(rows: list[Row]) -> list[str]:
    lines = [
        "| clip | splice | feather | level step, dB: own, beyond | spectral step, dB: own, beyond"
        " | outside |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        outside = "identical" if row.outside is None else f"{row.outside:+.1f} dB"
        level = f"{row.own_level:.1f}, {row.level:+.1f} ({row.level_worst:+.1f})"
        spectrum = f"{row.own_spectrum:.1f}, {row.spectrum:+.1f} ({row.spectrum_worst:+.1f})"
        lines.append(
            f"| {row.clip} ({row.seconds:g} s) | {'on' if row.splice else 'off'} |"
            f" {row.feather:g} s | {level} | {spectrum} | {outside} |"
        )
    return lines


def drawn(clip: SourceClip, edited: Tensor, region: Region, name: str) -> Image:
    """The surroundings of a region before and after."""
    start = max((region.start + region.end - SHOWN) / 2, 0.0)
    part = slice(round(start * clip.rate), round((start + SHOWN) * clip.rate))
    mels = [
        log_mel(resample(wave[:, part], clip.rate, SAMPLE_RATE), VocoderConfig())
        for wave in (clip.track.part(0, clip.samples), edited)
    ]
    seconds = min(SHOWN, clip.seconds - start)
    marked = [(region.start - start, region.end - start)]
    title = f"{name}: {start:.0f} to {start + seconds:.0f} s, inpainted where marked"
    return edit_picture(mels[0], mels[1], seconds, marked, title)
