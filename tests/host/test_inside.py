"""The checks of inside.py and of the modules beside it, one test each."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest

SOURCES = sorted(Path(__file__).parent.glob("inside*.py"))
CHECKS = [
    check
    for source in SOURCES
    for check in re.findall(r"^def (check_\w+)", source.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("check", CHECKS)
def test_inside_comfyui(check: str, inside: dict[str, dict[str, Any]]) -> None:
    result = inside[check]
    assert result["ok"], result["said"]
    logging.getLogger(__name__).info("%s: %s", check, result["said"])
