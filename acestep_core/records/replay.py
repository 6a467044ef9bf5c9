"""Between a request and the parameter file beside a song.

    Request, Run -> record_of -> Record -> file
    file -> Record -> request_of -> Request

Every task is read back as it was asked for. A file of the original project is repeated in its
own mode; its seeds were drawn on that machine's device, so the same number gives another song
there than here. A clip of a batch names the whole batch: alone its last digits would differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch

from ..anonymous import named
from ..atomic import FileError
from ..config import OUTPUT_RATE, VERSION
from ..editing.request import Options, Request, SourceNamed
from ..sampling.noise import Noise, derived
from ..settings import Setting, rows_of
from ..tasks.region import resolve
from ..types import (
    Edit,
    Extend,
    Follow,
    Guidance,
    Inpaint,
    Lyrics,
    Recipe,
    Region,
    Retake,
    Sampling,
    Task,
    TextToMusic,
)
from ..weights.model import Added, Model
from .record import OWN_KEY, Json, Record, values_of

# Keys of our own part of a record.
ADAPTERS = "adapters"
BATCH = "batch"
SKIPPED = "skipped_adapters"  # named by the record that was repeated, and left out
REPLAYED = "replayed"  # what earlier records of the same song said otherwise, the first one first

# Names of tasks in a record: the original's.
NAMES: dict[type[Task], str] = {
    TextToMusic: "text2music",
    Retake: "retake",
    Inpaint: "repaint",
    Extend: "extend",
    Edit: "edit",
    Follow: "audio2audio",
}
WITH_SOURCE = {NAMES[kind] for kind in (Inpaint, Extend, Edit, Follow)}


@dataclass(frozen=True)
class Run:
    """How a request was run, and where its result lies."""

    model: Model
    path: Path  # of the result; its folder is told to nobody
    rate: int = OUTPUT_RATE
    seconds: float = 0.0  # that the result lasts
    source_seconds: float | None = None
    lyrics: Lyrics | None = None
    times: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def record_of(request: Request, run: Run) -> Record:
    """The record of a result, of all its clips, under the original's names."""
    recipe = request.recipe
    values: dict[str, object] = {
        "format": run.path.suffix.removeprefix("."),
        "prompt": recipe.tags,
        "lyrics": recipe.lyrics,
        "audio_duration": round(run.seconds, 3),
        **_named(recipe.guidance),
        **_named(recipe.sampling),
        "timecosts": {name: round(value, 3) for name, value in run.times.items()},
        "actual_seeds": recipe.seeds,
        "retake_seeds": recipe.retake_seeds,
        "audio_path": run.path.name,  # no folders of this machine in a file people share
        "ace_core": {**_how(request, run), **_asked(request)},
    }
    if request.adapters:  # the original's names have a place for one
        first = request.adapters[0]
        values |= {"lora_name_or_path": first.name, "lora_weight": first.weight}
    if request.source and request.source.name:
        is_reference = isinstance(recipe.task, Follow)
        values["ref_audio_input" if is_reference else "src_audio_path"] = request.source.name
    return Record(**{**values, **_task_fields(recipe.task, run)})  # pyright: ignore[reportArgumentType]


def _named(group: Guidance | Sampling) -> dict[str, object]:
    """Settings under the names that the table says a record has for them."""
    rows = rows_of(type(group).__name__)
    return {row.record: getattr(group, row.field) for row in rows if row.record}


def _unnamed(group: Guidance | Sampling) -> dict[str, Json]:
    """Settings that the original has no name for: they stand in our own part under their key."""
    rows = rows_of(type(group).__name__)
    return {row.key: getattr(group, row.field) for row in rows if not row.record}


