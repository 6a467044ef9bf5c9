"""Workflows that open as a form: one box, and the words a beginner knows.

form -> one-box node -> player      elsewhere: a graph of three to five nodes
"""

from __future__ import annotations

from typing import Any

from scripts.workflows.model import PICTURE, Cells, Column, Form, Group, Node, Note, Wire, Workflow
from scripts.workflows.parts import OVER_SAMPLER
from scripts.workflows.words import BLUE, EXAMPLE, GREEN, HOUSE, STYLE, TAGS, WORDS

LOADER, BOX, PLAYER = 280, 400, 420  # widths of the columns
SHORT = 30.0  # seconds: the first song shall not keep anyone waiting
RANDOM = "randomize"  # every press of Run is another song
Asked = tuple[str, str, str]  # node, widget, and what it is called in the form
MODEL: Asked = ("load", "checkpoint", "Model")
SONG: Asked = ("source", "audio", "Your song")
STYLE_NOW: Asked = ("box", "tags", "Style of the song")
LYRICS_NOW: Asked = ("box", "lyrics", "Lyrics of the song")
SAVED = {
    "audio": Wire("box", "audio"),
    "info": Wire("box", "info"),
    "filename_prefix": "audio/%title%",
}


def app(
    names: tuple[str, str, str], first: Cells, columns: tuple[Column, ...], form: tuple[Asked, ...]
) -> Workflow:
    """`names`: of the API form, the file, the card. `first` stands below the loader."""
    left = {"load": Node("AceSuiteLoad", {"checkpoint": "auto"}), **first}
    made = tuple(key for column in columns for key in column.first)
    return Workflow(
        *names,
        (Column(LOADER, left), *columns),
        (Group("What it is made of", tuple(left), BLUE), Group("Song", made, GREEN)),
        Form((*form, MODEL), ("save",)),
    )


def boxed(box: str, asked: dict[str, Any], width: int = BOX) -> Column:
    inputs = {"model": Wire("load", "model"), **asked}
    return Column(width, {"box": Node(box, inputs, control=RANDOM)})


def played(width: int = PLAYER) -> Column:
    return Column(width, {"save": Node("AceSuiteSaveAudio", SAVED)})


def changing(
    names: tuple[str, str, str], box: str, asked: dict[str, Any], form: tuple[Asked, ...], text: str
) -> Workflow:
    """An app that makes another song of one there is."""
    first = {
        "source": Node("LoadAudio", {"audio": EXAMPLE}, title="Your song"),
        "note": Note(text, height=115),
    }
    column = boxed(box, {**asked, "audio": Wire("source", "AUDIO")})
    return app(names, first, (column, played()), (SONG, *form))


APPS = (
    app(
        ("song", "ACE-Step v1 01 Song from tags and lyrics", "Song"),
        {
            "note": Note(
                "**A song from tags and lyrics.** Tags say how it sounds: genre, instruments,"
                " voice, tempo. Every press of Run makes another song.",
                height=115,
            )
        },
        (
            boxed("AceSuiteTextToAudio", {"tags": TAGS, "lyrics": WORDS, "duration": SHORT}),
            played(),
        ),
        (("box", "tags", "Style"), ("box", "lyrics", "Lyrics"), ("box", "duration", "Seconds")),
    ),
    app(
        ("song_from_a_sentence", "ACE-Step v1 02 Song from one sentence", "Song from\na sentence"),
        {
            "note": Note(
                "**A song from one sentence.** Style and lyrics are written first, then sung."
                " They are shown where they were written: changed there, they are kept.",
                height=115,
            )
        },
        (
            Column(
                320,
                {
                    "writer": Node(
                        "AceSuiteSongWriter",
                        {
                            "prompt": "A warm folk song about coming home by the sea.",
                            "seconds": SHORT,
                        },
                        control=RANDOM,
                    )
                },
                drop=OVER_SAMPLER,
            ),
            boxed(
                "AceSuiteTextToAudio",
                {
                    "tags": Wire("writer", "tags"),
                    "lyrics": Wire("writer", "lyrics"),
                    "duration": Wire("writer", "seconds"),
                },
                250,
            ),
            played(330),
        ),
        (
            ("writer", "prompt", "What the song is about"),
            ("writer", "instrumental", "Without singing"),
            ("writer", "seconds", "Seconds"),
            ("writer", "tags", "Style, as it was written"),
            ("writer", "lyrics", "Lyrics, as they were written"),
            ("writer", "lock", "Keep these words"),
        ),
    ),
    changing(
        ("fix_a_part", "ACE-Step v1 03 Inpaint, fix a part", "Inpaint:\nfix a part"),
        "AceSuiteAudioInpaint",
        {"tags": STYLE, "lyrics": "", "start_time": 4.0, "end_time": 8.0},
        (
            ("box", PICTURE, "Point at the part"),
            ("box", "start_time", "New from second"),
            ("box", "end_time", "New up to second"),
            ("box", "variance", "How new, 0 to 1"),
            STYLE_NOW,
            LYRICS_NOW,
        ),
        "**Fix a part.** What lies between the two times is made new; the rest of the song stays,"
        " sample for sample.",
    ),
    changing(
        ("longer", "ACE-Step v1 04 Extend, a longer song", "Extend:\na longer song"),
        "AceSuiteAudioOutpaint",
        {"tags": STYLE, "lyrics": "", "extend_after_duration": 15.0},
        (
            ("box", PICTURE, "Song and new music"),
            ("box", "extend_before_duration", "New seconds in front"),
            ("box", "extend_after_duration", "New seconds at the end"),
            STYLE_NOW,
            LYRICS_NOW,
        ),
        "**A longer song.** New music in front, at the end, or both; the song itself stays.",
    ),
    changing(
        ("another_style", "ACE-Step v1 05 Remix, another style", "Remix:\nanother style"),
        "AceSuiteAudioToAudio",
        {
            "original_tags": STYLE,
            "tags": HOUSE,
            "guidance_scale": 3.0,
        },
        (
            ("box", "original_tags", "Style it has now"),
            ("box", "tags", "New style"),
            ("box", "original_lyrics", "Lyrics it has now"),
            ("box", "lyrics", "Lyrics it shall have"),
        ),
        "**Another style.** Rhythm, tempo and melody stay. To keep the singing, give the lyrics"
        " twice: as they are now and as they shall be.",
    ),
)
