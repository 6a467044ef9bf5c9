"""Generator: a model that is loaded once and makes rows, a batch at a time.

    Generator(model, device, dtype, work)       as any engine constructs it, in its own process
    generator({"id": [...], "tags": [...], ...}) -> {"id": [...], "status": [...], "path": [...]}

Files are whole when a batch returns. A row that fails says why and leaves the others alone; its
batch is made without it, which its words alone decide.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..config import OUTPUT_RATE
from ..editing.edits import edited, vary
from ..editing.request import Request, SourceClip
from ..networks.memory import give_back, is_out_of_memory
from ..pipeline import ACEStep, delivered, make_each, resolved
from ..records.labels import shown
from ..records.record import write_record
from ..records.replay import Run, of_item, record_of
from ..settings import AUTO, SettingError
from ..sound.files import InFile, write_audio
from ..sound.loudness import loudness_range, measured
from ..types import Extend, Lyrics, Recipe, Retake, TextToMusic
from ..weights.checkpoint import PARTS, CheckpointError
from ..weights.download import sha256
from ..weights.lora import read_named
from ..weights.model import Added, Placing, Precision, named_precision
from ..weights.shared import Piece, Weights, gathered
from .gates import NOT_FINITE, Gates, is_finite, sound_digest
from .ledger import DONE, FAILED
from .places import Places
from .plan import raws_of, shape_of
from .rows import Row, row_of
from .sources import digest_at

log = logging.getLogger(__name__)

COLUMNS = (
    *("id", "status", "error", "path", "bytes", "seconds", "seed", "sha256", "sound"),
    *("loudness", "loudness_range", "peak", "gates", "warnings"),
)
SAID = (ValueError, CheckpointError)  # errors that are sentences already
TOGETHER = "made_with"  # in a record: the rows of its batch, in order


@dataclass(frozen=True)
class Work:
    """Where the files lie, and what else the results depend on."""

    places: Places
    threads: int = 1  # of the processor, always as many: another number gives other last digits
    codec_dtype: str = AUTO
    offload: bool = False
    gates: Gates = field(default_factory=Gates)
    training_scale: bool = False  # of the adapters that rows name

    def precision(self, device: str, dtype: str) -> Precision:
        names = {"dtype": dtype, "codec_dtype": self.codec_dtype}
        return named_precision(Placing(torch.device(device)), names)

    def placed(self, adapter: Added) -> Added:
        """An adapter that a row names, from the manifest's folder, by its path."""
        path = Path(self.places.base) / adapter.name
        return Added(str(path), adapter.weight, self.training_scale)


@dataclass(frozen=True, eq=False)
class Clip:
    """What was made of a row, before it is a file."""

    row: Row
    request: Request  # as its record has it
    wave: Tensor  # (C, N)
    rate: int
    seconds: float
    asked: float  # seconds
    lyrics: Lyrics
    warnings: tuple[str, ...] = ()
    source_seconds: float | None = None
    item: int = 0  # of the request's seeds
    together: tuple[str, ...] = ()


