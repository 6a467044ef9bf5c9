"""Load Parameters: a song's parameter file as what the other nodes are connected to.

NAME_input_params.json, or its text -> words, settings, seed, task, the file itself
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..acestep_core.editing.request import Request
from ..acestep_core.lyrics import LANGUAGE_CHOICES
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.records.graph import (
    SAMPLE,
    Graph,
    found_adapters,
    graph_of,
    new_seeds,
    seconds_of,
    source_seed,
)
from ..acestep_core.records.record import (
    SUFFIX,
    Record,
    of_another_sound,
    parsed_record,
    read_record,
    values_of,
)
from ..acestep_core.records.replay import NAMES, item_of, request_of, task_of
from ..acestep_core.settings import COMPATS, FAIL, NONE, SKIP, SettingError, chosen_from
from ..acestep_core.types import Edit, Recipe, Retake
from ..acestep_core.weights.model import Added
from . import checkpoints, host, sound
from .loaders import with_lora
from .settings import GuidanceSettings
from .task_socket import Given, TaskAsked
from .widgets import Inputs, usual, widgets

FIRST: int = usual("AceSuiteLoadParameters", "clip")


def files() -> dict[str, Path]:
    """Parameter files in ComfyUI's input folder and in models/acestep, by their labels."""
    places = [("", host.input_folder())]
    places += [(f"{host.FOLDER}/", folder) for folder in host.model_folders()]
    return {
        f"{label}{path.name}": path
        for label, folder in reversed(places)
        if folder is not None and folder.is_dir()
        for path in sorted(folder.glob(f"*{SUFFIX}"))
    }


# What a recipe asks of the other nodes: outputs by their names.
ASKED: dict[str, Any] = {
    "tags": "STRING",
    "lyrics": "STRING",
    "language": list(LANGUAGE_CHOICES),
    "compat": list(COMPATS),
    "guidance_settings": "ACESUITE_GUIDANCE",
    "schedule": "ACESUITE_SCHEDULE",
    "seed": "INT",
    "seconds": "FLOAT",
    "task": "ACESUITE_TASK",
}


def asked_by(recipe: Recipe, task: TaskAsked | None) -> tuple[Any, ...]:
    """The values of ASKED."""
    return (
        recipe.tags,
        recipe.lyrics,
        recipe.language,
        recipe.compat,
        GuidanceSettings(recipe.guidance, recipe.compat),
        recipe.sampling,
        new_seeds(recipe)[0],
        seconds_of(recipe),
        task,
    )


class LoadParameters:
    TITLE = "Load Parameters (ACE-Step)"
    DESCRIPTION = (
        "Reads the parameter file beside a song, the original project's or ours, and gives all"
        " that repeats the run."
    )
    SEARCH_ALIASES = ("replay", "input_params", "settings", "json", "metadata", "recreate")
    FUNCTION = "load"
    RETURN_TYPES = ("ACESUITE_MODEL", *ASKED.values(), "STRING", "STRING", "STRING")
    RETURN_NAMES = ("model", *ASKED, "record", "info", "graph")
    OUTPUT_TOOLTIPS = (
        "The connected model with the file's LoRAs.",
        "For Tag Encode.",
        "For Lyric Encode.",
        "For the language of Lyric Encode.",
        "For the compat of Lyric Encode: original for files of the original.",
        "For the Sampler.",
        "For the Sampler.",
        "For the Sampler.",
        "For the Sampler.",
        "For the Sampler; nothing where the file records text to music.",
        "The file itself, for replayed of Save Audio: a song saved again then says all it said.",
        "What the file is, and what cannot be repeated.",
        "A whole graph for the file as JSON, as /prompt takes it and the page opens it.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteLoadParameters", "file", file=[NONE, *files()]),
            "optional": {**widgets("AceSuiteLoadParameters", "text lora clip"), **SOCKETS},
        }

    @classmethod
    def IS_CHANGED(cls, file: str, **others: Any) -> str:
        return host.mark_of(file, files().get(file))

    def load(
        self,
        file: str,
        text: str = "",
        lora: str = FAIL,
        clip: int = FIRST,
        model: ACEStep | None = None,
        source_audio: sound.Audio | None = None,
    ) -> tuple[Any, ...]:
        with host.errors_of(self.TITLE):
            place, record = _read(file, text)
            request = request_of(record)
            recorded = request.adapters
            adapters = found_adapters(recorded, list(checkpoints.adapters()), lora, place)
            graph, recipe = graph_of(record, adapters, lora), _of_clip(request.recipe, record, clip)
            task = task_asked(request, recipe, model, source_audio)
            held = json.dumps(values_of(record), ensure_ascii=False)
            return (
                _with_adapters(model, adapters),
                *asked_by(recipe, task),
                held,
                _info(place, record, graph, [one.name for one in recorded], lora),
                json.dumps(graph.prompt, indent=1, ensure_ascii=False),
            )


