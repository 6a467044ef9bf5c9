"""Setup Check: what is here, what is missing, where it goes, and what a song would take."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from typing import Any

import torch

from ..acestep_core.config import FRAMES_PER_SECOND, VERSION, frames_of
from ..acestep_core.lyrics import Vocabulary, VocabularyError
from ..acestep_core.pipeline import ACEStep, forecast
from ..acestep_core.types import Lyrics, Recipe, Tags, TextToMusic
from ..acestep_core.weights import small
from ..acestep_core.weights.checkpoint import CheckpointError
from ..acestep_core.weights.download import SINGLE_FILE, is_complete
from . import checkpoints, host, shown
from .widgets import widgets

# package -> what it is for
NEEDED = {
    "av": "sound files",
    "tokenizers": "tags, with a checkpoint in a folder",
    "sentencepiece": "tags, with a checkpoint in a single file",
    "safetensors": "checkpoints",
    "num2words": "numbers in lyrics",
    "pyloudnorm": "matching levels",
}
OPTIONAL = {
    "py3langid": "finding the language of lyrics",
    "pypinyin": "Chinese lyrics",
    "cutlet": "Japanese lyrics",
    "torchaudio": "quicker resampling",
}
TOKENS = (256, 1000)  # of tags and lyrics in the forecast


class SetupCheck:
    TITLE = "Setup Check (ACE-Step)"
    DESCRIPTION = "Says what was found, what is missing and where it goes, and how much fits."
    SEARCH_ALIASES = ("install", "doctor", "help", "diagnose", "missing model")
    FUNCTION = "check"
    OUTPUT_NODE = True
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("report",)
    OUTPUT_TOOLTIPS = ("The findings, one a line.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteSetupCheck", "seconds"),
            "optional": {
                "model": (
                    "ACESUITE_MODEL",
                    {"tooltip": "From Load ACE-Step, for a forecast of its memory."},
                )
            },
        }

    @classmethod
    def IS_CHANGED(cls, **inputs: Any) -> float:
        return float("nan")  # the disk and the memory change by themselves

    def check(self, seconds: float, model: ACEStep | None = None) -> dict[str, Any]:
        with host.errors_of(self.TITLE):
            lines = [*_system(), *_checkpoints(), *_vocabulary(), *_packages()]
            lines += _forecast(model, seconds) if model else []
        report = "\n".join(lines)
        return shown.shown((report,), {"report": lines}, text=[report])


def _system() -> list[str]:
    python, of_torch = platform.python_version(), torch.__version__
    lines = [f"ACE-Step Suite {VERSION}, Python {python}, PyTorch {of_torch}"]
    memory = host.memory_free()
    if memory:
        lines.append(f"Device {memory[2]}: {memory[0]:.1f} of {memory[1]:.1f} GB are free")
    return lines


def _checkpoints() -> list[str]:
    try:
        place = checkpoints.chosen(checkpoints.AUTO)
    except CheckpointError as error:
        return [f"MISSING model: {error}"]
    if place == small.FOLDER:
        return [f"MISSING model: {SINGLE_FILE}; auto takes the small demonstration model"]
    state = "complete" if is_complete(place) else "incomplete"
    listed = len(checkpoints.choices()) - 2  # less auto and download
    return [f"OK model: {place.name} ({state})", f"Models and files in Load's list: {listed}"]


def _vocabulary() -> list[str]:
    try:
        Vocabulary.find(None, host.vocabulary_places()).path()
    except VocabularyError as error:
        return [f"MISSING lyric vocabulary: {error}"]
    return ["OK lyric vocabulary"]


def _packages() -> list[str]:
    lines = []
    for name, use in {**NEEDED, **OPTIONAL}.items():
        if find_spec(name) is None:
            needed, optional = f"MISSING package {name}: {use}", f"Optional package {name}: {use}"
            lines.append(needed if name in NEEDED else optional)
    return lines or ["OK packages"]


def _forecast(model: ACEStep, seconds: float) -> list[str]:
    """Bytes beside the weights, for a text-to-music run."""
    part = model.model.transformer
    tags, lyrics = (torch.zeros(1, count) for count in TOKENS)
    recipe = Recipe("", task=TextToMusic(seconds))
    words = Tags(tags[..., None], tags), Lyrics(lyrics.long(), lyrics)
    needed = forecast(model.model, *words, recipe) / 2**30
    weights = sum(p.numel() * p.element_size() for p in part.module.parameters()) / 2**30
    frames = frames_of(seconds)
    lines = [
        f"{seconds:g} s are {frames} frames ({FRAMES_PER_SECOND:.2f} a second)",
        f"Sampling: {weights:.2f} GB of weights and about {needed:.2f} GB beside them",
    ]
    if model.model.is_demo:
        lines.append(f"This is a demonstration model; the released one is {SINGLE_FILE}.")
    return lines