class Generator:
    def __init__(
        self,
        model: str | Path | Sequence[str | Path],
        device: str = "cpu",
        dtype: str = AUTO,
        work: Work | None = None,
        adapters: Sequence[Added] = (),
        weights: Weights | None = None,
    ) -> None:
        """`model` is a folder, a file, or the component files; adapters are named by their paths.
        `weights` are those of `Loading.sharing`."""
        self.work = work or Work(Places("."))
        paths = [model] if isinstance(model, str | Path) else list(model)
        precision = self.work.precision(device, dtype)
        with threads_of(self.work.threads):
            self.base = ACEStep.load(
                *paths,
                device=device,
                precision=precision,
                offload=self.work.offload,
                weights=weights,
            )
            has_them = weights is not None and weights.adapters
            self.pipe = self.base if has_them else self._adapted(adapters)
        self._own: tuple[Sequence[Added], ACEStep] = (), self.base

    def _adapted(self, adapters: Sequence[Added]) -> ACEStep:
        return self.base.with_adapters([read_named(one) for one in adapters])

    def _pipe(self, row: Row) -> ACEStep:
        """What makes a row: the run's adapters are in it, or those that the row names."""
        adapters = row.adapters
        if adapters is None:
            return self.pipe
        assert not self.base.model.adapters, "weights for rows of other adapters have none"
        if adapters != self._own[0]:  # of those that were made for rows the last one stays
            found = [self.work.placed(one) for one in adapters]
            self._own = adapters, self._adapted(found)
        return self._own[1]

    def __call__(self, rows: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Rows of any shapes, as columns; those of equal shape are made together, in this order."""
        raws = raws_of({name: list(values) for name, values in rows.items()})
        found: dict[int, dict[str, Any]] = {}
        shapes: dict[object, list[tuple[int, Row]]] = {}
        for place, raw in enumerate(raws):
            try:
                row = row_of(raw, place + 1, self.base.model.card.recommended)
            except ValueError as error:
                found[place] = failed(str(raw.get("id", place + 1)), error)
            else:
                shapes.setdefault(shape_of(row), []).append((place, row))
        with threads_of(self.work.threads):
            for shape in shapes.values():
                places, alike = zip(*shape, strict=True)
                found |= zip(places, self._made(alike), strict=True)
        results = [found[place] for place in range(len(raws))]
        return {name: [result[name] for result in results] for name in COLUMNS}

    def _made(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Results of rows of one shape."""
        results: dict[str, dict[str, Any]] = {}
        try:
            for clip in self._clips(rows, results):
                results[clip.row.id] = self._saved(clip)
        except Exception as error:
            if not isinstance(error, SAID):
                log.exception("rows %s", ", ".join(row.id for row in rows))
            for row in rows:
                results.setdefault(row.id, failed(row.id, error, row.seed))
        return [results[row.id] for row in rows]

    def _clips(self, rows: Sequence[Row], results: dict[str, dict[str, Any]]) -> Iterator[Clip]:
        task = rows[0].task
        if isinstance(task, TextToMusic):
            return self._new(rows, results)
        if isinstance(task, Retake):
            return self._varied(rows)
        return self._edited(rows[0])

    def _new(self, rows: Sequence[Row], results: dict[str, dict[str, Any]]) -> Iterator[Clip]:
        """Clips from words alone; a row whose words cannot be read is left out."""
        pipe, words = self._pipe(rows[0]), []
        for row in rows:
            recipe = row.recipe
            try:
                lyrics = pipe.lyrics(recipe.lyrics, recipe.language, recipe.compat)
                words.append((row, pipe.tags(recipe.tags), lyrics))
            except ValueError as error:
                results[row.id] = failed(row.id, error, row.seed)
        if not words:
            return
        recipe = replace(rows[0].recipe, seeds=tuple(row.seed for row, *_ in words))
        if is_same := all(_words(row.recipe) == _words(rows[0].recipe) for row, *_ in words):
            latent = pipe.generate(recipe, lyrics=words[0][2]).latent
        else:
            latent = make_each(pipe.model, [(tags, lyrics) for _, tags, lyrics in words], recipe)
        wave = pipe.decode(latent, OUTPUT_RATE)
        ids = tuple(row.id for row, *_ in words) if len(words) > 1 else ()
        for index, (row, _, lyrics) in enumerate(words):
            if not is_finite(wave[index]):
                results[row.id] = not_finite(row)
                continue
            sound, said = delivered(wave[index : index + 1])
            request = row.request
            if is_same:  # its record names the batch, and repeats it to the last digit
                request = replace(request, recipe=replace(row.recipe, seeds=recipe.seeds))
            yield Clip(
                row,
                request,
                sound[0],
                OUTPUT_RATE,
                latent.seconds,
                row.task.seconds,  # pyright: ignore[reportAttributeAccessIssue]
                lyrics,
                (*lyrics.warnings, *pipe.cautions(row.recipe), *said),
                item=index if is_same else 0,
                together=ids,
            )

    def _varied(self, rows: Sequence[Row]) -> Iterator[Clip]:
        pipe, first = self._pipe(rows[0]), rows[0].recipe
        task = first.task
        assert isinstance(task, Retake)
        seeds = tuple(row.recipe.seeds[0] for row in rows)
        recipe = replace(first, seeds=seeds, retake_seeds=tuple(row.seed for row in rows))
        made = vary(pipe, recipe, task.variance)
        lyrics = pipe.lyrics(first.lyrics, first.language, first.compat)
        for index, row in enumerate(rows):
            wave = made.tracks[index].whole()
            request = replace(row.request, recipe=made.recipe)
            warnings = made.reports[index].warnings
            yield Clip(
                row,
                request,
                wave,
                made.rate,
                wave.shape[-1] / made.rate,
                task.seconds,
                lyrics,
                warnings,
                item=index,
                together=tuple(one.id for one in rows) if len(rows) > 1 else (),
            )

    def _edited(self, row: Row) -> Iterator[Clip]:
        assert row.source, "every other task works on a source"
        assert row.request.source, "a source has a name"
        pipe, place = self._pipe(row), Path(self.work.places.base) / row.source
        named = replace(row.request.source, sha256=digest_at(place))
        track = InFile(place)
        clip = SourceClip(track, track.rate, None, named.tags, named.lyrics)
        recipe = resolved(row.recipe)
        made = edited(pipe, clip, recipe, row.request.options)
        wave, task = made.tracks[0].whole(), row.task
        more = task.before + task.after if isinstance(task, Extend) else 0.0
        yield Clip(
            row,
            replace(row.request, recipe=made.recipe, source=named),
            wave,
            made.rate,
            wave.shape[-1] / made.rate,
            clip.seconds + more,
            pipe.lyrics(made.recipe.lyrics, recipe.language, recipe.compat),
            made.reports[0].warnings,
            clip.seconds,
        )

    def _saved(self, clip: Clip) -> dict[str, Any]:
        """The clip's files, written, and what is said of it."""
        row, places, model = clip.row, self.work.places, self._pipe(clip.row).model
        if not is_finite(clip.wave):
            return not_finite(row)
        path = places.of(row.id)
        labels = shown(clip.request.recipe.tags, clip.request.recipe.lyrics)
        written = write_audio(path, clip.wave, clip.rate, tags=labels)
        run = Run(
            model,
            path,
            written.rate,
            clip.seconds,
            clip.source_seconds,
            clip.lyrics,
            {},  # how long it took is another time each time, and a record's bytes are to be equal
            clip.warnings,
        )
        request = replace(clip.request, adapters=model.adapters)
        record = of_item(record_of(request, run), clip.item)
        if clip.together:
            record = replace(record, ace_core={**record.ace_core, TOGETHER: [*clip.together]})
        write_record(path, record)
        loudness, spread = measured(clip.wave, clip.rate), loudness_range(clip.wave, clip.rate)
        return {
            "id": row.id,
            "status": DONE,
            "error": "",
            "path": places.told(row.id),
            "bytes": path.stat().st_size,
            "seconds": round(clip.seconds, 3),
            "seed": row.seed,
            "sha256": sha256(path),
            "sound": sound_digest(clip.wave),
            "loudness": None if loudness.integrated is None else round(loudness.integrated, 2),
            "loudness_range": None if spread is None else round(spread, 2),
            "peak": None if loudness.is_silent else round(loudness.peak, 2),
            "gates": self.work.gates.failed(loudness, spread, clip.seconds, clip.asked),
            "warnings": [*clip.warnings, *written.notes],
        }


def _words(recipe: Recipe) -> tuple[str, str, str]:
    return recipe.tags, recipe.lyrics, recipe.language


def failed(name: str, error: Exception, seed: int | None = None) -> dict[str, Any]:
    """The result of a row that could not be made."""
    text = str(error) if isinstance(error, SAID) else f"{type(error).__name__}: {error}"
    if is_out_of_memory(error):
        text = f"There is not enough memory ({text}). Make fewer rows at once with --batch."
    empty = dict.fromkeys(COLUMNS)
    lists = {"gates": [], "warnings": []}
    told = {"id": name, "status": FAILED, "error": text, "path": "", "seed": seed}
    return {**empty, **lists, **told}


def not_finite(row: Row) -> dict[str, Any]:
    error = SettingError("The sound holds values that are not numbers. Make it in float32.")
    return {**failed(row.id, error, row.seed), "gates": [NOT_FINITE]}


@contextmanager
def threads_of(count: int) -> Iterator[None]:
    """Within it torch has so many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class Loading:
    """How each worker of an engine gets its Generator."""

    model: tuple[str, ...]
    dtype: str
    work: Work
    adapters: tuple[Added, ...] = ()  # by their paths
    varies: bool = False  # whether rows name adapters of their own
    weights: Weights | None = None

    def __call__(self, device: str) -> Generator:
        return Generator(
            self.model, device, self.dtype, self.work, self.adapters, weights=self.weights
        )

    def precision(self, device: str) -> Precision:
        return self.work.precision(device, self.dtype)

    def sharing(self, device: str, piece: Piece) -> Loading:
        """The same for workers that take the weights from a piece of memory, where they are put
        now. Adapters are in them where nothing else would be computed than in the workers: on a
        processor, if all rows have the same."""
        is_final = torch.device(device).type == "cpu" and not self.varies
        with threads_of(self.work.threads):
            pipe = ACEStep.load(*self.model, precision=self.precision(device))
            if is_final:
                pipe = pipe.with_adapters([read_named(one) for one in self.adapters])
        pipe.model.transformer.module.lay()
        networks = {part: getattr(pipe.model, part).module for part in PARTS}
        weights = gathered(networks, piece, pipe.model.adapters)
        del pipe, networks
        give_back()
        return replace(self, weights=weights)
