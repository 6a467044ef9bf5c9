"""Every setting a user can change, in one table.

    row (label, unit, range, choices, help, faces) -> checks of dataclasses, here
                                                   -> options, widgets, parameters (faces.py)

The default stands in the dataclass whose field it is; `faces.default_of` reads it from there.
"""

from __future__ import annotations

from functools import cache

from .files import BITS, FAIL, FILE_ROWS, MODEL_ROWS, NONE, SKIP, WEBDATASET
from .making import (
    AUTO,
    COMPATS,
    CORRECTED,
    CUSTOM,
    FROM_MODEL,
    FULL_CONTROL,
    GUIDANCE_KINDS,
    GUIDANCE_ROWS,
    HOSTED_SEED,
    LARGEST_SEED,
    OLD_NAMES,
    ORIGINAL,
    PICK,
    SAMPLING_ROWS,
    SOLVER_NAMES,
)
from .setting import (
    At,
    Kind,
    Setting,
    SettingError,
    Value,
    checked,
    checked_whole,
    chosen_from,
    in_digits,
)
from .tasks import EDIT_MODES, ENDS, PUTTING_ROWS, REGION_ROWS, TASK_ROWS
from .words import BACK_ENDS, TAG_EXAMPLE, WORD_ROWS, WRITER_ROWS

__all__ = [
    "AUTO",
    "BACK_ENDS",
    "BITS",
    "COMPATS",
    "CORRECTED",
    "CUSTOM",
    "EDIT_MODES",
    "ENDS",
    "FAIL",
    "FROM_MODEL",
    "FULL_CONTROL",
    "GUIDANCE_KINDS",
    "HOSTED_SEED",
    "LARGEST_SEED",
    "NONE",
    "OLD_NAMES",
    "ORIGINAL",
    "PICK",
    "SECTIONS",
    "SKIP",
    "SOLVER_NAMES",
    "TABLE",
    "TAG_EXAMPLE",
    "WEBDATASET",
    "At",
    "Kind",
    "Setting",
    "SettingError",
    "Value",
    "check",
    "checked",
    "checked_whole",
    "chosen_from",
    "in_digits",
    "limits_of",
    "rows_of",
    "setting",
]

SECTIONS = {
    "Words": WORD_ROWS,
    "Sampling": SAMPLING_ROWS,
    "Guidance": GUIDANCE_ROWS,
    "Tasks on a source": TASK_ROWS,
    "Regions": REGION_ROWS,
    "Putting a result into its source": PUTTING_ROWS,
    "Model and LoRA": MODEL_ROWS,
    "Files": FILE_ROWS,
    "Writing words": WRITER_ROWS,
}
TABLE = {row.key: row for rows in SECTIONS.values() for row in rows}


def setting(key: str) -> Setting:
    return TABLE[key]


def limits_of(key: str) -> tuple[float, float]:
    return TABLE[key].limits


@cache
def rows_of(owner: str) -> tuple[Setting, ...]:
    """The rows of a dataclass, by its name."""
    return tuple(row for row in TABLE.values() if row.owner == owner)


def check(owner: object, name: str = "") -> None:
    """Check every field of a dataclass that has a row; to be called where it is made."""
    for row in rows_of(name or type(owner).__name__):
        row.check(getattr(owner, row.field))
