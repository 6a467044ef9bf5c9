"""Load ACE-Step: one checkpoint, four networks, ready to be used and to be put away."""

from __future__ import annotations

import logging
import time
from typing import Any

from ..acestep_core.checkpoint import recognise
from ..acestep_core.lyrics import Vocabulary
from ..acestep_core.model import load
from ..acestep_core.pipeline import ACEStep
from . import checkpoints, host

log = logging.getLogger(__name__)


class LoadACEStep:
    TITLE = "Load ACE-Step"
    DESCRIPTION = (
        "Loads an ACE-Step v1 checkpoint: the single file, or the folder with its four parts."
    )
    SEARCH_ALIASES = ("music model", "checkpoint", "song", "ACE-Step 3.5B")
    CATEGORY = "ACE-Step"
    FUNCTION = "load"
    RETURN_TYPES = ("ACESUITE_MODEL", "STRING")
    RETURN_NAMES = ("model", "report")
    OUTPUT_TOOLTIPS = (
        "The model, for the other nodes of this pack.",
        "What was loaded, from where, and in which precision.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's name
        checkpoint = {
            "tooltip": "auto takes the first ACE-Step v1 checkpoint in the list. Single files are"
            " looked for in models/checkpoints and models/diffusion_models, folders in"
            " models/acestep. download fetches the released model (8.3 GB) when the node runs.",
        }
        dtype = {
            "default": "auto",
            "tooltip": "What the weights are kept in. auto: bfloat16 where the device can compute"
            " it, else float32. The autoencoder always keeps float32.",
        }
        memory = {
            "default": "auto",
            "tooltip": "auto: networks stay on the device until room is needed. offload: each"
            " leaves the device right after its work; slower, leaves more room for others.",
        }
        return {
            "required": {"checkpoint": (checkpoints.choices(), checkpoint)},
            "optional": {
                "dtype": (list(host.DTYPES), dtype),
                "memory": (list(host.MEMORY_MODES), memory),
            },
        }

    @classmethod
    def IS_CHANGED(  # noqa: N802 - ComfyUI's name
        cls, checkpoint: str, dtype: str = "auto", memory: str = "auto"
    ) -> str:
        return checkpoints.fingerprint(checkpoint)

    def load(
        self, checkpoint: str, dtype: str = "auto", memory: str = "auto"
    ) -> tuple[ACEStep, str]:
        began = time.perf_counter()
        with host.errors_of(self.TITLE):
            place = checkpoints.chosen(checkpoint)
            model = load(recognise(place), *host.placement(dtype, memory))
            pipe = ACEStep(model, Vocabulary.find(place, host.vocabulary_places()))
        report = _report(pipe, place.name)
        host.say(report)
        log.info("Loaded in %.1f s", time.perf_counter() - began)
        return pipe, report


def _report(pipe: ACEStep, place: str) -> str:
    model = pipe.model
    computing = str(model.transformer.dtype).removeprefix("torch.")
    where = f"{model.name} ({model.layout} {place}), {model.bytes_kept / 1e9:.2f} GB"
    return f"{where}, computing in {computing} on {model.transformer.device}"
