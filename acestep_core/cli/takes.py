"""From what was asked for to files: clips made, or changed, and saved with their records.

    Asked, source -> done -> Takes -> sound file, parameter file, report of each

One way for every command, and for a record that is repeated.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from torch import Tensor

from ..atomic import check_place, replaced, state_of
from ..editing.edits import edited, vary
from ..editing.report import EditReport
from ..editing.request import Pipe, SourceClip, SourceNamed
from ..pipeline import ACEStep, Made, delivered, words_of
from ..records.labels import shown
from ..records.latents import Keeper, not_lost, read_latent
from ..records.record import record_path, write_record
from ..records.replay import Run, carried, of_item, record_of
from ..sampling.loop import See
from ..settings import SettingError
from ..sound.files import InFile, write_audio
from ..sound.flaws import listening
from ..sound.tiles import Heard
from ..sound.track import Track
from ..types import Latent, Lyrics, Recipe, Retake, Source, Tags, TextToMusic
from ..weights.download import sha256
from .options import Asked
from .running import checked_outputs, loaded, stepping, ticking, vocabulary_of, watched


@dataclass(frozen=True, eq=False)
class Takes:
    """Clips made to sound, and what is said of them."""

    sounds: Sequence[Tensor | Track]  # (C, N) each
    rate: int  # Hz
    recipe: Recipe  # with the seeds that were used
    seconds: float  # of music in each
    lyrics: Lyrics
    times: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    reports: tuple[EditReport, ...] = ()
    latent: Latent | None = None


@dataclass(frozen=True)
class Holding:
    """A pipeline for edits that holds on to what it has sampled last."""

    pipe: ACEStep
    keeper: Keeper

    def tags(self, text: str) -> Tags:
        return self.pipe.tags(text)

    def lyrics(self, text: str, language: str, compat: str) -> Lyrics:
        return self.pipe.lyrics(text, language, compat)

    def encode(self, wave: Tensor, rate: int) -> Latent:
        return self.pipe.encode(wave, rate)

    def generate(self, recipe: Recipe, see: See, source: Source | None = None) -> Made:
        made = self.pipe.generate(recipe, see, source)
        self.keeper.latent = made.latent
        return made

    def decode(self, latent: Latent, rate: int, *, heard: Heard = None) -> Tensor:
        return self.pipe.decode(latent, rate, heard=heard)


def generated(pipe: ACEStep, asked: Asked, rate: int, lyrics: Lyrics, keeper: Keeper) -> Takes:
    """Clips made from words alone."""
    recipe = asked.recipe
    with watched("sampling", pipe.evaluations(recipe)) as see:
        made = pipe.generate(recipe, see, lyrics=lyrics)
    keeper.latent = made.latent
    began = time.perf_counter()
    with ticking("decoding") as tick, listening() as flaws:
        wave, said = delivered(pipe.decode(made.latent, rate, tick=tick))
    times = {**made.times, "latent2audio": time.perf_counter() - began}
    warnings = (*made.warnings, *said, *flaws)
    return Takes(
        sounds=list(wave),
        rate=rate,
        recipe=made.recipe,
        seconds=made.latent.seconds,
        lyrics=lyrics,
        times=times,
        warnings=warnings,
        latent=made.latent,
    )


def changed(pipe: Pipe, asked: Asked, clip: SourceClip | None, lyrics: Lyrics) -> Takes:
    """What an edit, or a variation, makes of a clip."""
    recipe, options = asked.recipe, asked.request.options
    with stepping() as see:
        if isinstance(recipe.task, Retake):
            result = vary(pipe, recipe, recipe.task.variance, clip, options, see)
        else:
            assert clip is not None, "every other task works on a source"
            result = edited(pipe, clip, recipe, options, see)
    seconds = result.tracks[0].samples / result.rate
    found = (report.warnings for report in result.reports)
    warnings = tuple(dict.fromkeys(warning for one in found for warning in one))
    return Takes(
        result.tracks, result.rate, result.recipe, seconds, lyrics, {}, warnings, result.reports
    )


def done(asked: Asked, options: argparse.Namespace, source: Path | None = None) -> int:
    """Places first, then the source, the model, the work, and its files."""
    paths = checked_outputs(options.output, options.rate, asked.clips)
    before = [state_of(path) for path in paths]
    for path in paths:
        check_place(record_path(path))
        check_place(_report_path(path))
    clip, asked = _clip(asked, options, source)
    # Before gigabytes are read: lyrics may be too long, or need a vocabulary that is not there.
    recipe = asked.recipe
    lyrics = words_of(recipe.lyrics, vocabulary_of(options), recipe.language, recipe.compat)
    pipe = loaded(options, asked.applied, asked.record)
    for note in asked.notes:
        print(note, file=sys.stderr)
    name = f"{paths[0].stem}_latent.safetensors"
    places = [paths[0].with_name(name), Path(tempfile.gettempdir()) / name]
    with not_lost(places, pipe.model.name) as keeper:
        if isinstance(recipe.task, TextToMusic):
            takes = generated(pipe, asked, options.rate, lyrics, keeper)
        else:
            takes = changed(Holding(pipe, keeper), asked, clip, lyrics)
        _warn_of_others(paths, before)
        save(pipe, asked, takes, paths, clip.seconds if clip else None)
    return 0


def _warn_of_others(paths: Sequence[Path], before: Sequence[object]) -> None:
    """Two runs may have the same --output: the last one's song stays, and says so."""
    for path, state in zip(paths, before, strict=True):
        if state_of(path) != state:
            text = f"{path} was written by another run meanwhile; that song is replaced."
            print(f"warning: {text}", file=sys.stderr)


