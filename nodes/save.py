"""Save Audio: sound files that say how they were made.

AUDIO, info, workflow, hash of the model -> tags in the file (and a parameter file beside it)
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ..acestep_core.atomic import FileError, replaced
from ..acestep_core.faces import CHOICES
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.records.labels import file_name
from ..acestep_core.records.labels import shown as labels_of
from ..acestep_core.records.record import (
    OWN_KEY,
    parsed_record,
    record_from,
    values_of,
    write_record,
)
from ..acestep_core.records.replay import carried, of_item
from ..acestep_core.settings import BITS, chosen_from, setting
from ..acestep_core.sound.files import write_audio
from ..acestep_core.weights.checkpoint import FILES, FOLDERS
from ..acestep_core.weights.download import sha256
from . import host, shown, sound
from .players import checked_info, of_song, written
from .widgets import Inputs, widgets

log = logging.getLogger(__name__)

KINDS = CHOICES["format"]
TAG = "acesuite"  # our own tag, beside ComfyUI's `prompt` and `workflow`
HASHES = "acesuite_hashes.json"
NO_TITLE = "ACE-Step"  # in names of files
# Pages cannot read back longer ones from these; the settings stay, the workflow is left out.
MOST_TAGS = {"opus": 60_000, "mp3": 60_000}


class SaveAudio:
    TITLE = "Save Audio (ACE-Step)"
    DESCRIPTION = (
        "Saves sound with the workflow, the seeds that were used, the model's hash and every"
        " setting inside, so that it can be made again."
    )
    SEARCH_ALIASES = ("save song", "flac", "mp3", "opus", "wav", "metadata", "provenance")
    FUNCTION = "save"
    OUTPUT_NODE = True
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("files",)
    OUTPUT_TOOLTIPS = ("The files' names below the output folder, one a line.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "audio": ("AUDIO", {"tooltip": "One clip or a batch; a file for each."}),
                **widgets("AceSuiteSaveAudio", "filename_prefix"),
            },
            "optional": {
                **widgets("AceSuiteSaveAudio", "format"),
                **SOCKETS,
                **widgets("AceSuiteSaveAudio", "bits kilobits save_workflow save_settings"),
                **REPLAYED,
                **widgets("AceSuiteSaveAudio", "title"),
            },
            "hidden": {"prompt": "PROMPT", "extra_pnginfo": "EXTRA_PNGINFO"},
        }

    def save(
        self,
        audio: sound.Audio,
        filename_prefix: str,
        format: str = KINDS[0],
        info: str = "",
        model: ACEStep | None = None,
        **details: Any,
    ) -> dict[str, Any]:
        with host.errors_of(self.TITLE):
            chosen_from("format", format, KINDS)
            bits = details.get("bits", BITS[0])
            setting("bits").check(bits)
            about, old = shown.about(audio), details.get("replayed", "")
            place = model.place if model else about.model if about and info else None
            record = _put_back(_record(info, place), about)
            labels = _labels(record, details.get("title", ""))
            folder, subfolder, name, counter = host.output_place(
                _prefix(filename_prefix, record, labels)
            )
            workflow = _workflow(details) if details.get("save_workflow", True) else {}
            coding = {"bits": int(bits), "kilobits": details.get("kilobits") or None}
            saved, notes = [], list[str]()
            for index, track in enumerate(sound.tracks_of(audio)):
                path = folder / f"{name}_{counter + index:05}_.{format}"
                own = _replayed(_of_item(record, index, path), old)
                tags = _tags(own, labels, workflow, format)
                with sound.not_lost(about.latent if about else None):
                    made = write_audio(path, written(track), track.rate, tags=tags, **coding)
                notes += made.notes
                if _is_whole(own) and details.get("save_settings", False):
                    _write_beside(path, own)
                saved.append({"filename": path.name, "subfolder": subfolder, "type": "output"})
            told = list(dict.fromkeys(notes))
            facts = of_song(audio, info, saved, told)
        names = "\n".join(f"{one['subfolder']}/{one['filename']}".lstrip("/") for one in saved)
        return shown.shown((names,), facts, audio=saved)


def _record(info: str, place: Path | None) -> dict[str, Any]:
    """What the Sampler said of the run, with the hash of the model that lies there."""
    record = checked_info(info)
    if place is not None:
        record.setdefault(OWN_KEY, {})["model_sha256"] = hash_of(place)
    return record


def _is_whole(record: dict[str, Any]) -> bool:
    """Whether it says how the sound was made; of sound from elsewhere only its model is known."""
    return "prompt" in record


def _put_back(record: dict[str, Any], about: shown.About | None) -> dict[str, Any]:
    """The record with how DCAE Decode put the result into its source."""
    if not record or about is None or about.options is None:
        return record
    return {**record, OWN_KEY: {**record.get(OWN_KEY, {}), "options": asdict(about.options)}}


def _labels(record: dict[str, Any], title: str) -> dict[str, str]:
    """What players show; nothing where ComfyUI was told to save no metadata."""
    if not host.is_metadata_wanted():
        return {}
    tags, lyrics = (str(record.get(name) or "") for name in ("prompt", "lyrics"))
    return labels_of(tags, lyrics, title)


def _prefix(asked: str, record: dict[str, Any], labels: dict[str, str]) -> str:
    """The start of the name with the song's title and seed in it."""
    seeds = record.get("retake_seeds") or record.get("actual_seeds") or ("",)
    title = file_name(labels.get("title", "")) or NO_TITLE
    return asked.replace("%title%", title).replace("%seed%", str(seeds[0]))


