"""A parameter file as a graph of nodes, in the form that ComfyUI's /prompt takes.

    Record -> graph_of -> Graph(prompt, notes)
    Record -> task_node -> (kind of node, its inputs)    what the record's task is there

A task on a source gets a LoadAudio under the name that the record gives the file. The record
itself rides along, so that what is saved again holds all that it says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TypeAlias

from ..atomic import FileError
from ..config import MAX_SECONDS
from ..lyrics import LANGUAGE_CHOICES
from ..presets import EDIT_MODES
from ..sampling.noise import Noise, derived
from ..settings import chosen_from
from ..sound.files import FORMATS
from ..tasks.behaviours import BEHAVIOURS
from ..types import COMPATS, Region, TextToMusic
from ..weights.lora import FILE
from ..weights.model import Added
from .record import Json, Record, values_of
from .replay import guidance_of, language_of, sampling_of

Inputs: TypeAlias = "dict[str, Json]"

LORA_CHOICES = ("error", "skip")
SKIP = LORA_CHOICES[1]
SAFETENSORS = ".safetensors"
NO_FILE, CUSTOM = "none", "custom"  # of the nodes' lists
INFO, TASK, RECORD = 1, 9, 10  # outputs of the Sampler and of Load Parameters
LARGEST_PRIMITIVE = 2**63 - 1  # that ComfyUI's PrimitiveInt holds
SAMPLE = "song.flac"  # where the record names no source
FALLBACK_FORMAT, ORIGINAL_RATE = "flac", 48_000
WITH_SOURCE = {"repaint", "extend", "edit", "audio2audio"}
MATCH_LEVEL = "match_level"
OPTIONS = {"splice": bool, "crossfade": float, MATCH_LEVEL: bool}  # of a task on a source
TASKS = {"text2music", "retake", *WITH_SOURCE}
NO_SOURCE_TAGS = (
    "The file does not say what the source was before the edit: its tags and lyrics are put"
    " where the source's belong. Change them in the nodes before Remix / Edit."
)


WHOLE_FRAMES = "The file counts new music in frames: it may be 0.09 s longer than it was asked for."
OTHER_NOISE = (
    "The original draws its noise on the graphics card: this repeats the settings, not that very"
    " song."
)


@dataclass(frozen=True)
class Graph:
    prompt: dict[str, Inputs]  # API form
    notes: tuple[str, ...]  # what the user has to know or to do


@dataclass(frozen=True)
class Seeds:
    """As the nodes have them: the Sampler's is that of what is new."""

    sampled: tuple[int, ...]
    source: int | None = None


def task_of(record: Record) -> str:
    """The task under its own name: the original marks audio to audio by a switch as well."""
    task = "audio2audio" if record.audio2audio_enable else record.task
    if task not in TASKS:
        raise FileError(
            f"The file records the task {task!r}; known are {', '.join(sorted(TASKS))}."
        )
    return task


def seeds_of(record: Record) -> Seeds:
    if not record.actual_seeds:
        raise FileError("The file names no seed (actual_seeds is empty). Add one.")
    Noise(record.actual_seeds, record.retake_seeds)  # checks their range
    if task_of(record) in ("text2music", "audio2audio"):
        return Seeds(record.actual_seeds)
    new = record.retake_seeds or tuple(derived(seed) for seed in record.actual_seeds)
    return Seeds(new, record.actual_seeds[0])


