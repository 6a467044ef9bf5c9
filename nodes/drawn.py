"""The source of a node, as a file that the page draws and that records name.

prompt, node's id, socket -> file_of -> name, as ComfyUI's loader has it
results, source           -> drawn   -> results with the file's name for a page
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..acestep_core.atomic import FileError
from ..acestep_core.settings import SettingError
from . import host, shown, sound
from .players import temporary
from .task_socket import Given

log = logging.getLogger(__name__)

HIDDEN = {"prompt": "PROMPT", "unique_id": "UNIQUE_ID"}
LOADER = "LoadAudio"  # ComfyUI's own
# Sources in files by now: the settings of a task change far more often than its source.
_written: list[tuple[weakref.ref[Tensor | sound.Streamed], str]] = []


def file_of(prompt: Mapping[str, Any] | None, own: str | None, socket: str) -> str:
    """The file that comes straight from a loader into a socket of a node; "" for other sound."""
    nodes = prompt or {}
    link = nodes.get(own or "", {}).get("inputs", {}).get(socket)
    node = nodes.get(link[0], {}) if isinstance(link, list) else {}
    name = node.get("inputs", {}).get("audio") if node.get("class_type") == LOADER else ""
    return name if isinstance(name, str) else ""


def drawn(results: tuple[Any, ...], given: Given | None) -> tuple[Any, ...] | dict[str, Any]:
    """The results of a node whose page draws its source: with the file to draw, for a page."""
    name = _name_of(given) if given and host.is_watched() else ""
    return shown.shown(results, {"source": name}) if name else results


def _name_of(given: Given) -> str:
    """The source as ComfyUI's loader names it; "" where it cannot be drawn."""
    audio = given.source_audio
    if given.file or audio is None:
        return given.file
    if isinstance(audio, sound.Streamed) and audio.file:
        return audio.file
    wave = audio if isinstance(audio, sound.Streamed) else audio["waveform"]
    for held, name in _written:
        if held() is wave:
            return name
    try:
        file = temporary([audio], "acesuite_source")[0]
    except (SettingError, FileError) as error:  # the Sampler says it where it matters
        log.warning("The source is not drawn: %s", error)
        return ""
    name = f"{file['subfolder']}/{file['filename']} [temp]".lstrip("/")
    _written[:] = [*_written[-3:], (weakref.ref(wave), name)]
    return name
