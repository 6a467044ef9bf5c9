"""DCAE Decode: a latent to sound."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from torch import Tensor

from ..acestep_core.codec import Tiles
from ..acestep_core.config import SAMPLE_RATE
from ..acestep_core.memory import first_that_fits
from ..acestep_core.pipeline import ACEStep, checked_latent, checked_output
from . import host

log = logging.getLogger(__name__)

TILES = (128, 32, 8)  # latent frames at once; the smaller ones where memory is short


class DCAEDecode:
    TITLE = "DCAE Decode (ACE-Step)"
    DESCRIPTION = "Makes sound of a latent, in tiles that give exactly what the whole would give."
    SEARCH_ALIASES = ("vae decode audio", "vocoder", "latent to audio")
    CATEGORY = "ACE-Step"
    FUNCTION = "decode"
    RETURN_TYPES = ("AUDIO", "STRING")
    RETURN_NAMES = ("audio", "report")
    OUTPUT_TOOLTIPS = (
        "Stereo sound at the chosen rate.",
        "Length, peak, and what is wrong with the sound, if anything.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        rate = {
            "default": SAMPLE_RATE,
            "min": 8000,
            "max": 192_000,
            "tooltip": "Sample rate of the result in Hz. The model's own is 44100; the original"
            " project writes 48000.",
        }
        latent = {"tooltip": "From the Sampler, or a native sampler given an ACE-Step 1.0 latent."}
        return {
            "required": {
                "model": ("ACESUITE_MODEL", {"tooltip": "From Load ACE-Step."}),
                "latent": ("LATENT", latent),
            },
            "optional": {"rate": ("INT", rate)},
        }

    def decode(
        self, model: ACEStep, latent: dict[str, Tensor], rate: int = SAMPLE_RATE
    ) -> tuple[dict[str, Tensor | int], str]:
        with host.errors_of(self.TITLE):
            z, bar = checked_latent(latent["samples"]), host.Bar()
            attempts = [partial(model.decode, z, rate, Tiles(size), bar.tick) for size in TILES]
            wave = first_that_fits(attempts, log.warning)
            warnings = checked_output(wave)
        for warning in warnings:
            log.warning(warning)
        report = f"{wave.shape[-1] / rate:.3f} s at {rate} Hz, peak {float(wave.abs().max()):.3f}"
        return (
            {"waveform": host.handed_on(wave), "sample_rate": rate},
            "\n".join([report, *warnings]),
        )
