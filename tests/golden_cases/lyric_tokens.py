"""Recorded lyrics: detected language, normalised text and tokens, all exact.

    lyric_tokens.jsonl -> one case per line of the file -> what differs

A case whose vocabulary or package is missing is skipped with the reason.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

from acestep_core.lyrics import PackageError, Vocabulary, VocabularyError, tokenise
from acestep_core.lyrics.fallbacks import Fallbacks
from acestep_core.lyrics.language import languages_of
from acestep_core.lyrics.vocabulary import COMFYUI_PATH
from acestep_core.types import LyricLine, Lyrics
from dev import BESIDE

FAMILY = "lyric_tokens"

Record = dict[str, Any]


def cases(directory: Path) -> list[str]:
    return [f"{FAMILY}.{name}" for name in _records(directory)]


def check(directory: Path, case: str) -> tuple[bool | None, str]:
    """True, or False and what differs, or None and what is missing."""
    record = _records(directory)[case.removeprefix(f"{FAMILY}.")]
    fallbacks = Fallbacks()
    try:
        found = _found(record, fallbacks)
    except (VocabularyError, PackageError) as error:
        return None, str(error)
    if fallbacks.messages:
        return None, " ".join(fallbacks.messages)
    wrong = [name for name in found if found[name] != record[name]]
    notes = (f"{name} is {found[name]!r}, recorded {record[name]!r}" for name in wrong)
    return not wrong, "; ".join(notes)


def vocabulary() -> Vocabulary:
    """Looks beside the checkout and in ComfyUI too, where a developer is likely to have it."""
    hosts = [host for host in os.environ.get("COMFYUI_PATH", "").split(os.pathsep) if host]
    inside = (Path(host) / COMFYUI_PATH for host in hosts)
    return Vocabulary.find(extra=(BESIDE, *inside))


@functools.cache
def _records(directory: Path) -> dict[str, Record]:
    # Not splitlines(): the texts themselves hold characters that it takes for line ends.
    lines = (directory / f"{FAMILY}.jsonl").read_text(encoding="utf-8").split("\n")
    records = [json.loads(line) for line in lines if line]
    return {record["id"]: record for record in records}


def _found(record: Record, fallbacks: Fallbacks) -> Record:
    """What this project makes of a recorded text, under the record's own names."""
    language = record["lang"] if record["kind"] == "encode" else "auto"
    lyrics = tokenise(
        record["text"], language=language, detector="original", vocabulary=vocabulary()
    )
    for message in lyrics.warnings:
        fallbacks(message)
    if record["kind"] == "lyrics":
        return _lyrics(record, lyrics, fallbacks)
    (line,) = lyrics.lines
    found = {"normalized": line.normalised, "ids": list(line.ids[:-1])}
    if record["kind"] == "line":
        (detected,) = languages_of([record["text"]], "original", fallbacks)
        found |= {"lang_detected": detected, "lang_used": line.language}
        found["lyric_ids"] = lyrics.ids[0].tolist()
    return found


def _lyrics(record: Record, lyrics: Lyrics, fallbacks: Fallbacks) -> Record:
    found: Record = {"lyric_ids": lyrics.ids[0].tolist()}
    if "lyric_mask" in record:
        found["lyric_mask"] = lyrics.mask[0].tolist()
    if record.get("lines"):
        found["lines"] = [_described(line, fallbacks) for line in lyrics.lines]
    return found


def _described(line: LyricLine, fallbacks: Fallbacks) -> Record:
    detected = languages_of([line.text], "original", fallbacks) if line.text else [None]
    return {
        "text": line.text,
        "lang_detected": detected[0],
        "lang_used": line.language or None,
        "ids": list(line.ids),
    }
