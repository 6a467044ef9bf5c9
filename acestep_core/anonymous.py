"""Texts without this machine's folders, and so without its user's name: for what is kept or sent.

    "/home/ann/music/song.wav is empty."  -> "song.wav is empty."
    {"src_audio_path": "C:\\Users\\ann\\song.wav"} -> {"src_audio_path": "song.wav"}

A sentence is searched for paths; what is known to be one keeps its last part. Tags and lyrics are
a user's own words and stay as they are.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

_PART = r"[^\s/\\:*?\"<>|,;()']"
# An absolute path of at least one folder, in the spelling of any system; "and/or", addresses of the
# net and routes of one part are none.
_ABSOLUTE = re.compile(
    rf"(?:(?<![\w.~/:\\-])/|(?<!\w)[A-Za-z]:[\\/]|(?<![\w:/\\])\\\\)(?:{_PART}+[\\/]+)+({_PART}*)"
)
# Between quotes a folder may have spaces in its name.
_QUOTED = re.compile(rf"(['\"])(?:/|[A-Za-z]:[\\/]|\\\\)[^'\"\n]*[\\/]({_PART}[^'\"\\/\n]*)\1")
# Keys of records: those that hold a file's place and nothing else, and those of free words.
FILES = ("audio_path", "src_audio_path", "ref_audio_input", "lora_name_or_path", "name")
TARGETS = ("edit_target_prompt", "edit_target_lyrics")
WORDS = ("prompt", "lyrics", *TARGETS, "source_tags", "source_lyrics")
SYSTEMS = (PurePosixPath, PureWindowsPath)


def sentence(text: str) -> str:
    """A message with names of files in place of their paths, spaces in known folders included."""
    for root in _roots():
        for place in {root, root.replace("\\", "/")}:
            text = re.sub(rf"{re.escape(place)}[\\/](?:{_PART}+[\\/]+)*", "", text)
    text = _QUOTED.sub(r"\1\2\1", text)
    return _ABSOLUTE.sub(lambda found: found[1], text)


def _roots() -> list[str]:
    """Folders whose names may hold spaces, the longest first."""
    roots = {str(Path.home()), os.getcwd(), tempfile.gettempdir()}
    return sorted((root for root in roots if len(root) > 1), key=len, reverse=True)


def named(value: object, key: str = "") -> object:
    """The same JSON, in which paths have become the names of their files."""
    if isinstance(value, Mapping):
        return {inner: named(one, inner) for inner, one in value.items()}
    if isinstance(value, list | tuple):
        return [named(one, key) for one in value]
    if not isinstance(value, str) or key in WORDS:
        return value
    is_place = key in FILES and any(kind(value).is_absolute() for kind in SYSTEMS)
    return PureWindowsPath(value).name if is_place else sentence(value)
