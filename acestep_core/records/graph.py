"""A parameter file as a graph of nodes, in the form that ComfyUI's /prompt takes.

    Record -> request_of -> Request -> graph_of -> Graph(prompt, notes)

A task on a source gets a LoadAudio under the name that the record gives the file. The record
itself rides along, so that what is saved again holds all that it says.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeAlias

from ..atomic import FileError
from ..config import OUTPUT_RATE
from ..editing.request import Request
from ..faces import as_text, offered_at
from ..lyrics import LANGUAGE_CHOICES
from ..sampling.noise import derived
from ..settings import CUSTOM, EDIT_MODES, NONE, SKIP, chosen_from, setting
from ..sound.files import FORMATS
from ..tasks.behaviours import BEHAVIOURS
from ..tasks.region import spelled
from ..types import (
    Edit,
    Extend,
    Follow,
    Guidance,
    Inpaint,
    Recipe,
    Region,
    Retake,
    Sampling,
    TextToMusic,
)
from ..weights.lora import FILE
from ..weights.model import Added
from .record import Json, Record, values_of
from .replay import item_of, request_of

Inputs: TypeAlias = "dict[str, Json]"

SAFETENSORS = ".safetensors"
# Outputs of nodes by their place, as a link counts them; every other link is to the first.
SLOTS = {
    "AceSuiteSampler": {"info": 1},
    "AceSuiteLoadParameters": {"task": 9, "record": 10},
}
LARGEST_PRIMITIVE = 2**63 - 1  # that ComfyUI's PrimitiveInt holds
SAMPLE = "song.flac"  # where the record names no source
FALLBACK_FORMAT = "flac"
NO_SOURCE_TAGS = (
    "The file does not say what the source was before the edit: its tags and lyrics are put"
    " where the source's belong. Change them in the nodes before Remix / Edit."
)
OTHER_NOISE = (
    "The original draws its noise on the graphics card: this repeats the settings, not that very"
    " song."
)


@dataclass(frozen=True)
class Graph:
    prompt: dict[str, Inputs]  # API form
    notes: tuple[str, ...]  # what the user has to know or to do


def seconds_of(recipe: Recipe) -> float:
    """The length to ask the Sampler for; a source brings its own."""
    task = recipe.task
    return task.seconds if isinstance(task, TextToMusic | Retake) else TextToMusic.seconds


def new_seeds(recipe: Recipe) -> tuple[int, ...]:
    """The Sampler's: those of what is new."""
    return recipe.seeds if isinstance(recipe.task, TextToMusic | Follow) else recipe.retake_seeds


def source_seed(recipe: Recipe) -> int | None:
    """The one seed of what is worked on; None where it is derived from the new one."""
    if recipe.seeds == tuple(derived(seed) for seed in new_seeds(recipe)):
        return None
    return recipe.seeds[0]


def needs_the_file(recipe: Recipe) -> bool:
    """Whether its regions have no place in a task node, which has one feather for all."""
    regions = recipe.task.regions if isinstance(recipe.task, Edit | Inpaint) else ()
    return len({region.feather for region in regions}) > 1


def task_node(recipe: Recipe) -> tuple[str, Inputs]:
    """The node that describes the task, without its source; "" for text to music."""
    task = recipe.task
    if isinstance(task, TextToMusic):
        return "", {}
    if isinstance(task, Retake):
        return "AceSuiteRetake", {"source_seed": recipe.seeds[0], "variance": task.variance}
    if isinstance(task, Inpaint):
        return "AceSuiteInpaintMask", {**_regions(task.regions), "variance": task.variance}
    if isinstance(task, Extend):
        return "AceSuiteExtend", dict(asdict(task))
    if isinstance(task, Follow):
        return "AceSuiteAudioReference", {"strength": task.strength}
    share = (task.start, task.stop)
    named = [name for name, one in EDIT_MODES.items() if one == share]
    shares: Inputs = {"edit_start": task.start, "edit_stop": task.stop, "average": task.average}
    mode = named[0] if named else CUSTOM
    where = _written(task.regions) if task.regions else {}
    return "AceSuiteRemixEdit", {"mode": mode, "extended": task.extended, **shares, **where}


def _regions(regions: tuple[Region, ...]) -> Inputs:
    """The first as start and end, several also in writing."""
    return {**asdict(regions[0]), **(_written(regions) if len(regions) > 1 else {})}


def _written(regions: tuple[Region, ...]) -> Inputs:
    return {"regions": spelled(regions), "feather": regions[0].feather}


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
    setting("absent_lora").check(lora, "lora")
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


def graph_of(record: Record, adapters: Sequence[Added] = (), lora: str = "error") -> Graph:
    """The graph that repeats a record; `adapters` are named as ComfyUI's list has them."""
    nodes = _Nodes(record, lora)
    request, model = nodes.request, nodes.model(adapters)
    words = nodes.words(model, request.recipe.tags, request.recipe.lyrics)
    task = nodes.task(model)
    sampled = nodes.add("AceSuiteSampler", **model, **words, **nodes.settings(), **task)
    rate = record.ace_core.get("rate", OUTPUT_RATE)
    putting: Inputs = dict(asdict(request.options)) if request.source else {}
    heard = nodes.add("AceSuiteDCAEDecode", **model, latent=sampled, sample_rate=rate, **putting)
    nodes.add(
        "AceSuiteSaveAudio",
        **model,
        audio=heard,
        info=nodes.link(sampled, "info"),
        replayed=nodes.link(nodes.file(), "record"),
        filename_prefix="audio/%title%",
        format=record.format if f".{record.format}" in FORMATS else FALLBACK_FORMAT,
        save_settings=True,
    )
    return Graph(nodes.prompt, tuple(nodes.notes))


