"""Load ACE-Step: one checkpoint, four networks, ready to be used and to be put away.

Load LoRA: another model that shares all weights with the given one.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from ..acestep_core.lyrics import Vocabulary
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.settings import AUTO, NONE
from ..acestep_core.weights import small
from ..acestep_core.weights.checkpoint import recognise
from ..acestep_core.weights.lora import Applied, read_adapter
from ..acestep_core.weights.model import Added, load
from . import checkpoints, host, shown
from .widgets import widgets

log = logging.getLogger(__name__)

NO_OTHER = (
    "No released checkpoint was found: this is the one that comes with the pack, for"
    " demonstration. For music worth keeping choose download."
)


class LoadACEStep:
    TITLE = "Load ACE-Step"
    DESCRIPTION = (
        "Loads an ACE-Step v1 checkpoint: the single file, or the folder with its four parts."
    )
    SEARCH_ALIASES = ("music model", "checkpoint", "song", "ACE-Step 3.5B")
    FUNCTION = "show"
    HAS_INTERMEDIATE_OUTPUT = True
    RETURN_TYPES = ("ACESUITE_MODEL", "STRING")
    RETURN_NAMES = ("model", "report")
    OUTPUT_TOOLTIPS = (
        "The model, for the other nodes of this pack.",
        "What was loaded, from where, and in which precision.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteLoad", "checkpoint", checkpoint=checkpoints.choices()),
            "optional": widgets("AceSuiteLoad", "dtype memory codec_dtype"),
        }

    @classmethod
    def IS_CHANGED(cls, checkpoint: str, **others: Any) -> str:
        return checkpoints.fingerprint(checkpoint)

    def load(
        self,
        checkpoint: str,
        dtype: str = AUTO,
        memory: str = AUTO,
        codec_dtype: str = AUTO,
    ) -> tuple[ACEStep, str]:
        began = time.perf_counter()
        with host.errors_of(self.TITLE):
            place = checkpoints.chosen(checkpoint)
            model = load(recognise(place), *host.placement(dtype, memory, codec_dtype))
            pipe = ACEStep(model, Vocabulary.find(place, host.vocabulary_places()), place)
        report = "\n".join([_report(pipe, place.name), *pipe.model.card.about()])
        if checkpoint == checkpoints.AUTO and place == small.FOLDER:
            report += f"\n{NO_OTHER}"
        log.info("Loaded in %.1f s", time.perf_counter() - began)
        return pipe, report

    def show(self, **inputs: Any) -> dict[str, Any]:
        pipe, report = self.load(**inputs)
        known = pipe.model.card.about()[1:]  # many words, which only some want to read
        facts = {
            "report": [line for line in report.split("\n") if line not in known],
            "known": known,
            "demonstration": pipe.model.is_demo,
        }
        return shown.shown((pipe, report), facts)


class LoadLoRA:
    TITLE = "Load LoRA (ACE-Step)"
    DESCRIPTION = "Adds a LoRA for ACE-Step v1. The given model stays as it is; chain for several."
    SEARCH_ALIASES = ("lora", "adapter", "fine-tune", "style")
    FUNCTION = "add"
    RETURN_TYPES = ("ACESUITE_MODEL", "STRING")
    RETURN_NAMES = ("model", "report")
    OUTPUT_TOOLTIPS = ("The model with the LoRA.", "What the LoRA is, and what it changes.")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {
                "model": ("ACESUITE_MODEL", {"tooltip": "From Load ACE-Step, or another LoRA."}),
                **widgets("AceSuiteLoRA", "lora", lora=[NONE, *checkpoints.adapters()]),
            },
            "optional": widgets("AceSuiteLoRA", "strength_model training_scale"),
        }

    @classmethod
    def IS_CHANGED(cls, lora: str, **others: Any) -> str:
        return host.mark_of(lora, checkpoints.adapters().get(lora, lambda: None)())

    def add(
        self,
        model: ACEStep,
        lora: str,
        strength_model: float = Applied.weight,
        training_scale: bool = Applied.training_scale,
    ) -> tuple[ACEStep, str]:
        if lora == NONE:
            return model, "No LoRA."
        with host.errors_of(self.TITLE):
            return with_lora(model, Added(lora, strength_model, training_scale))


def with_lora(model: ACEStep, added: Added) -> tuple[ACEStep, str]:
    """The model with an adapter of the list, and what that is."""
    adapter = read_adapter(checkpoints.adapter(added.name))
    applied = Applied(adapter, added.weight, added.training_scale)
    changed = model.with_model(host.with_adapter(model.model, applied))
    return changed, f"{adapter.name}, weight {added.weight:g}: {adapter.about()}"


def _report(pipe: ACEStep, place: str) -> str:
    model = pipe.model
    computing, sound = (
        str(part.dtype).removeprefix("torch.") for part in (model.transformer, model.vocoder)
    )
    where = f"{model.name} ({model.layout} {place}), {model.bytes_kept / 1e9:.2f} GB"
    return f"{where}, computing in {computing} on {model.transformer.device}, sound in {sound}"