def _task_fields(task: Task, run: Run) -> dict[str, object]:
    """What the original's names say of the task; times count from the source's start there."""
    told: dict[str, object] = {"task": NAMES[type(task)]}
    length = run.seconds if run.source_seconds is None else run.source_seconds
    if isinstance(task, TextToMusic):
        return {**told, "audio_duration": task.seconds}
    if isinstance(task, Retake):
        ends = {"audio_duration": task.seconds, "repaint_end": task.seconds}
        return {**told, "retake_variance": task.variance, **ends}
    if isinstance(task, Inpaint):
        first = resolve(task.regions, length)[0]
        ends = {"repaint_start": first.start, "repaint_end": first.end}
        return {**told, "retake_variance": task.variance, **ends}
    if isinstance(task, Extend):
        ends = {"repaint_start": -task.before, "repaint_end": length + task.after}
        return {**told, "retake_variance": 1.0, **ends}
    if isinstance(task, Edit):
        shares = {"edit_n_min": task.start, "edit_n_max": task.stop, "edit_n_avg": task.average}
        return {**told, **shares}
    return {**told, "audio2audio_enable": True, "ref_audio_strength": task.strength}


def _asked(request: Request) -> dict[str, Json]:
    """What was asked for and the original's names have no place for."""
    recipe, task, source = request.recipe, request.recipe.task, request.source
    own: dict[str, Json] = {
        **_unnamed(recipe.guidance),
        **_unnamed(recipe.sampling),
        "compat": recipe.compat,
        "language": recipe.language,
        "in_turn": recipe.in_turn,
        ADAPTERS: [dict(asdict(added)) for added in request.adapters],
    }
    if len(recipe.seeds) > 1:
        retake: list[Json] = [*recipe.retake_seeds]
        own[BATCH] = {"seeds": [*recipe.seeds], "retake_seeds": retake, "item": None}
    if isinstance(task, Extend):
        own |= {"before": task.before, "after": task.after, "context": task.context}
    if isinstance(task, Edit):
        own["extended"] = task.extended
    if isinstance(task, Edit | Inpaint):
        own["regions"] = [dict(asdict(region)) for region in task.regions]
    if source:
        own |= {"source_sha256": source.sha256, "options": dict(asdict(request.options))}
        own |= {"source_tags": source.tags, "source_lyrics": source.lyrics}
        own["source_latent"] = source.latent
    return own


def _how(request: Request, run: Run) -> dict[str, Json]:
    """How it was run: the same again gives the same bytes."""
    part, lyrics = run.model.transformer, run.lyrics
    lines: list[Json] = [line.language for line in lyrics.lines] if lyrics else []
    return {
        "version": VERSION,
        "rng": "cpu",
        "model": run.model.name,
        "demonstration_model": run.model.is_demo,
        "dtype": str(part.dtype).removeprefix("torch."),
        "codec_dtype": str(run.model.vocoder.dtype).removeprefix("torch."),
        "device": part.device.type,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "seconds_made": round(run.seconds, 3),
        "rate": run.rate,
        "lyric_languages": lines,
        "warnings": list(run.warnings),
    }


def of_item(record: Record, item: int) -> Record:
    """The record of one clip of a batch: its own seeds, and which of the batch it is."""
    part, own = slice(item, item + 1), dict(record.ace_core)
    if isinstance(batch := own.get(BATCH), dict):
        own[BATCH] = {**batch, "item": item}
    return replace(
        record,
        actual_seeds=record.actual_seeds[part],
        retake_seeds=record.retake_seeds[part],
        ace_core=own,
    )


def item_of(record: Record) -> int | None:
    """Which clip of its batch a record is of; None is all of them."""
    item = _batch(record).get("item")
    return item if isinstance(item, int) and not isinstance(item, bool) else None


def _batch(record: Record) -> Mapping[str, Json]:
    batch = record.ace_core.get(BATCH)
    return batch if isinstance(batch, dict) else {}


def task_of(record: Record) -> str:
    """The task's name: the original marks audio to audio by a switch as well."""
    task = NAMES[Follow] if record.audio2audio_enable else record.task
    if task not in NAMES.values():
        known = ", ".join(sorted(NAMES.values()))
        raise FileError(f"The file records the task {task!r}; known are {known}.")
    return task


