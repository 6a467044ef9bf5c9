"""Open Audio: a sound file as a source that is never held at once.

"song.flac [input]" -> looked at to its end -> AUDIO, read where it is needed
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..acestep_core.hosted.errors import RequestError
from ..acestep_core.hosted.media import rules_of
from ..acestep_core.hosted.sources import place_of
from ..acestep_core.settings import NONE, SettingError
from ..acestep_core.sound.files import InFile
from . import host, sound
from .widgets import widgets

NODE = "AceSuiteOpenAudio"
SUFFIXES = (".flac", ".wav", ".mp3", ".ogg", ".opus", ".m4a")


def files() -> list[str]:
    """Sounds in ComfyUI's input folder, by their names."""
    folder = host.input_folder()
    if folder is None or not folder.is_dir():
        return []
    root = folder.resolve()
    found = (one for one in folder.iterdir() if one.suffix.lower() in SUFFIXES)
    return sorted(one.name for one in found if one.resolve().is_relative_to(root))


def place(audio: str) -> Path:
    """Where the file lies that is named so; no other than those of ComfyUI's folders."""
    if not isinstance(audio, str):  # ComfyUI checks no type where a node looks for itself
        raise SettingError(f"audio is {str(audio)[:60]}; it must be the name of a sound file.")
    if audio == NONE:
        raise SettingError("audio is none. Choose a sound file of ComfyUI's input folder.")
    try:
        return place_of(host.sound_folders(), audio)
    except RequestError as error:
        raise SettingError(f"audio: {error}") from None


class OpenAudio:
    TITLE = "Open Audio (ACE-Step)"
    DESCRIPTION = (
        "A sound file as a source that is read where it is needed: a part of an hour is made new,"
        " and the result saved, in little memory."
    )
    SEARCH_ALIASES = ("load audio", "long audio", "stream", "podcast", "album", "source", "file")
    FUNCTION = "open"
    RETURN_TYPES = ("AUDIO",)
    RETURN_NAMES = ("audio",)
    OUTPUT_TOOLTIPS = (
        "For a task, a box or Save Audio of this pack, which read stretches of it; other nodes get"
        " all of it at once, as from Load Audio.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": widgets(NODE, "audio", audio=[NONE, *files()])}

    @classmethod
    def IS_CHANGED(cls, audio: str) -> str:
        try:
            return host.mark_of(audio, place(audio))
        except SettingError:
            return host.mark_of(audio, None)

    @classmethod
    def VALIDATE_INPUTS(cls, audio: str) -> bool | str:
        """Also a file of a folder within, and one of the output or temp folder."""
        try:
            place(audio)
        except SettingError as error:
            return str(error)
        return True

    def open(self, audio: str) -> tuple[sound.Audio]:
        with host.errors_of(self.TITLE):
            path = place(audio)
            track = InFile(path, "audio", rules_of(path), host.stop_if_asked)
            return (sound.Streamed([track], audio, path),)