def task_node(record: Record) -> tuple[str, Inputs]:
    """The node that describes the record's task, without its source; "" for text to music."""
    task, own, seeds = task_of(record), record.ace_core, seeds_of(record)
    options = _options(record)
    if task == "text2music":
        return "", {}
    if task == "retake":
        variance = {"variance": record.retake_variance}
        return "AceSuiteRetake", {"source_seed": seeds.source, **variance}
    if task == "audio2audio":
        level = {name: value for name, value in options.items() if name == MATCH_LEVEL}
        return "AceSuiteAudioReference", {"strength": record.ref_audio_strength, **level}
    given: Inputs = {**options, "source_seed": seeds.source}
    if task == "repaint":
        return "AceSuiteInpaintMask", {**_region(record), **given}
    if task == "extend":
        return "AceSuiteExtend", {**_growth(record), **given}
    start, stop = record.edit_n_min, record.edit_n_max
    named = [name for name, share in EDIT_MODES.items() if share == (start, stop)]
    shares: Inputs = {"edit_start": start, "edit_stop": stop, "average": record.edit_n_avg}
    settings: Inputs = {"mode": (named or ["custom"])[0], "extended": bool(own.get("extended"))}
    return "AceSuiteRemixEdit", {**settings, **shares, **given}


def _options(record: Record) -> Inputs:
    """How the result was put into its source; the original's files do not say."""
    found = record.ace_core.get("options", {})
    if not isinstance(found, dict) or not found.keys() <= OPTIONS.keys():
        raise FileError(
            f"The file's options are {found!r}; known are {', '.join(OPTIONS)}. Correct it there."
        )
    for name, value in found.items():
        if OPTIONS[name] is bool and not isinstance(value, bool):
            raise FileError(f"The file's {name} is {value!r}; it must be true or false.")
        if OPTIONS[name] is float:
            _number(value, name)
    return dict(found)


def regions_of(record: Record) -> tuple[Region, ...]:
    """What parts of the source were worked on; none is all of it."""
    named = record.ace_core.get("regions", [])
    if not isinstance(named, list) or not all(isinstance(one, dict) for one in named):
        raise FileError(f"The file's regions are {named!r}; they must be a list of their ends.")
    return tuple(_region_of(one) for one in named if isinstance(one, dict))


def _region_of(named: dict[str, Json]) -> Region:
    if strange := named.keys() - {field.name for field in fields(Region)}:
        raise FileError(f"A region of the file has {', '.join(sorted(strange))}; remove it there.")
    places: dict[str, Json] = {}
    for name, value in named.items():
        places[name] = value if name.endswith("_from") else _number(value, name)
    region = Region(**places)  # pyright: ignore[reportArgumentType]
    if not {"start", "end"} <= named.keys():
        raise FileError(f"A region of the file is {named!r}; it must have a start and an end.")
    return region


def needs_the_file(record: Record) -> bool:
    """Whether its regions have no place in a task node: several, or an edit's, which is a mask."""
    return len(regions_of(record)) > (0 if task_of(record) == "edit" else 1)


def _region(record: Record) -> Inputs:
    """The first region."""
    named = regions_of(record) or (Region(record.repaint_start, record.repaint_end),)
    return {**asdict(named[0]), "variance": record.retake_variance}


def _growth(record: Record) -> Inputs:
    own = record.ace_core
    usual = {
        "before": max(-record.repaint_start, 0),
        "after": max(record.repaint_end - record.audio_duration, 0),
        "context": MAX_SECONDS,
    }
    return {name: _number(own.get(name, value), name) for name, value in usual.items()}