def request_of(record: Record) -> Request:
    """What a record asks for, whichever task, ours or the original's; of a whole batch."""
    name, own = task_of(record), record.ace_core
    with_source = name in WITH_SOURCE
    noise = _noise(record)
    if name in (NAMES[TextToMusic], NAMES[Follow]):
        noise = replace(noise, retake_seeds=())
    tags, lyrics, source = record.prompt, record.lyrics, None
    if with_source:
        source = _source(record)
    if name == NAMES[Edit] and "source_tags" not in own:  # the original names the new ones apart
        tags, lyrics = record.edit_target_prompt or tags, record.edit_target_lyrics or lyrics
    recipe = Recipe(
        tags,
        lyrics,
        _task(record),
        guidance_of(record),
        sampling_of(record),
        noise.seeds,
        noise.retake_seeds,
        record.compat,
        str(own.get("language", Recipe.language)),
        bool(own.get("in_turn", Recipe.in_turn)),
    )
    return Request(recipe, source, _options(record), tuple(adapters_of(record)))


def _noise(record: Record) -> Noise:
    """All seeds, in range; where only the source's are named the others are derived."""
    seeds, retake = (
        _seeds(record, name, usual)
        for name, usual in (("seeds", record.actual_seeds), ("retake_seeds", record.retake_seeds))
    )
    if not seeds:
        raise FileError("The file names no seed (actual_seeds is empty). Add one.")
    return Noise(seeds, retake or tuple(derived(seed) for seed in seeds))


def _seeds(record: Record, name: str, usual: tuple[int, ...]) -> tuple[int, ...]:
    seeds = _batch(record).get(name, [*usual])
    if not isinstance(seeds, list) or any(type(seed) is not int for seed in seeds):
        raise FileError(f"The file's {BATCH} {name} are {seeds!r}; they must be whole numbers.")
    return tuple(seed for seed in seeds if isinstance(seed, int))


def _source(record: Record) -> SourceNamed:
    """The source's file, wherever it lay, and what is heard in it."""
    own, path = record.ace_core, record.src_audio_path or record.ref_audio_input or ""
    is_edit = task_of(record) == NAMES[Edit]
    usual = (record.prompt, record.lyrics) if is_edit and "source_tags" not in own else ("", "")
    tags, lyrics = own.get("source_tags", usual[0]), own.get("source_lyrics", usual[1])
    digest, latent = str(own.get("source_sha256", "")), bool(own.get("source_latent"))
    return SourceNamed(re.split(r"[\\/]", path)[-1], digest, str(tags), str(lyrics), latent)


def _task(record: Record) -> Task:
    name, own = task_of(record), record.ace_core
    if name == NAMES[TextToMusic]:
        return TextToMusic(record.audio_duration)
    if name == NAMES[Retake]:
        return Retake(record.audio_duration, record.retake_variance)
    if name == NAMES[Follow]:
        return Follow(record.ref_audio_strength)
    if name == NAMES[Inpaint]:
        usual = (Region(record.repaint_start, record.repaint_end),)
        return Inpaint(_regions(record) or usual, record.retake_variance)
    if name == NAMES[Extend]:
        added = {
            "before": max(-record.repaint_start, 0),
            "after": max(record.repaint_end - record.audio_duration, 0),
            "context": Extend.context,
        }
        return Extend(**{key: _number(own.get(key, value), key) for key, value in added.items()})
    shares = (record.edit_n_min, record.edit_n_max, record.edit_n_avg)
    return Edit(*shares, bool(own.get("extended")), _regions(record))


def _regions(record: Record) -> tuple[Region, ...]:
    """What parts of the source were worked on; none is all of it."""
    named = record.ace_core.get("regions", [])
    if not isinstance(named, list) or not all(isinstance(one, dict) for one in named):
        raise FileError(f"The file's regions are {named!r}; they must be a list of their ends.")
    return tuple(_region(one) for one in named if isinstance(one, dict))


def _region(named: dict[str, Json]) -> Region:
    if strange := named.keys() - {entry.name for entry in fields(Region)}:
        raise FileError(f"A region of the file has {', '.join(sorted(strange))}; remove it there.")
    places: dict[str, Json] = {}
    for name, value in named.items():
        places[name] = value if name.endswith("_from") else _number(value, name)
    region = Region(**places)  # pyright: ignore[reportArgumentType]
    if not {"start", "end"} <= named.keys():
        raise FileError(f"A region of the file is {named!r}; it must have a start and an end.")
    return region


