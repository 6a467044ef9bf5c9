"""The checks of inside.py, one test each."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).with_name("inside.py").read_text(encoding="utf-8")
CHECKS = re.findall(r"^def (check_\w+)", SOURCE, re.MULTILINE)


@pytest.mark.parametrize("check", CHECKS)
def test_inside_comfyui(check: str, inside: dict[str, dict[str, Any]]) -> None:
    result = inside[check]
    assert result["ok"], result["said"]
    logging.getLogger(__name__).info("%s: %s", check, result["said"])
