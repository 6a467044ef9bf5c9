"""ACE-Step v1, the open music model, as a plain Python library.

    from acestep_core import ACEStep, Recipe
    pipe = ACEStep.load("models/ACE-Step-v1-3.5B", device="cuda")
    wave = pipe.decode(pipe.generate(Recipe("pop, piano, 120 bpm", "[inst]")).latent)

Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .config import VERSION

if TYPE_CHECKING:
    from .editing import SourceClip, edit, extend, follow, inpaint, vary
    from .pipeline import ACEStep
    from .presets import PRESETS
    from .settings import SettingError
    from .sound.files import read_audio, write_audio
    from .types import (
        Edit,
        Extend,
        Follow,
        Guidance,
        Inpaint,
        Latent,
        Recipe,
        Region,
        Retake,
        Sampling,
        TextToMusic,
    )
    from .weights.checkpoint import CheckpointError, recognise
    from .weights.lora import Applied, read_adapter
    from .weights.model import Precision
    from .writer import Song, write_song

__version__ = VERSION

_HOMES = {
    "ACEStep": "pipeline",
    "Applied": "weights.lora",
    "CheckpointError": "weights.checkpoint",
    "Edit": "types",
    "Extend": "types",
    "Follow": "types",
    "Guidance": "types",
    "Inpaint": "types",
    "Latent": "types",
    "PRESETS": "presets",
    "Precision": "weights.model",
    "Recipe": "types",
    "Region": "types",
    "Retake": "types",
    "Sampling": "types",
    "SettingError": "types",
    "Song": "writer",
    "SourceClip": "editing",
    "TextToMusic": "types",
    "edit": "editing",
    "extend": "editing",
    "follow": "editing",
    "inpaint": "editing",
    "read_adapter": "weights.lora",
    "read_audio": "sound.files",
    "recognise": "weights.checkpoint",
    "vary": "editing",
    "write_audio": "sound.files",
    "write_song": "writer",
}
__all__ = [  # noqa: RUF022 - in the order of _HOMES
    "ACEStep",
    "Applied",
    "CheckpointError",
    "Edit",
    "Extend",
    "Follow",
    "Guidance",
    "Inpaint",
    "Latent",
    "PRESETS",
    "Precision",
    "Recipe",
    "Region",
    "Retake",
    "Sampling",
    "SettingError",
    "Song",
    "SourceClip",
    "TextToMusic",
    "edit",
    "extend",
    "follow",
    "inpaint",
    "read_adapter",
    "read_audio",
    "recognise",
    "vary",
    "write_audio",
    "write_song",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
