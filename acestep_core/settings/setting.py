"""What a setting is, where it is found, and the error that says what it may be."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

# "words" are a text of several lines.
Kind: TypeAlias = Literal["number", "whole", "switch", "choice", "text", "words"]
Value: TypeAlias = "str | int | float | bool | None"


class SettingError(ValueError):
    """A setting the user can correct: says the field, the value, what is allowed and the fix."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """How a setting is offered; for a face None is what the row says."""

    about: str | None = None
    kind: Kind | None = None
    default: Value = None
    low: float | None = None
    high: float | None = None  # of a text: characters
    step: float | None = None
    choices: tuple[str, ...] | None = None  # of a row None: what a later module, or the disk, has


@dataclass(frozen=True)
class At(Offer):
    """A face that has the setting, and what is otherwise there than in its row."""

    places: str | tuple[str, ...]  # commands, classes of nodes, hosted endpoints
    name: str = ""  # option, input or parameter; empty: the field's
    also: str = ""  # one more choice
    is_open: bool = False  # no default: not given is told from every value

    def is_in(self, place: str) -> bool:
        return place == self.places or (not isinstance(self.places, str) and place in self.places)


@dataclass(frozen=True)
class Setting(Offer):
    """A row of the table.

    `key` names the field of a dataclass, as "Guidance.scale": there stands the default. A key
    without a dot belongs to none and has its default in the row.
    """

    key: str
    label: str  # in messages
    unit: str = ""
    fix: str = ""  # what to do about a value that is refused
    record: str = ""  # field of a Record; empty: among our own keys, or nowhere
    host: str = ""  # what ComfyUI's own nodes call it
    at: tuple[At, ...] = ()

    @property
    def owner(self) -> str:
        """The class that has the field; "" where there is none."""
        return self.key.rpartition(".")[0]

    @property
    def field(self) -> str:
        return self.key.rpartition(".")[2]

    def check(self, value: object, label: str = "") -> None:
        """Raise unless the value is one the row allows; switches and texts are not looked at."""
        label = label or self.label
        if self.kind == "choice" and self.choices:
            chosen_from(label, value, self.choices)
        elif self.kind in ("number", "whole"):
            low, high = self.limits
            check_number = checked if self.kind == "number" else checked_whole
            check_number(label, value, low, high, self.fix)  # pyright: ignore[reportArgumentType]

    @property
    def limits(self) -> tuple[float, float]:
        assert self.low is not None, self.key
        assert self.high is not None, self.key
        return self.low, self.high


def checked(label: str, value: float, low: float, high: float, fix: str = "") -> None:
    """Raise unless low <= value <= high; NaN and infinities are refused."""
    if isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        hint = f" {fix}" if fix else ""
        raise SettingError(
            f"{label} is {value}; it must be between {in_digits(low)} and {in_digits(high)}.{hint}"
        )


def in_digits(number: float) -> str:
    """Whole numbers with every digit, others as people write them."""
    return str(int(number)) if number == int(number) else f"{number:g}"


def checked_whole(label: str, value: int, low: int, high: int, fix: str = "") -> None:
    checked(label, value, low, high, fix)
    if not hasattr(value, "__index__"):  # also numpy's whole numbers have it
        raise SettingError(f"{label} is {value}; it must be a whole number.")


def chosen_from(label: str, value: object, options: Iterable[str]) -> None:
    """Raise unless value is one of the options, which are named in the message."""
    names = list(options)
    if value not in names:
        raise SettingError(f"{label} is {value!r}; it must be one of: {', '.join(names)}.")
