"""Load Parameters: a song's parameter file as what the other nodes are connected to.

NAME_input_params.json, or its text -> words, settings, seed, task, the file itself
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..acestep_core.lyrics import LANGUAGE_CHOICES
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.records.graph import (
    LORA_CHOICES,
    NO_FILE,
    WITH_SOURCE,
    Graph,
    found_adapters,
    graph_of,
    needs_the_file,
    regions_of,
    seconds_of,
    seeds_of,
    source_of,
    source_words,
    task_node,
    task_of,
)
from ..acestep_core.records.record import SUFFIX, Record, parsed_record, read_record, values_of
from ..acestep_core.records.replay import adapters_of, guidance_of, language_of, sampling_of
from ..acestep_core.settings import SettingError, chosen_from
from ..acestep_core.types import COMPATS
from ..acestep_core.weights.model import Added
from . import checkpoints, host, sound
from .boxes import one_box
from .encode import LyricEncode, TagEncode
from .loaders import LoadLoRA
from .settings import GuidanceSettings
from .task_socket import TaskAsked
from .tasks import AudioReference, Extend, InpaintMask, RemixEdit, Retake

TASK_NODES: dict[str, Any] = {
    "AceSuiteRetake": Retake,
    "AceSuiteInpaintMask": InpaintMask,
    "AceSuiteExtend": Extend,
    "AceSuiteRemixEdit": RemixEdit,
    "AceSuiteAudioReference": AudioReference,
}
MOST_CLIPS = 64


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


class LoadParameters:
    TITLE = "Load Parameters (ACE-Step)"
    DESCRIPTION = (
        "Reads the parameter file beside a song, the original project's or ours, and gives all"
        " that repeats the run."
    )
    SEARCH_ALIASES = ("replay", "input_params", "settings", "json", "metadata", "recreate")
    CATEGORY = "ACE-Step"
    FUNCTION = "load"
    RETURN_TYPES = (
        "ACESUITE_MODEL",
        "STRING",
        "STRING",
        list(LANGUAGE_CHOICES),
        list(COMPATS),
        "ACESUITE_GUIDANCE",
        "ACESUITE_SCHEDULE",
        "INT",
        "FLOAT",
        "ACESUITE_TASK",
        "STRING",
        "STRING",
        "STRING",
    )
    RETURN_NAMES = (
        "model",
        "tags",
        "lyrics",
        "language",
        "compat",
        "guidance_settings",
        "schedule",
        "seed",
        "seconds",
        "task",
        "record",
        "info",
        "graph",
    )
    OUTPUT_TOOLTIPS = (
        "The connected model with the file's LoRAs.",
        "For Tag Encode.",
        "For Lyric Encode.",
        "For the language of Lyric Encode.",
        "For the compat of Lyric Encode: reference for files of the original.",
        "For the Sampler.",
        "For the Sampler.",
        "For the Sampler.",
        "For the Sampler.",
        "For the Sampler and DCAE Decode; nothing where the file records text to music.",
        "The file itself, for replayed of Save Audio: a song saved again then says all it said.",
        "What the file is, and what cannot be repeated.",
        "A whole graph for the file as JSON, as /prompt takes it and the page opens it.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        return {
            "required": {"file": ([NO_FILE, *files()], FILE)},
            "optional": {
                "text": ("STRING", TEXT),
                "lora": (list(LORA_CHOICES), LORA),
                "clip": ("INT", CLIP),
                **SOCKETS,
            },
        }

    @classmethod
    def IS_CHANGED(cls, file: str, **others: Any) -> str:  # noqa: N802 - ComfyUI's name
        return host.mark_of(file, files().get(file))

    def load(
        self,
        file: str,
        text: str = "",
        lora: str = LORA_CHOICES[0],
        clip: int = 1,
        model: ACEStep | None = None,
        source_audio: sound.Audio | None = None,
    ) -> tuple[Any, ...]:
        with one_box(self.TITLE):
            place, whole = _read(file, text)
            recorded = adapters_of(whole, place)
            entries = list(checkpoints.adapters())
            adapters = found_adapters(recorded, entries, lora, place)
            graph, record = graph_of(whole, adapters, lora), _of_clip(whole, clip)
            task = _task(record, model, source_audio)
            held = json.dumps(values_of(whole), ensure_ascii=False)
            return (
                _with_adapters(model, adapters),
                record.prompt,
                record.lyrics,
                language_of(record),
                record.compat,
                GuidanceSettings(guidance_of(record), record.compat),
                sampling_of(record),
                seeds_of(record).sampled[0],
                seconds_of(record),
                task,
                held,
                _info(place, whole, graph, [one.name for one in recorded], lora),
                json.dumps(graph.prompt, indent=1, ensure_ascii=False),
            )


def _read(file: str, text: str) -> tuple[Path, Record]:
    """What messages call the file, and what it holds. A text comes before a chosen file."""
    if text.strip():
        return Path("text"), parsed_record(text, Path("text"))
    if file == NO_FILE:
        raise SettingError(f"Choose a file that ends in {SUFFIX}, or put its content into text.")
    found = files()
    chosen_from("file", file, found)
    return Path(file), read_record(found[file])


def _of_clip(record: Record, clip: int) -> Record:
    """The record of one clip of a batch."""
    count = max(len(record.actual_seeds), 1)
    if not 1 <= clip <= count:
        raise SettingError(f"clip is {clip}; the file names {count} clip{'s' * (count > 1)}.")
    part = slice(clip - 1, clip)
    return replace(
        record, actual_seeds=record.actual_seeds[part], retake_seeds=record.retake_seeds[part]
    )


def _task(record: Record, model: ACEStep | None, source: sound.Audio | None) -> TaskAsked | None:
    kind, inputs = task_node(record)
    if not kind:
        return None
    described: dict[str, Any] = dict(inputs)
    if task_of(record) in WITH_SOURCE:
        if source is None:
            raise SettingError(
                f"The file records the task {task_of(record)}, which works on a source. Connect"
                f" source_audio with {source_of(record)}."
            )
        described["source_audio"] = source
    if task_of(record) == "edit":
        if model is None:
            raise SettingError("The file records an edit: connect model, to encode its words.")
        tags, lyrics = source_words(record)
        (described["source_tags"],) = TagEncode().encode(model, tags)
        spoken = (language_of(record), record.compat)
        described["source_lyrics"] = LyricEncode().encode(model, lyrics, *spoken)[0]
    (task,) = TASK_NODES[kind]().describe(**described)
    if needs_the_file(record):
        task = replace(task, wish=replace(task.wish, regions=regions_of(record)))
    return task


def _with_adapters(model: ACEStep | None, adapters: list[Added]) -> ACEStep | None:
    if model is None:
        return None
    for one in adapters:
        model, _ = LoadLoRA().add(model, one.name, one.weight, one.training_scale)
    return model


def _info(place: Path, record: Record, graph: Graph, loras: list[str], lora: str) -> str:
    maker = "the original project" if record.is_original else "this project"
    lines = [f"{place.name}, written by {maker}: {task_of(record)}, {record.compat} mode."]
    if loras:
        done = "left out" if lora == "skip" else "used; connect model to have it added"
        lines.append(f"LoRA {', '.join(loras)}: {done}.")
    return "\n".join([*lines, *graph.notes])


FILE = {
    "default": NO_FILE,
    "tooltip": f"Files that end in {SUFFIX}, in ComfyUI's input folder or models/acestep. none"
    " takes the text below.",
}
TEXT = {
    "multiline": True,
    "default": "",
    "tooltip": "The content of such a file; where there is some, it comes before the file.",
}
LORA = {
    "default": LORA_CHOICES[0],
    "tooltip": "When the file names a LoRA that is not there. error says its name; skip leaves all"
    " of the file's LoRAs out. The record keeps naming them.",
}
CLIP = {
    "default": 1,
    "min": 1,
    "max": MOST_CLIPS,
    "tooltip": "Which clip, where the file names the seeds of a whole batch.",
}
SOCKETS = {
    "model": ("ACESUITE_MODEL", {"tooltip": "From Load ACE-Step: gets the file's LoRAs."}),
    "source_audio": (
        "AUDIO",
        {"tooltip": "The clip that the file's task works on, if it is one that has a source."},
    ),
}