def _clip(
    asked: Asked, options: argparse.Namespace, source: Path | None
) -> tuple[SourceClip | None, Asked]:
    """The source's sound, and the request with its name."""
    named = asked.request.source
    if isinstance(asked.recipe.task, TextToMusic | Retake):
        return None, asked
    if source is None:
        name = named.name if named and named.name else "the clip it worked on"
        raise SettingError(f"The record works on a source. Give it: --source {name}")
    place = getattr(options, "latent", None)
    latent = read_latent(place) if place else None
    known, notes = named or SourceNamed(), list(asked.notes)
    digest = sha256(source)
    if asked.record and known.sha256 and known.sha256 != digest:
        notes.append(f"note: {source.name} is not the file that was worked on (SHA-256 differs).")
    if asked.record and known.latent and latent is None:
        notes.append("note: the source's own latents were used; without --latent it is encoded.")
    track = InFile(source)
    clip = SourceClip(track, track.rate, latent, known.tags, known.lyrics)
    named = replace(known, name=source.name, sha256=digest, latent=latent is not None)
    request = replace(asked.request, source=named)
    return clip, replace(asked, request=request, notes=tuple(notes))


def save(
    pipe: ACEStep,
    asked: Asked,
    takes: Takes,
    paths: list[Path],
    source_seconds: float | None = None,
) -> None:
    """A sound file, its parameter file and, of an edit, its report for each clip."""
    if not takes.reports:
        for warning in takes.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    request = replace(asked.request, recipe=takes.recipe, adapters=pipe.model.adapters)
    first, labels = asked.item or 0, shown(takes.recipe.tags, takes.recipe.lyrics)
    for index, path in enumerate(paths, start=first):
        written = write_audio(path, takes.sounds[index], takes.rate, tags=labels)
        run = Run(
            pipe.model,
            path,
            written.rate,
            takes.seconds,
            source_seconds,
            takes.lyrics,
            takes.times,
            takes.warnings,
        )
        record = of_item(record_of(request, run), index)
        write_record(path, carried(record, asked.record) if asked.record else record)
        if takes.reports:
            _write_report(path, takes.reports[index])
        else:
            print(f"{path}  {takes.seconds:.3f} s  seed {takes.recipe.seeds[index]}")


def _write_report(path: Path, report: EditReport) -> None:
    with replaced(_report_path(path)) as place:
        text = json.dumps(report.as_data(), indent=2, ensure_ascii=False)
        place.write_text(text + "\n", encoding="utf-8")
    print(f"{path}\n{report.text()}")


def _report_path(path: Path) -> Path:
    return path.with_name(path.stem + "_report.json")
