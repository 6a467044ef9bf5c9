"""What a face shows of the settings: rows of the table with their defaults bound.

    row + dataclass -> Offered -> option of a command, widget of a node, hosted parameter

The table lies below the dataclasses, so what it reads from them is read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from .editing.request import Options
from .lyrics import LANGUAGE_CHOICES
from .presets import PRESETS
from .settings import AUTO, FULL_CONTROL, TABLE, At, Kind, Setting, Value
from .sound.files import FORMATS
from .types import (
    Edit,
    Extend,
    Follow,
    Guidance,
    Inpaint,
    Recipe,
    Region,
    Retake,
    Sampling,
    TextToMusic,
)
from .weights.lora import Applied

OWNERS: dict[str, Any] = {
    one.__name__: one
    for one in (
        *(Guidance, Sampling, Recipe, Region, Options, Applied),
        *(TextToMusic, Retake, Inpaint, Extend, Edit, Follow),
    )
}

# Names that are known further up than the table.
CHOICES: dict[str, tuple[str, ...]] = {
    "Recipe.language": LANGUAGE_CHOICES,
    "preset": (AUTO, *PRESETS),
    "format": tuple(suffix.removeprefix(".") for suffix in FORMATS),
}
ABOUT = {"preset": " ".join(f"{name}: {preset.about}" for name, preset in PRESETS.items())}
# A box of an endpoint has the endpoint's settings, unless the table says otherwise of the box.
ENDPOINT_OF = {
    "AceSuiteTextToAudio": "text-to-audio",
    "AceSuitePromptToAudio": "prompt-to-audio",
    "AceSuiteAudioToAudio": FULL_CONTROL,
    "AceSuiteAudioInpaint": "audio-inpaint",
    "AceSuiteAudioOutpaint": "audio-outpaint",
}
# A face that takes what it does not show from a preset begins with that preset's values.
PRESET_OF = {FULL_CONTROL: "fal"}


@dataclass(frozen=True)
class Offered:
    """A setting as one face has it."""

    name: str
    row: Setting
    kind: Kind
    about: str
    default: Value  # None: there is none
    low: float | None
    high: float | None
    step: float | None
    choices: tuple[str, ...]
    is_open: bool


def default_of(key: str, preset: str = "original") -> Value:
    """The value a setting has where nobody says another."""
    row = TABLE[key]
    if row.default is not None or not row.owner:
        return row.default
    named = PRESETS[preset]
    for group in (named.guidance, named.sampling):
        if type(group).__name__ == row.owner:
            return as_text(getattr(group, row.field))
    return as_text(getattr(OWNERS[row.owner], row.field))


def as_text(value: Any) -> Value:
    """A value as a face shows it: several numbers are one text."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


@cache
def offered_at(place: str) -> dict[str, Offered]:
    """All settings of a face by their names there, in the order of the table; not to be changed."""
    of_endpoint = offered_at(ENDPOINT_OF[place]) if place in ENDPOINT_OF else {}
    return {**of_endpoint, **{one.name: one for one in _offered_at(place)}}


def _offered_at(place: str) -> Iterator[Offered]:
    for row in TABLE.values():
        for at in row.at:
            if at.is_in(place):
                yield _offered(row, at, place)


def _offered(row: Setting, at: At, place: str) -> Offered:
    kind = at.kind or row.kind or "text"
    choices = at.choices or row.choices or CHOICES.get(row.key, ())
    default = _first(at.default, default_of(row.key, PRESET_OF.get(place, "original")))
    if kind == "whole" and isinstance(default, float):
        default = int(default)
    return Offered(
        at.name or row.field,
        row,
        kind,
        at.about or " ".join(filter(None, (row.about, ABOUT.get(row.key)))),
        None if at.is_open else default,
        _first(at.low, row.low),
        _first(at.high, row.high),
        _first(at.step, row.step),
        (*choices, at.also) if at.also else choices,
        at.is_open,
    )


def _first(own: Any, of_row: Any) -> Any:
    return of_row if own is None else own
