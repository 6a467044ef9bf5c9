"""The node's progress bar, its line of text, and the user's stop."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ...acestep_core.sampling.schedule import Step
from .found import IN_COMFYUI, log, management


def stop_if_asked() -> None:
    """Raise ComfyUI's own exception when the user has pressed stop."""
    if IN_COMFYUI:
        management().throw_exception_if_processing_interrupted()


Picture = Callable[[Step, Tensor, Tensor], Any]  # -> a PIL image now and then, else None


class Bar:
    """The node's progress bar; each move is also the moment to stop."""

    def __init__(self, total: int = 1, picture: Picture | None = None) -> None:
        self._done, self._total, self._shown, self._picture = 0, total, None, picture
        if IN_COMFYUI:
            from comfy.utils import ProgressBar

            self._shown = ProgressBar(total)

    def tick(self, done: int, total: int, image: Any = None) -> None:
        """Of the codec: pieces done and in all."""
        stop_if_asked()
        if self._shown is not None:
            preview = ("JPEG", image, 512) if image is not None else None
            self._shown.update_absolute(done, total, preview)

    def see(self, step: Step, x: Tensor, velocity: Tensor) -> None:
        """Of the sampler: one evaluation of the model is done."""
        self._done += 1
        image = self._picture(step, x, velocity) if self._picture else None
        self.tick(self._done, self._total, image)


def say(text: str) -> None:
    """A line on the running node, for the page that started the run and no other."""
    log.info(text)
    server = getattr(sys.modules.get("server"), "PromptServer", None) if IN_COMFYUI else None
    instance = getattr(server, "instance", None)
    # Pages older than this saved the line as a widget's value, which shifts later widgets.
    if instance is not None and hasattr(instance, "node_replace_manager") and instance.client_id:
        instance.send_progress_text(text, instance.last_node_id, instance.client_id)
