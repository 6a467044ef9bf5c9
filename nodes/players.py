"""Sound for the page's players, each with what it is; Preview Song.

AUDIO, info -> files, facts: a player a take and one for the source, seeds, levels, words
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from ..acestep_core.hosted.sources import name_and_kind
from ..acestep_core.records.record import OWN_KEY
from ..acestep_core.settings import COMPATS, SettingError
from ..acestep_core.sound.files import write_audio
from ..acestep_core.sound.track import Held, Track
from . import host, shown, sound

File = dict[str, str]  # as pages and /view name one: filename, subfolder, type


def temporary(given: list[sound.Audio], name: str) -> list[File]:
    """All clips as files in ComfyUI's temporary folder."""
    folder, subfolder, stem, counter = host.output_place(name, "temp")
    clips = [track for one in given for track in sound.tracks_of(one)]
    files = []
    for index, track in enumerate(clips):
        path = Path(folder) / f"{stem}_{counter + index:05}_.flac"
        write_audio(path, written(track), track.rate)
        files.append({"filename": path.name, "subfolder": subfolder, "type": "temp"})
    return files


def written(track: Track) -> Tensor | Track:
    """A clip as it is written: with a bar where it is read meanwhile."""
    return track.wave if isinstance(track, Held) else sound.Watched(track)


def source_of(audio: sound.Audio) -> File:
    """A source as a file: its own, where it has one."""
    if not isinstance(audio, sound.Streamed) or not audio.file:
        return temporary([audio], "acesuite_source")[0]
    place, kind = name_and_kind(audio.file)
    folder, _, name = place.rpartition("/")
    return {"filename": name, "subfolder": folder, "type": kind}


def takes_of(given: list[sound.Audio], files: list[File]) -> list[shown.Facts]:
    """The clips in their order: takes with their seeds; the source, where one is not ours."""
    known = [(shown.about(one), len(sound.tracks_of(one))) for one in given]
    kinds: list[shown.Facts] = []
    has_source = len(given) > 1 and any(about for about, _ in known)
    for about, count in known:
        for index in range(count):
            if about is None and has_source:
                kinds.append({"kind": "source"})
                continue
            take = sum(one["kind"] == "take" for one in kinds) + 1
            seed = {"seed": str(about.seeds[index])} if about and index < len(about.seeds) else {}
            kinds.append({"kind": "take", "take": take, **seed})
    return [{**file, **kind} for file, kind in zip(files, kinds, strict=True)]


def of_song(
    audio: sound.Audio, info: str, files: list[File], notes: Sequence[str] = ()
) -> shown.Facts:
    """What the node that ends a graph says of its song, and of how it was saved."""
    run, about = shown.of_run(info), shown.about(audio)
    seeds = run["seeds"] or [str(seed) for seed in (about.seeds if about else ())]
    clips: list[shown.Facts] = []
    for index, (file, track) in enumerate(zip(files, sound.tracks_of(audio), strict=True)):
        seed = {"seed": seeds[index]} if index < len(seeds) else {}
        level = shown.of_sound(track)
        clips.append({**file, "kind": "take", "take": index + 1, **seed, **level})
    if about and about.source:
        clips.append({**source_of(about.source), "kind": "source"})
    run["warnings"] = [*(run["warnings"] or []), *(about.warnings if about else ())]
    run["notes"] = [*run["notes"], *notes]
    edits = shown.of_edits(about.reports) if about else []
    return {**run, "clips": clips, "edits": edits, "lyrics": _heard(run, info)}


def _heard(run: shown.Facts, info: str) -> shown.Facts | None:
    if not run["words"]:
        return None
    own = json.loads(info).get(OWN_KEY) or {}
    compat = own.get("compat") or COMPATS[0]
    return shown.of_lyrics(shown.read(run["words"], own.get("language") or "auto", compat))


class PreviewAudio:
    TITLE = "Preview Song (ACE-Step)"
    DESCRIPTION = (
        "Plays a song without keeping it: a player a take and one for the source, with seeds,"
        " levels and the words as they were heard."
    )
    SEARCH_ALIASES = ("listen", "play", "preview audio", "temporary")
    FUNCTION = "play"
    OUTPUT_NODE = True
    RETURN_TYPES = ()
    RETURN_NAMES = ()
    OUTPUT_TOOLTIPS = ()

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        info = {"forceInput": True, "tooltip": "From the Sampler: seeds, words and warnings."}
        return {
            "required": {"audio": ("AUDIO", {"tooltip": "One clip or a batch."})},
            "optional": {"info": ("STRING", info)},
        }

    def play(self, audio: sound.Audio, info: str = "") -> dict[str, Any]:
        with host.errors_of(self.TITLE):
            checked_info(info)
            files = temporary([audio], "acesuite_song")
            return shown.shown((), of_song(audio, info, files), audio=files)


def checked_info(info: str) -> dict[str, Any]:
    """The Sampler's info as values."""
    try:
        record = json.loads(info) if info.strip() else {}
    except ValueError as error:
        raise SettingError(f"info is not JSON ({error}). Connect the Sampler's info.") from error
    if not isinstance(record, dict):
        raise SettingError("info holds no settings. Connect the Sampler's info.")
    return record
