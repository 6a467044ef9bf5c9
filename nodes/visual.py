"""Pictures of sound: Mel View, and Compare Takes with players.

AUDIO -> log-mel -> IMAGE
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from ..acestep_core.config import SAMPLE_RATE, VocoderConfig
from ..acestep_core.pictures.sound import Regions, bare_picture, edit_picture, mel_picture
from ..acestep_core.sound.audio import checked_wave, resample, stereo
from ..acestep_core.sound.mel import log_mel
from ..acestep_core.tasks.region import resolve
from ..acestep_core.types import Edit, Extend, Inpaint
from . import host, shown, sound
from .players import takes_of, temporary
from .task_socket import TaskAsked
from .widgets import widgets

TASK = (
    "ACESUITE_TASK",
    {"tooltip": "The task the sound was made with: what is new is marked."},
)


class MelView:
    TITLE = "Mel View (ACE-Step)"
    DESCRIPTION = "A picture of sound: its mel spectrogram, left above right."
    SEARCH_ALIASES = ("spectrogram", "waveform", "audio to image", "visualise")
    FUNCTION = "draw"
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("pictures",)
    OUTPUT_TOOLTIPS = ("One picture for each clip.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {"audio": ("AUDIO", {"tooltip": "Mono or stereo at any rate."})},
            "optional": {
                **widgets("AceSuiteMelView", "title"),
                "task": TASK,
                **widgets("AceSuiteMelView", "for_masks"),
            },
        }

    def draw(
        self,
        audio: sound.Audio,
        title: str = "",
        task: TaskAsked | None = None,
        for_masks: bool = False,
    ) -> tuple[Tensor]:
        with host.errors_of(self.TITLE):
            marks, drawn = _regions(task), zip(*_mels(audio), strict=True)
            if for_masks:
                return (image_of([bare_picture(*one, marks) for one in drawn]),)
            return (image_of([mel_picture(*one, title, marks) for one in drawn]),)


class CompareTakes:
    TITLE = "Compare Takes (ACE-Step)"
    DESCRIPTION = (
        "Players and pictures side by side: the first clip against each of the others, and what"
        " is louder or quieter between them."
    )
    SEARCH_ALIASES = ("a/b", "takes", "difference", "listen", "preview audio")
    FUNCTION = "compare"
    OUTPUT_NODE = True
    INPUT_IS_LIST = True
    RETURN_TYPES = ("IMAGE",)
    RETURN_NAMES = ("pictures",)
    OUTPUT_TOOLTIPS = ("Before, after and difference of each pair; a single clip is just drawn.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        audio = {"tooltip": "A clip, a batch or a list; the first is what others are compared to."}
        return {
            "required": {"audio": ("AUDIO", audio)},
            "optional": {
                "takes": ("AUDIO", {"tooltip": "Further clips, after those of the first input."}),
                "task": TASK,
            },
        }

    def compare(
        self,
        audio: list[sound.Audio],
        takes: list[sound.Audio] | None = None,
        task: list[TaskAsked | None] | None = None,
    ) -> dict[str, Any]:
        with host.errors_of(self.TITLE):
            marks = _regions(next(iter(task or [None])))
            given = [*audio, *(takes or [])]
            (first, length), *others = [
                pair for one in given for pair in zip(*_mels(one), strict=True)
            ]
            pictures = [
                edit_picture(*_alike(first, mel), max(length, seconds), marks, f"1 and {place}")
                for place, (mel, seconds) in enumerate(others, start=2)
            ] or [mel_picture(first, length, "", marks)]
            files = temporary(given, "acesuite_take")
            clips = takes_of(given, files)
        return shown.shown((image_of(pictures),), {"clips": clips}, audio=files)


def _mels(audio: sound.Audio) -> tuple[list[Tensor], list[float]]:
    """log-mel (2, 128, M) of every clip, and the seconds of each."""
    rate = int(audio["sample_rate"])
    wave = checked_wave("audio", audio["waveform"].detach().cpu(), rate)
    seconds = wave.shape[-1] / rate
    config = VocoderConfig()
    heard = resample(stereo(wave), rate, SAMPLE_RATE)
    return [log_mel(clip, config) for clip in heard], [seconds] * len(heard)


def _alike(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Both as long as the longer one, filled up with silence."""
    length = max(first.shape[-1], second.shape[-1])
    low = min(float(first.min()), float(second.min()))
    both = (pad(mel, (0, length - mel.shape[-1]), value=low) for mel in (first, second))
    return next(both), next(both)


def _regions(task: TaskAsked | None) -> Regions:
    """What a task makes new, in seconds of its result."""
    if task is None or task.given is None:
        return ()
    asked, seconds = task.task, task.given.seconds
    if isinstance(asked, Extend):
        end = asked.before + seconds
        parts = ((0.0, asked.before), (end, end + asked.after))
        return [part for part in parts if part[0] < part[1]]
    regions = resolve(asked.regions, seconds) if isinstance(asked, Inpaint | Edit) else ()
    return [(region.start, region.end) for region in regions]


def image_of(pictures: list[Any]) -> Tensor:
    """(B, H, W, 3) from 0 to 1."""
    pixels = [torch.from_numpy(np.array(picture, dtype=np.float32) / 255) for picture in pictures]
    return torch.stack(pixels)
