"""Edits of sound in memory: inpaint, extend, edit, follow, vary.

from acestep_core.editing import SourceClip, inpaint
"""

from .edits import (
    Assignment,
    assigned,
    audio_to_audio,
    edit,
    extend,
    inpaint,
    vary,
)
from .request import (
    Edited,
    Flow,
    Follow,
    Growth,
    Inpaint,
    Options,
    Pipe,
    SourceClip,
    Wish,
)

__all__ = [
    "Assignment",
    "Edited",
    "Flow",
    "Follow",
    "Growth",
    "Inpaint",
    "Options",
    "Pipe",
    "SourceClip",
    "Wish",
    "assigned",
    "audio_to_audio",
    "edit",
    "extend",
    "inpaint",
    "vary",
]
