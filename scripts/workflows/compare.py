"""A part of a song made new, beside the song as it was: heard and drawn."""

from __future__ import annotations

from scripts.workflows.apps import SAVED
from scripts.workflows.model import Column, Group, Node, Note, Wire, Workflow
from scripts.workflows.parts import (
    LOAD,
    LOADER,
    MODEL,
    OVER_SAMPLER,
    REPORT,
    SOURCE,
    WIDE,
)
from scripts.workflows.words import BLUE, GREEN, RED, STYLE

ABOUT = Note(
    "**Compare Takes** plays what goes into it, one at a time, and draws the first beside each of"
    " the others: orange is louder than before, blue quieter.",
    height=140,
)
SONG = Wire("source", "AUDIO")
PART = {"audio": SONG, "tags": STYLE, "start_time": 4.0, "end_time": 8.0, "seed": 7, **MODEL}
BOTH = {"audio": SONG, "takes": Wire("box", "audio")}
COMPARE = Workflow(
    "compare",
    "ACE-Step v1 16 Compare before and after",
    "Compare:\nbefore, after",
    (
        Column(LOADER, {"source": SOURCE, "load": LOAD, "note": ABOUT}),
        Column(WIDE, {"box": Node("AceSuiteAudioInpaint", PART)}, drop=OVER_SAMPLER + 26),
        Column(
            270,
            {
                "compare": Node("AceSuiteCompareTakes", BOTH),
                "save": Node("AceSuiteSaveAudio", SAVED, more=REPORT),
            },
        ),
        Column(350, {"picture": Node("PreviewImage", {"images": Wire("compare", "pictures")})}),
    ),
    (
        Group("Before", ("source", "load", "note"), RED),
        Group("After", ("box",), GREEN),
        Group("Both", ("compare", "save", "picture"), BLUE),
    ),
)