def _read(file: str, text: str) -> tuple[Path, Record]:
    """What messages call the file, and what it holds. A text comes before a chosen file."""
    if text.strip():
        return Path("text"), parsed_record(text, Path("text"))
    if file == NONE:
        raise SettingError(f"Choose a file that ends in {SUFFIX}, or put its content into text.")
    found = files()
    chosen_from("file", file, found)
    return Path(file), read_record(found[file])


def _of_clip(recipe: Recipe, record: Record, clip: int) -> Recipe:
    """The recipe from one clip of a batch on; a file of one clip of a batch is that one."""
    count = len(recipe.seeds)
    if not 1 <= clip <= count:
        raise SettingError(f"clip is {clip}; the file names {count} clip{'s' * (count > 1)}.")
    item = item_of(record)
    part = slice(clip - 1 if item is None else item, count)
    return replace(recipe, seeds=recipe.seeds[part], retake_seeds=recipe.retake_seeds[part])


def task_asked(
    request: Request, recipe: Recipe, model: ACEStep | None, audio: sound.Audio | None
) -> TaskAsked | None:
    task, source, words = recipe.task, request.source, None
    if isinstance(task, Retake):
        return TaskAsked(task, source_seed=recipe.seeds[0])
    if source is None:
        return None
    if audio is None:
        raise SettingError(
            f"The file records the task {NAMES[type(task)]}, which works on a source. Connect"
            f" source_audio with {source.name or SAMPLE}."
        )
    if isinstance(task, Edit):
        if model is None:
            raise SettingError("The file records an edit: connect model, to encode its words.")
        sung = model.lyrics(source.lyrics, recipe.language, recipe.compat)
        words = model.tags(source.tags), sung
    return TaskAsked(task, Given(audio), source_seed(recipe), words)


def _with_adapters(model: ACEStep | None, adapters: list[Added]) -> ACEStep | None:
    if model is None:
        return None
    for one in adapters:
        model, _ = with_lora(model, one)
    return model


def _info(place: Path, record: Record, graph: Graph, loras: list[str], lora: str) -> str:
    maker = "the original project" if record.is_original else "this project"
    lines = [f"{place.name}, written by {maker}: {task_of(record)}, {record.compat} mode."]
    if loras:
        done = "left out" if lora == SKIP else "used; connect model to have it added"
        lines.append(f"LoRA {', '.join(loras)}: {done}.")
    if (file := files().get(place.as_posix())) and (doubt := of_another_sound(record, file)):
        lines.append(doubt)
    return "\n".join([*lines, *graph.notes])


SOCKETS: Inputs = {
    "model": ("ACESUITE_MODEL", {"tooltip": "From Load ACE-Step: gets the file's LoRAs."}),
    "source_audio": (
        "AUDIO",
        {"tooltip": "The clip that the file's task works on, if it is one that has a source."},
    ),
}
