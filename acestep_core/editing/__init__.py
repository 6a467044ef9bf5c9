"""Edits of sound in memory: inpaint, extend, edit, follow, vary.

from acestep_core.editing import SourceClip, inpaint
"""

from .edits import (
    edit,
    edited,
    extend,
    finished,
    follow,
    inpaint,
    prepared,
    vary,
)
from .request import (
    Edited,
    Options,
    Pipe,
    Request,
    SourceClip,
    SourceNamed,
)

__all__ = [
    "Edited",
    "Options",
    "Pipe",
    "Request",
    "SourceClip",
    "SourceNamed",
    "edit",
    "edited",
    "extend",
    "finished",
    "follow",
    "inpaint",
    "prepared",
    "vary",
]