def _of_item(record: dict[str, Any], index: int, path: Path) -> dict[str, Any]:
    """The record of one clip of a batch."""
    if not _is_whole(record):
        return record
    own = record_from(record, Path("info"))
    if len(own.actual_seeds) > 1:
        own = of_item(own, index)
    return values_of(replace(own, format=path.suffix[1:], audio_path=path.name))


def _replayed(record: dict[str, Any], old: str) -> dict[str, Any]:
    """With all that the record it repeats said, so that nothing of that is lost."""
    if not _is_whole(record) or not old.strip():
        return record
    before = parsed_record(old, Path("replayed"))
    return values_of(carried(record_from(record, Path("info")), before))


def _workflow(details: dict[str, Any]) -> dict[str, str]:
    """ComfyUI's own tags. Pages read them as Latin-1, so other letters are escaped."""
    if not host.is_metadata_wanted():
        return {}
    prompt, extra = details.get("prompt"), details.get("extra_pnginfo") or {}
    held = {"prompt": prompt, **extra} if prompt is not None else dict(extra)
    return {name: json.dumps(value) for name, value in held.items()}


def _tags(
    record: dict[str, Any], labels: dict[str, str], workflow: dict[str, str], kind: str
) -> dict[str, str]:
    own = json.dumps(record) if record and host.is_metadata_wanted() else ""
    if kind == "wav":
        return {**labels, "comment": own} if own else labels
    ours = {**labels, TAG: own} if own else labels
    tags = {**ours, **workflow}
    size = sum(len(value.encode()) for value in tags.values())
    if size > MOST_TAGS.get(kind, size):
        log.warning("The workflow has %d bytes, too many for %s: it was left out.", size, kind)
        return ours
    return tags


def _write_beside(path: Path, own: dict[str, Any]) -> None:
    """The parameter file that `generate --replay` reads."""
    write_record(path, record_from(own, Path("info")))


def hash_of(place: Path) -> str:
    """SHA-256 of a checkpoint's file, or of a folder's transformer; each is read once."""
    file = place / FOLDERS["transformer"] / FILES["transformer"] if place.is_dir() else place
    stat, store = file.stat(), host.user_file(HASHES)
    key = host.mark_of(str(stat.st_size), file)
    known = {mark: one for mark, one in _known_hashes(store).items() if len(mark) == len(key)}
    if key not in known:
        log.info("Reading %s for its hash; this is done once.", file.name)
        known[key] = sha256(file)
        if store is not None:
            _keep_hashes(store, known)
    return known[key]


def _known_hashes(store: Path | None) -> dict[str, str]:
    """None where the file is damaged: then they are made again, and it is replaced."""
    if store is None or not store.is_file():
        return {}
    try:
        read = json.loads(store.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # UnicodeDecodeError among them
        log.warning("%s cannot be read (%s): hashes are made again.", store.name, error)
        return {}
    pairs = read.items() if isinstance(read, dict) else ()
    return {mark: one for mark, one in pairs if isinstance(one, str)}


def _keep_hashes(store: Path, known: dict[str, str]) -> None:
    """A song is not lost because they cannot be kept."""
    try:
        with replaced(store) as temporary:
            temporary.write_text(json.dumps(known, indent=1), encoding="utf-8")
    except FileError as error:
        log.warning("%s They are made again next time.", error)


SOCKETS: Inputs = {
    "info": (
        "STRING",
        {"forceInput": True, "tooltip": "From the Sampler: seeds and settings, for the file."},
    ),
    "model": (
        "ACESUITE_MODEL",
        {
            "tooltip": "Only for sound that does not come from DCAE Decode, which says which model"
            " made it: the model whose hash goes into the file."
        },
    ),
}
REPLAYED: Inputs = {
    "replayed": (
        "STRING",
        {
            "forceInput": True,
            "tooltip": "From Load Parameters: what the file said that was repeated, kept with the"
            " new settings.",
        },
    ),
}
