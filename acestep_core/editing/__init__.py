"""Edits of sound in memory: inpaint, extend, edit, follow, vary.

from acestep_core.editing import SourceClip, inpaint
"""

from .edits import (
    Assignment,
    Edited,
    Flow,
    Follow,
    Growth,
    Inpaint,
    Options,
    Pipe,
    SourceClip,
    Wish,
    assigned,
    audio_to_audio,
    edit,
    extend,
    inpaint,
    vary,
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