def _widgets(node: str, group: Guidance | Sampling) -> Inputs:
    """The settings of a group as the node has them."""
    own = [one for one in offered_at(node).values() if one.row.owner == type(group).__name__]
    return {one.name: as_text(getattr(group, one.row.field)) for one in own}


class _Nodes:
    """The nodes of one graph, numbered as they come, and what is to be said about them."""

    def __init__(self, record: Record, lora: str) -> None:
        self.request: Request = request_of(record)
        self.prompt: dict[str, Inputs] = {}
        self.notes: list[str] = []
        self._needed: Inputs = {}  # by Load Parameters, for the task in its file
        self._record, self._lora = record, lora
        self._file: list[Json] = []
        chosen_from("language", self.request.recipe.language, LANGUAGE_CHOICES)
        if record.is_original:
            self.notes.append(OTHER_NOISE)

    def add(self, kind: str, /, **inputs: Json) -> list[Json]:
        """A new node; the link to its first output."""
        key = str(len(self.prompt) + 1)
        self.prompt[key] = {"inputs": inputs, "class_type": kind}
        return [key, 0]

    def link(self, node: list[Json], name: str) -> list[Json]:
        """The link to another output of a node."""
        return [node[0], SLOTS[str(self.prompt[str(node[0])]["class_type"])][name]]

    def model(self, adapters: Sequence[Added]) -> Inputs:
        model = self.add("AceSuiteLoad", checkpoint="auto", **self._precision())
        for one in adapters:
            settings: Inputs = {"strength_model": one.weight, "training_scale": one.training_scale}
            model = self.add("AceSuiteLoRA", model=model, lora=one.name, **settings)
        return {"model": model}

    def _precision(self) -> Inputs:
        """The precisions it was made in, where the node offers them."""
        offered, said = offered_at("AceSuiteLoad"), self._record.ace_core
        found: Inputs = {
            name: said[name]
            for name in ("dtype", "codec_dtype")
            if said.get(name) in offered[name].choices
        }
        if found:
            words = " and ".join(sorted(set(map(str, found.values()))))
            self.notes.append(
                f"It computes in {words}, as recorded: for the same bytes on the same kind of"
                " device. Choose auto in Load ACE-Step for what suits another."
            )
        return found

    def words(self, model: Inputs, tags: str, lyrics: str) -> Inputs:
        recipe = self.request.recipe
        spoken: Inputs = {"language": recipe.language, "compat": recipe.compat}
        return {
            "tags": self.add("AceSuiteTagEncode", **model, tags=tags),
            "lyrics": self.add("AceSuiteLyricEncode", **model, lyrics=lyrics, **spoken),
        }

    def task(self, model: Inputs) -> Inputs:
        """The link to the task, where there is one."""
        recipe, source = self.request.recipe, self.request.source
        kind, inputs = task_node(recipe)
        if not kind:
            return {}
        if source:
            name = source.name or SAMPLE
            inputs["source_audio"] = self.add("LoadAudio", audio=name)
            self._needed = {"source_audio": inputs["source_audio"]}
            self.notes.append(f"Put the source into ComfyUI's input folder as {name}.")
        if isinstance(recipe.task, Edit):
            self._needed |= model
            self.notes += [] if "source_tags" in self._record.ace_core else [NO_SOURCE_TAGS]
        if needs_the_file(recipe):
            return {"task": self.link(self.file(), "task")}
        if source and not isinstance(recipe.task, Follow):
            inputs |= self._source_seed()
        if source and isinstance(recipe.task, Edit):
            words = self.words(model, source.tags, source.lyrics)
            inputs |= {f"source_{name}": link for name, link in words.items()}
        return {"task": self.add(kind, **inputs)}

    def _source_seed(self) -> Inputs:
        """A socket there: a number in it would be lost where a page opens the graph."""
        seed = source_seed(self.request.recipe)
        if seed is None or seed > LARGEST_PRIMITIVE:
            return {}
        return {"source_seed": self.add("PrimitiveInt", value=seed)}

    def file(self) -> list[Json]:
        """The node that holds the whole record."""
        if not self._file:
            text = json.dumps(values_of(self._record))
            asked: Inputs = {"file": NONE, "text": text, "lora": self._lora}
            self._file = self.add("AceSuiteLoadParameters", **asked, **self._needed)
        return self._file

    def settings(self) -> Inputs:
        """What decides the sampling."""
        recipe = self.request.recipe
        guidance = self.add(
            "AceSuiteGuidance",
            preset=CUSTOM,
            **_widgets("AceSuiteGuidance", recipe.guidance),
            compat=recipe.compat,
        )
        schedule = self.add(
            "AceSuiteSchedule", preset=CUSTOM, **_widgets("AceSuiteSchedule", recipe.sampling)
        )
        settings: Inputs = {"guidance_settings": guidance, "schedule": schedule}
        order: Inputs = {"one_by_one": True} if recipe.in_turn else {}
        return {**settings, **self._clips(), "seconds": seconds_of(recipe), **order}

    def _clips(self) -> Inputs:
        """The seed, and how many clips at once: those that the seeds count up to."""
        recipe, item = self.request.recipe, item_of(self._record)
        seeds = new_seeds(recipe)
        first, count = seeds[0], len(seeds)
        if BEHAVIOURS[recipe.compat].seeds(first, count) == seeds:
            if item is not None and count > 1:
                place = f"clip {item + 1} of {count}"
                self.notes.append(f"The file is {place}, which are made together again.")
            return {"seed": first, "batch_size": count}
        others = ", ".join(map(str, seeds[1:]))
        self.notes.append(f"The file names further seeds: {others}. Put each into the Sampler.")
        return {"seed": first, "batch_size": 1}