def _number(value: Json, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FileError(f"The file's {name} is {value!r}; it must be a number. Correct it there.")
    return value


def seconds_of(record: Record) -> float:
    """The length to ask the Sampler for; a source brings its own."""
    if task_of(record) in WITH_SOURCE:
        return TextToMusic.seconds
    return TextToMusic(record.audio_duration).seconds  # checks it


def entry_of(name: str, entries: Iterable[str]) -> str | None:
    """The entry of ComfyUI's list of adapters that a record's name, or path, means."""
    wanted = name.replace("\\", "/").rstrip("/").removesuffix(SAFETENSORS)
    for entry in entries:
        parts = entry.removesuffix(SAFETENSORS).split("/")
        # Every adapter may be saved under the same file name; its folder tells them apart.
        own = parts[-2:-1] if f"{parts[-1]}{SAFETENSORS}" == FILE else parts[-1:]
        if wanted in ("/".join(parts), *own) or wanted.split("/")[-1:] == own:
            return entry
    return None


def found_adapters(
    recorded: Iterable[Added], entries: Sequence[str], lora: str, source: Path
) -> list[Added]:
    """The recorded adapters by their entries; one that is not there is an error, or skipped."""
    chosen_from("lora", lora, LORA_CHOICES)
    if lora == SKIP:
        return []
    found = [(one, entry_of(one.name, entries)) for one in recorded]
    if absent := [repr(one.name) for one, entry in found if entry is None]:
        raise FileError(
            f"{source} was made with the LoRA {', '.join(absent)}, which is not there. Put the"
            " file into models/loras under that name, or leave it out with lora skip."
        )
    return [replace(one, name=entry) for one, entry in found if entry]


def placed_adapters(recorded: Sequence[Added], given: Sequence[str], source: Path) -> list[Added]:
    """The adapters by the entries that were given, or by where their files belong in ComfyUI."""
    if list(given) == [SKIP]:
        return []
    if given:
        pairs = recorded if len(recorded) == len(given) else [Added("")] * len(given)
        return [replace(one, name=entry) for one, entry in zip(pairs, given, strict=True)]
    if absent := [repr(one.name) for one in recorded if not Path(one.name).exists()]:
        raise FileError(
            f"{source} was made with the LoRA {', '.join(absent)}, which is not there. Give its"
            " place in ComfyUI with --lora loras/NAME.safetensors, or leave it out with"
            " --lora skip."
        )
    places = [Path(one.name) for one in recorded]
    entries = [f"{place.name}/{FILE}" if place.is_dir() else place.name for place in places]
    return [
        replace(one, name=f"loras/{entry}") for one, entry in zip(recorded, entries, strict=True)
    ]


def source_of(record: Record) -> str:
    """The name of the source's file, wherever it lay."""
    path = record.src_audio_path or record.ref_audio_input or SAMPLE
    return re.split(r"[\\/]", path)[-1] or SAMPLE


def source_words(record: Record) -> tuple[str, str]:
    """Tags and lyrics of an edit's source; the original's files do not have them."""
    own = record.ace_core
    if "source_tags" not in own:
        return record.prompt, record.lyrics
    return str(own["source_tags"]), str(own.get("source_lyrics", ""))


def graph_of(record: Record, adapters: Sequence[Added] = (), lora: str = "error") -> Graph:
    """The graph that repeats a record; `adapters` are named as ComfyUI's list has them."""
    nodes = _Nodes(record, lora)
    model = nodes.model(adapters)
    words = nodes.words(model, record.prompt, record.lyrics)
    task = nodes.task(model)
    sampled = nodes.add("AceSuiteSampler", **model, **words, **nodes.settings(), **task)
    rate = record.ace_core.get("rate", ORIGINAL_RATE)
    heard = nodes.add("AceSuiteDCAEDecode", **model, latent=sampled, rate=rate, **task)
    loaded = nodes.file()
    nodes.add(
        "AceSuiteSaveAudio",
        **model,
        audio=heard,
        info=[sampled[0], INFO],
        replayed=[loaded[0], RECORD],
        filename_prefix="audio/ACE-Step",
        format=record.format if f".{record.format}" in FORMATS else FALLBACK_FORMAT,
        save_settings=True,
    )
    return Graph(nodes.prompt, tuple(nodes.notes))


class _Nodes:
    """The nodes of one graph, numbered as they come, and what is to be said about them."""

    def __init__(self, record: Record, lora: str) -> None:
        self.prompt: dict[str, Inputs] = {}
        self.notes: list[str] = []
        self._needed: Inputs = {}  # by Load Parameters, for the task in its file
        self._record, self._lora = record, lora
        self._file: list[Json] = []
        chosen_from("compat", record.compat, COMPATS)
        chosen_from("language", language_of(record), LANGUAGE_CHOICES)
        if record.is_original:
            self.notes.append(OTHER_NOISE)

    def add(self, kind: str, /, **inputs: Json) -> list[Json]:
        """A new node; the link to its first output."""
        key = str(len(self.prompt) + 1)
        self.prompt[key] = {"inputs": inputs, "class_type": kind}
        return [key, 0]

    def model(self, adapters: Sequence[Added]) -> Inputs:
        model = self.add("AceSuiteLoad", checkpoint="auto")
        for one in adapters:
            settings: Inputs = {"weight": one.weight, "training_scale": one.training_scale}
            model = self.add("AceSuiteLoRA", model=model, lora=one.name, **settings)
        return {"model": model}

    def words(self, model: Inputs, tags: str, lyrics: str) -> Inputs:
        spoken: Inputs = {"language": language_of(self._record), "compat": self._record.compat}
        return {
            "tags": self.add("AceSuiteTagEncode", **model, tags=tags),
            "lyrics": self.add("AceSuiteLyricEncode", **model, lyrics=lyrics, **spoken),
        }

    def task(self, model: Inputs) -> Inputs:
        """The link to the task, where there is one."""
        record, (kind, inputs) = self._record, task_node(self._record)
        if not kind:
            return {}
        if task_of(record) in WITH_SOURCE:
            name = source_of(record)
            inputs["source_audio"] = self.add("LoadAudio", audio=name)
            self._needed = {"source_audio": inputs["source_audio"]}
            self.notes.append(f"Put the source into ComfyUI's input folder as {name}.")
        is_edit = task_of(record) == "edit"
        if is_edit:
            self._needed |= model
            self.notes += [] if "source_tags" in record.ace_core else [NO_SOURCE_TAGS]
        if needs_the_file(record):
            return {"task": [self.file()[0], TASK]}
        seed = seeds_of(record).source
        if kind != "AceSuiteRetake" and seed is not None and seed <= LARGEST_PRIMITIVE:
            # A socket there: a number in it would be lost where a page opens the graph.
            inputs["source_seed"] = self.add("PrimitiveInt", value=seed)
        if task_of(record) == "extend" and "after" in record.ace_core:
            self.notes.append(WHOLE_FRAMES)
        if is_edit:
            words = self.words(model, *source_words(record))
            inputs |= {f"source_{name}": link for name, link in words.items()}
        return {"task": self.add(kind, **inputs)}

    def file(self) -> list[Json]:
        """The node that holds the whole record."""
        if not self._file:
            text = json.dumps(values_of(self._record))
            asked: Inputs = {"file": NO_FILE, "text": text, "lora": self._lora}
            self._file = self.add("AceSuiteLoadParameters", **asked, **self._needed)
        return self._file

    def settings(self) -> Inputs:
        """What decides the sampling."""
        record, sampling = self._record, sampling_of(self._record)
        guidance = self.add(
            "AceSuiteGuidance", preset=CUSTOM, **asdict(guidance_of(record)), compat=record.compat
        )
        schedule = self.add(
            "AceSuiteSchedule",
            preset=CUSTOM,
            steps=sampling.steps,
            solver=sampling.solver,
            granularity=sampling.granularity,
            chosen_steps=", ".join(map(str, sampling.chosen)),
        )
        settings: Inputs = {"guidance_settings": guidance, "schedule": schedule}
        return {**settings, **self._clips(), "seconds": seconds_of(record)}

    def _clips(self) -> Inputs:
        """The seed, and how many clips at once: those that the seeds count up to."""
        seeds = seeds_of(self._record).sampled
        if BEHAVIOURS[self._record.compat].seeds(seeds[0], len(seeds)) == seeds:
            return {"seed": seeds[0], "batch_size": len(seeds)}
        others = ", ".join(map(str, seeds[1:]))
        self.notes.append(f"The file names further seeds: {others}. Put each into the Sampler.")
        return {"seed": seeds[0], "batch_size": 1}