def _options(record: Record) -> Options:
    """How the result was put into its source; the original's files do not say."""
    named = record.ace_core.get("options", {})
    known = {entry.name: entry.default for entry in fields(Options)}
    if not isinstance(named, dict) or not named.keys() <= known.keys():
        raise FileError(
            f"The file's options are {named!r}; known are {', '.join(known)}. Correct it there."
        )
    for name, value in named.items():
        if isinstance(known[name], bool) and not isinstance(value, bool):
            raise FileError(f"The file's {name} is {value!r}; it must be true or false.")
        if not isinstance(known[name], bool):
            _number(value, name)
    return Options(**named)  # pyright: ignore[reportArgumentType]


def _number(value: Json, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FileError(f"The file's {name} is {value!r}; it must be a number. Correct it there.")
    return value


def adapters_of(record: Record) -> list[Added]:
    """The adapters of a recorded run. Our own files name all of them, the original's just one."""
    entries = record.ace_core.get(ADAPTERS) or record.ace_core.get(SKIPPED)
    if not entries:
        return [Added(record.lora, record.lora_weight)] if record.lora else []
    try:
        return [Added(**entry) for entry in entries]  # pyright: ignore[reportGeneralTypeIssues]
    except TypeError as error:
        raise FileError(
            f"The file's {ADAPTERS} are not a list of names and weights. Correct it there."
        ) from error


def guidance_of(record: Record) -> Guidance:
    return Guidance(**_settings(record, "Guidance"))


def sampling_of(record: Record) -> Sampling:
    return Sampling(**_settings(record, "Sampling"))


def _settings(record: Record, owner: str) -> dict[str, Any]:
    """What a record says of a class's settings; of those it does not name the defaults stand."""
    rows, own = rows_of(owner), record.ace_core
    told = {row.field: getattr(record, row.record) for row in rows if row.record}
    return told | {row.field: _own(row, own[row.key]) for row in rows if row.key in own}


def _own(row: Setting, value: Json) -> Json:
    if row.kind == "switch" and not isinstance(value, bool):
        raise FileError(f"The file's {row.key} is {value!r}; it must be true or false.")
    return _number(value, row.key) if row.kind in ("number", "whole") else value


# Of no effect on a text-to-music run, and named by the original all the same.
UNUSED = (
    "retake_seeds",
    "src_audio_path",
    "ref_audio_input",
    "edit_target_prompt",
    "edit_target_lyrics",
)


def carried(new: Record, old: Record) -> Record:
    """The record of a repeated run with all that the first one said, so that nothing is lost.

    Adapters that were left out stay named where they were. What differs now is kept apart. Of
    paths, which older files hold, only the names go on.
    """
    old = replace(old, **_without_folders(old))
    kept: dict[str, object] = {
        name: getattr(old, name) for name in UNUSED if not getattr(new, name)
    }
    own = dict(new.ace_core)
    if old.lora and not new.lora:
        kept |= {"lora_name_or_path": old.lora_name_or_path, "lora_weight": old.lora_weight}
        own[SKIPPED] = [dict(asdict(added)) for added in adapters_of(old)]
    record = replace(new, extra={**old.extra, **new.extra}, **kept)  # pyright: ignore[reportArgumentType]
    differing: dict[str, Json] = _differing(values_of(old), values_of(record))
    if changed := _differing(old.ace_core, own):
        differing[OWN_KEY] = changed
    earlier = old.ace_core.get(REPLAYED, [])
    own[REPLAYED] = [*(earlier if isinstance(earlier, list) else [earlier]), differing]
    return replace(record, ace_core=own)


def _without_folders(record: Record) -> dict[str, Any]:
    held = {entry.name: getattr(record, entry.name) for entry in fields(record)}
    texts = named({name: one for name, one in held.items() if isinstance(one, str | dict)})
    assert isinstance(texts, dict)
    return texts


def _differing(old: Mapping[str, Json], new: Mapping[str, Json]) -> dict[str, Json]:
    """Values of the old that the new has not or has otherwise; our own part is looked at apart."""
    return {
        name: value
        for name, value in old.items()
        if name not in (OWN_KEY, REPLAYED) and new.get(name) != value
    }
