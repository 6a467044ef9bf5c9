"""Whether ComfyUI is there, and its modules, imported when they are asked for."""

from __future__ import annotations

import logging
import sys
from typing import Any

log = logging.getLogger(__name__)
# ComfyUI has loaded these before it imports a pack. Importing them to find out could bring in
# somebody else's `server`.
IN_COMFYUI = "comfy.model_management" in sys.modules and "folder_paths" in sys.modules


def management() -> Any:
    from comfy import model_management

    return model_management


def paths() -> Any:
    import folder_paths

    return folder_paths
