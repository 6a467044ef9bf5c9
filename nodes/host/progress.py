"""The node's progress bar, its picture, and the user's stop."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ...acestep_core.sampling.schedule import Step
from .folders import user_file
from .found import IN_COMFYUI, management


def stop_if_asked() -> None:
    """Raise ComfyUI's own exception when the user has pressed stop."""
    if IN_COMFYUI:
        management().throw_exception_if_processing_interrupted()


PREVIEW = "acestepsuite.Preview"  # a setting of the page, which is kept with the others
SETTINGS = "default/comfy.settings.json"  # of the one user that most installations have


def is_watched() -> bool:
    """Whether a page waits for this run."""
    server = getattr(sys.modules.get("server"), "PromptServer", None) if IN_COMFYUI else None
    return getattr(getattr(server, "instance", None), "client_id", None) is not None


def is_preview_wanted() -> bool:
    """Whether a page waits for this run, and its user wants to see the song meanwhile."""
    if not is_watched():
        return False
    place = user_file(SETTINGS)
    try:
        settings = json.loads(place.read_text(encoding="utf-8")) if place else {}
    except (OSError, ValueError):  # nothing was set yet; a broken file is for the page to tell
        return True
    return settings.get(PREVIEW) is not False


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
