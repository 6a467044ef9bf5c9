"""Workflows that open as a form: one box, and the words a beginner knows.

form -> one-box node -> player      elsewhere: a graph of three or four nodes
"""

from __future__ import annotations

from typing import Any

from scripts.workflows.model import Column, Form, Group, Node, Note, Wire, Workflow
from scripts.workflows.words import BLUE, EXAMPLE, GREEN, STYLE, TAGS, WORDS

LOADER, BOX, PLAYER = 280, 400, 420  # widths of the columns
SHORT = 30.0  # seconds: the first song shall not keep anyone waiting
RANDOM = "randomize"  # every press of Run is another song
MODEL = ("load", "checkpoint", "Model")
STYLE_NOW = ("box", "tags", "Style of the song")
LYRICS_NOW = ("box", "lyrics", "Lyrics of the song")
SONG = ("source", "audio", "Your song")


def app(
    names: tuple[str, str, str],
    box: str,
    asked: dict[str, Any],
    form: tuple[tuple[str, str, str], ...],
    text: str,
) -> Workflow:
    """`names`: of the API form, the file, the card."""
    from_song = any(node == SONG[0] for node, _, _ in form)
    inputs = {"model": Wire("load", "model"), **asked}
    first: dict[str, Node | Note] = {"load": Node("AceSuiteLoad", {"checkpoint": "auto"})}
    if from_song:
        inputs["audio"] = Wire("source", "AUDIO")
        first["source"] = Node("LoadAudio", {"audio": EXAMPLE}, title="Your song")
    first["note"] = Note(text, height=115)
    saved = {"audio": Wire("box", "audio"), "info": Wire("box", "info")}
    saved |= {"filename_prefix": "audio/%title%"}
    return Workflow(
        *names,
        (
            Column(LOADER, first),
            Column(BOX, {"box": Node(box, inputs, control=RANDOM)}),
            Column(PLAYER, {"save": Node("AceSuiteSaveAudio", saved)}),
        ),
        (
            Group("What it is made of", tuple(first), BLUE),
            Group("Song", ("box", "save"), GREEN),
        ),
        Form(form, ("save",)),
    )


APPS = (
    app(
        ("song", "ACE-Step v1 01 Song from tags and lyrics", "Song"),
        "AceSuiteTextToAudio",
        {"tags": TAGS, "lyrics": WORDS, "duration": SHORT},
        (
            ("box", "tags", "Style"),
            ("box", "lyrics", "Lyrics"),
            ("box", "duration", "Seconds"),
            MODEL,
        ),
        "**A song from tags and lyrics.** Tags say how it sounds: genre, instruments, voice, tempo."
        " Every press of Run makes another song.",
    ),
    app(
        ("song_from_a_sentence", "ACE-Step v1 02 Song from one sentence", "Song from\na sentence"),
        "AceSuitePromptToAudio",
        {"prompt": "A warm folk song about coming home by the sea.", "duration": SHORT},
        (
            ("box", "prompt", "What the song is about"),
            ("box", "instrumental", "Without singing"),
            ("box", "duration", "Seconds"),
            MODEL,
        ),
        "**A song from one sentence.** Tags and lyrics are written first, then sung. To see and"
        " change them, take Song Writer step by step.",
    ),
    app(
        ("fix_a_part", "ACE-Step v1 03 Inpaint, fix a part", "Inpaint:\nfix a part"),
        "AceSuiteAudioInpaint",
        {"tags": STYLE, "lyrics": "", "start_time": 4.0, "end_time": 8.0},
        (
            SONG,
            ("box", "start_time", "New from second"),
            ("box", "end_time", "New up to second"),
            ("box", "variance", "How new, 0 to 1"),
            STYLE_NOW,
            LYRICS_NOW,
            MODEL,
        ),
        "**Fix a part.** What lies between the two times is made new; the rest of the song stays,"
        " sample for sample.",
    ),
    app(
        ("longer", "ACE-Step v1 04 Extend, a longer song", "Extend:\na longer song"),
        "AceSuiteAudioOutpaint",
        {"tags": STYLE, "lyrics": "", "extend_after_duration": 15.0},
        (
            SONG,
            ("box", "extend_before_duration", "New seconds in front"),
            ("box", "extend_after_duration", "New seconds at the end"),
            STYLE_NOW,
            LYRICS_NOW,
            MODEL,
        ),
        "**A longer song.** New music in front, at the end, or both; the song itself stays.",
    ),
    app(
        ("another_style", "ACE-Step v1 05 Remix, another style", "Remix:\nanother style"),
        "AceSuiteAudioToAudio",
        {
            "original_tags": STYLE,
            "tags": "house, synthesizer, synth bass, electronic drums, fast, 110 bpm",
            "guidance_scale": 3.0,
        },
        (
            SONG,
            ("box", "original_tags", "Style it has now"),
            ("box", "tags", "New style"),
            ("box", "original_lyrics", "Lyrics it has now"),
            ("box", "lyrics", "Lyrics it shall have"),
            MODEL,
        ),
        "**Another style.** Rhythm, tempo and melody stay. To keep the singing, give the lyrics"
        " twice: as they are now and as they shall be.",
    ),
)
