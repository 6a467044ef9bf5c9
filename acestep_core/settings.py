"""What a setting may be, and the error that says so."""

from __future__ import annotations

import math


class SettingError(ValueError):
    """A setting the user can correct: says the field, the value, what is allowed and the fix."""


def checked(label: str, value: float, low: float, high: float, fix: str = "") -> None:
    """Raise unless low <= value <= high; NaN and infinities are refused."""
    if isinstance(value, bool) or not math.isfinite(value) or not low <= value <= high:
        hint = f" {fix}" if fix else ""
        raise SettingError(f"{label} is {value}; it must be between {low:g} and {high:g}.{hint}")


def checked_whole(label: str, value: int, low: int, high: int) -> None:
    checked(label, value, low, high)
    if not hasattr(value, "__index__"):  # also numpy's whole numbers have it
        raise SettingError(f"{label} is {value}; it must be a whole number.")


def chosen_from(label: str, value: str, options: object) -> None:
    """Raise unless value is one of the options, which are named in the message."""
    names = list(options)  # type: ignore[call-overload]
    if value not in names:
        raise SettingError(f"{label} is {value!r}; it must be one of: {', '.join(names)}.")
