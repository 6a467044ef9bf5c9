"""The pack imported the way ComfyUI does it: as a package, under a name of its own.

The core is reached through it. Imported under two names it would be two sets of classes
that do not recognise one another.
"""

from __future__ import annotations

import importlib
import json
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from scripts import locales

ROOT = Path(__file__).resolve().parents[3]
NAME = "acestep_suite_as_a_pack"


@cache
def imported() -> ModuleType:
    return locales.pack(NAME)


def module(name: str) -> ModuleType:
    """A module of the pack: module("nodes.host"), module("acestep_core.types")."""
    return importlib.import_module(f"{imported().__name__}.{name}")


NODES: dict[str, Any] = imported().NODE_CLASS_MAPPINGS


def sampled(words: dict[str, Any], **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    asked = {"seed": 3, "seconds": 2.0, "batch_size": 1, "steps": 3, **changes}
    latent, info = NODES["AceSuiteSampler"]().sample(**words, **asked)
    return latent, json.loads(info)
