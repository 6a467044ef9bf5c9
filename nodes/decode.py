"""DCAE Decode and DCAE Encode: a latent to sound, and sound to a latent."""

from __future__ import annotations

import logging
from typing import Any

import torch

from ..acestep_core.config import SAMPLE_RATE
from ..acestep_core.pipeline import ACEStep, checked_output
from ..acestep_core.types import checked_latent
from . import host, sound
from .task_socket import TaskAsked, finished, is_edit

log = logging.getLogger(__name__)


class DCAEDecode:
    TITLE = "DCAE Decode (ACE-Step)"
    DESCRIPTION = "Makes sound of a latent, in tiles that give exactly what the whole would give."
    SEARCH_ALIASES = ("vae decode audio", "vocoder", "latent to audio")
    CATEGORY = "ACE-Step"
    FUNCTION = "decode"
    RETURN_TYPES = ("AUDIO", "STRING")
    RETURN_NAMES = ("audio", "report")
    OUTPUT_TOOLTIPS = (
        "Stereo sound at the chosen rate; with a task, as the source is.",
        "Length, peak, what is wrong with the sound, and what a task changed.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        rate = {
            "default": SAMPLE_RATE,
            "min": 8000,
            "max": 192_000,
            "tooltip": "Sample rate of the result in Hz. The model's own is 44100; the original"
            " project writes 48000. With a task that has a source, the source's rate is kept.",
        }
        latent = {"tooltip": "From the Sampler, or a native sampler given an ACE-Step 1.0 latent."}
        task = {
            "tooltip": "The task that the Sampler was given: the result is put into its source,"
            " at the source's rate and number of channels, and the report says what changed.",
        }
        return {
            "required": {
                "model": ("ACESUITE_MODEL", {"tooltip": "From Load ACE-Step."}),
                "latent": ("LATENT", latent),
            },
            "optional": {"rate": ("INT", rate), "task": ("ACESUITE_TASK", task)},
        }

    def decode(
        self,
        model: ACEStep,
        latent: dict[str, Any],
        rate: int = SAMPLE_RATE,
        task: TaskAsked | None = None,
    ) -> tuple[sound.Audio, str]:
        with host.errors_of(self.TITLE):
            z = checked_latent(latent["samples"])
            if task is not None and is_edit(task):
                edited = finished(model, task, latent, z)
                reports = [report.text() for report in edited.reports]
                wave, rate = torch.stack(edited.waves), edited.rate
            else:
                wave, reports = sound.decoded(model, z, rate), []
            warnings = checked_output(wave)
        for warning in warnings:
            log.warning(warning)
        about = f"{wave.shape[-1] / rate:.3f} s at {rate} Hz, peak {float(wave.abs().max()):.3f}"
        return sound.audio_of(wave, rate), "\n".join([about, *warnings, *reports])


class DCAEEncode:
    TITLE = "DCAE Encode (ACE-Step)"
    DESCRIPTION = (
        "Makes a latent of sound: the source of a task, encoded once and kept while other"
        " settings change."
    )
    SEARCH_ALIASES = ("vae encode audio", "audio to latent", "source")
    CATEGORY = "ACE-Step"
    FUNCTION = "encode"
    RETURN_TYPES = ("LATENT",)
    RETURN_NAMES = ("latent",)
    OUTPUT_TOOLTIPS = ("For the source_latent of a task, or ComfyUI's own ACE-Step 1.0 nodes.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        audio = {"tooltip": "Mono or stereo at any rate, one clip or a batch."}
        return {
            "required": {
                "model": ("ACESUITE_MODEL", {"tooltip": "From Load ACE-Step."}),
                "audio": ("AUDIO", audio),
            }
        }

    def encode(self, model: ACEStep, audio: sound.Audio) -> tuple[dict[str, Any]]:
        with host.errors_of(self.TITLE):
            latent = sound.encoded(model, audio["waveform"], int(audio["sample_rate"]))
            return (sound.latent_out(latent),)
