"""What a driver says of each verb: one line of JSON, which known.py reads."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

# As short as an edit of a song can be.
QUICK: dict[str, Any] = {"original_tags": "pop", "tags": "rock", "number_of_steps": 3, "seed": 7}
LONG: dict[str, Any] = {**QUICK, "number_of_steps": 60}
FAL_APP = "fal-ai/ace-step/audio-to-audio"
WAVESPEED_MODEL = "wavespeed-ai/ace-step/audio-inpaint"
WAVESPEED_BODY: dict[str, Any] = {"tags": "rock", "end_time": 1, "seed": 7}


def told(verb: str, do: Callable[[], T]) -> T | None:
    said, result = "yes", None
    try:
        result = do()
    except Exception as error:
        said = f"{type(error).__name__}: {error}"[:300]
    sys.stdout.write(json.dumps({"verb": verb, "said": said}) + "\n")
    return result


def is_sound(url: str) -> None:
    """AssertionError unless a URL of an answer gives a FLAC."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        assert answer.read(4) == b"fLaC", f"{url} is no sound"
