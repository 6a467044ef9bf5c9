"""The workflows that ship, in the order of the template browser: first forms, then graphs.

The browser knows a pack's workflow by its file's name alone, and searches about the first 33
characters of it: what it is for comes first, what it does stands in a note.
"""

from __future__ import annotations

from dataclasses import replace

from scripts.workflows.apps import APPS, SAVED
from scripts.workflows.compare import COMPARE
from scripts.workflows.model import Column, Group, Node, Note, Wire, Workflow
from scripts.workflows.native import NATIVE
from scripts.workflows.parts import (
    FOUR_BENDS,
    FOUR_WIDTHS,
    LOAD,
    LOADER,
    MODEL,
    NARROW,
    ONE_BENDS,
    ONE_PAIR,
    OVER_EDIT,
    OVER_FAR,
    OVER_SAMPLER,
    OVER_WORDS,
    REPORT,
    RESULT,
    SAMPLER,
    SOUND,
    SOURCE,
    TASK,
    TOLD,
    TOLD_LEAST,
    WIDE,
    sampler,
    sound,
    tagged,
    task_to_sound,
    worded,
    words,
)
from scripts.workflows.words import BLUE, GREEN, HOUSE, NEW_WORDS, RED, STYLE, TAGS, WORDS


def changed(name: str, title: str, card: str, task: Node, note: Note) -> Workflow:
    """A song, what is to be done to it, and the song made of it."""
    task = replace(task, inputs={**task.inputs, "source_audio": Wire("source", "AUDIO")})
    return Workflow(
        name,
        title,
        card,
        (
            Column(ONE_PAIR[0], {"load": LOAD}, {"note": note}, gap=ONE_BENDS),
            Column(ONE_PAIR[1], words(), {"source": SOURCE}, OVER_FAR, NARROW),
            *task_to_sound(task),
        ),
        (
            Group("Words", ("load", "tags", "lyrics"), BLUE),
            Group("Song to change", ("note", "source"), RED),
            Group(RESULT.title, ("task", *RESULT.members), RESULT.colour),
        ),
    )


STEPS = Note(
    "**A song, step by step.**\n\n"
    "1. **Load** takes the model it finds; without one a small one plays, in ten styles.\n"
    "2. **Tags** say how it sounds.\n"
    "3. **Lyrics**: a line of the song per line; **[verse]** and **[chorus]** between. **[inst]**"
    " is no singing.\n"
    "4. **Run**. The song lies in output/audio.\n\n"
    "**-1** and **auto** are what the model recommends.",
    height=370,
)
WRITTEN = Note(
    "**Song Writer** makes tags and lyrics of a sentence. They are shown on it: change them there,"
    " and they stay as they are.",
    height=95,
)
NEW_STYLE = {
    "tags": tagged(HOUSE, "New style", TOLD_LEAST),
    "lyrics": worded(WORDS),
    "source": SOURCE,
    "old_tags": tagged(STYLE, "Old style", TOLD_LEAST),
}
REMIX = Workflow(
    "remix",
    "ACE-Step v1 11 Remix step by step",
    "Remix\nstep by step",
    (
        Column(
            FOUR_WIDTHS[0],
            {
                "load": LOAD,
                "note": Note(
                    "**Remix.** The new style says how the song shall sound, the old one how it"
                    " sounds now. Both have the same lyrics.",
                    height=130,
                ),
            },
            gap=FOUR_BENDS[0],
        ),
        Column(FOUR_WIDTHS[1], NEW_STYLE, drop=OVER_FAR, gap=FOUR_BENDS[1]),
        *task_to_sound(
            Node(
                "AceSuiteRemixEdit",
                {
                    "mode": "remix",
                    "source_tags": Wire("old_tags", "tags"),
                    "source_lyrics": Wire("lyrics", "lyrics"),
                    "source_audio": Wire("source", "AUDIO"),
                },
            ),
            FOUR_WIDTHS,
            OVER_EDIT,
        ),
    ),
    (
        Group("Words, song", ("load", "note", *NEW_STYLE), BLUE),
        Group(RESULT.title, ("task", *RESULT.members), RESULT.colour),
    ),
)
OTHER_WORDS = {
    "original_tags": STYLE,
    "tags": STYLE,
    "edit_mode": "lyrics",
    "original_lyrics": WORDS,
    "lyrics": NEW_WORDS,
    "guidance_scale": 3.0,
    "seed": 7,
    "audio": Wire("source", "AUDIO"),
}
# One box: step by step, nodes would stand too high above one another for a laptop.
LYRIC_EDIT = Workflow(
    "lyric_edit",
    "ACE-Step v1 12 Lyric edit, other words",
    "Lyric edit",
    (
        Column(
            LOADER,
            {
                "source": SOURCE,
                "load": LOAD,
                "note": Note(
                    "**Lyric edit.** Texts from above: the style now, the new style (the same);"
                    " the lyrics now, the new lyrics. Change a line at a time: when more than a"
                    " third of the words change, lines are often skipped. Step by step it is"
                    " 11 Remix, with the mode **lyrics**.",
                    height=200,
                ),
            },
        ),
        Column(WIDE, {"box": Node("AceSuiteAudioToAudio", {**OTHER_WORDS, **MODEL}, height=800)}),
        Column(SOUND, {"save": Node("AceSuiteSaveAudio", SAVED, more=REPORT)}),
    ),
    (
        Group("Song to change", ("source", "load", "note"), RED),
        Group("New words", ("box",), BLUE),
        Group("Music", ("save",), GREEN),
    ),
)
GRAPHS = (
    Workflow(
        "text_to_music",
        "ACE-Step v1 06 Music step by step",
        "Music\nstep by step",
        (
            Column(LOADER, {"load": LOAD, "note": STEPS}),
            Column(WIDE, words(TAGS, height=230), drop=OVER_WORDS),
            Column(SAMPLER, {"sampler": sampler()}, drop=OVER_SAMPLER),
            Column(SOUND, sound()),
        ),
        (Group("Words", ("load", "note", "tags", "lyrics"), BLUE), RESULT),
    ),
    Workflow(
        "prompt_to_song",
        "ACE-Step v1 07 Song Writer step by step",
        "Song Writer\nstep by step",
        (
            Column(
                LOADER,
                {
                    "load": LOAD,
                    "writer": Node(
                        "AceSuiteSongWriter",
                        {
                            "prompt": "A warm folk song about coming home by the sea.",
                            "seed": 1,
                            "seconds": 60.0,
                        },
                        height=460,  # the words it wrote are read here
                    ),
                },
            ),
            Column(WIDE, words(Wire("writer", "tags"), Wire("writer", "lyrics")), drop=OVER_WORDS),
            Column(SAMPLER, {"sampler": sampler(), "note": WRITTEN}, drop=OVER_SAMPLER),
            Column(SOUND, sound()),
        ),
        (
            Group("Words", ("load", "writer", "tags", "lyrics"), BLUE),
            Group(RESULT.title, ("note", *RESULT.members), RESULT.colour),
        ),
    ),
    Workflow(
        "takes",
        "ACE-Step v1 08 Takes, variations of a song",
        "Takes",
        (
            Column(
                225,
                {"load": LOAD},
                {
                    "note": Note(
                        "**Three takes** of the song that seed 4242 makes. **variance** says how"
                        " far they go from it. Hear them below Save Audio, and keep the best.",
                        height=115,
                    )
                },
            ),
            Column(
                295,
                words(),
                {"task": Node("AceSuiteRetake", {"source_seed": 4242, "variance": 0.2})},
                OVER_WORDS,
            ),
            Column(260, {"sampler": sampler(seed=1, batch_size=3, task=TASK)}, drop=OVER_SAMPLER),
            # So wide that the buttons of a take are one row.
            Column(400, sound(70, 220)),
        ),
        (
            Group("Words", ("load", "tags", "lyrics"), BLUE),
            Group("How far takes differ", ("note", "task"), RED),
            RESULT,
        ),
    ),
    changed(
        "inpaint",
        "ACE-Step v1 09 Inpaint step by step",
        "Inpaint\nstep by step",
        Node("AceSuiteInpaintMask", {"start": 4.0, "end": 8.0, "variance": 0.5}),
        Note(
            "**Inpaint.** What lies between start and end is made new; the rest stays, sample for"
            " sample. Tags and lyrics are those of the whole song.",
            height=110,
        ),
    ),
    changed(
        "extend",
        "ACE-Step v1 10 Extend step by step",
        "Extend\nstep by step",
        Node("AceSuiteExtend", {"before": 0.0, "after": 15.0}),
        Note(
            "**Extend.** New music in front and at the end; the song itself stays as it is.",
            height=85,
        ),
    ),
    REMIX,
    LYRIC_EDIT,
    changed(
        "audio_reference",
        "ACE-Step v1 13 Audio reference",
        "Audio\nreference",
        Node("AceSuiteAudioReference", {"strength": 0.5}, "Audio Reference"),
        Note(
            "**Audio reference.** A new song along the lines of another, as long as that one.",
            height=85,
        ),
    ),
    Workflow(
        "lora",
        "ACE-Step v1 14 LoRA, a trained style",
        "LoRA",
        (
            Column(
                LOADER,
                {
                    "load": LOAD,
                    "note": Note(
                        "**LoRA.** Put the file into models/loras, press **R** and choose it."
                        " **none** plays the model as it is.",
                        height=105,
                    ),
                },
                gap=60,  # the wire to the third node bends far
            ),
            Column(
                WIDE,
                {
                    "lora": Node(
                        "AceSuiteLoRA",
                        {"lora": "none", "strength_model": 1.0, **MODEL},
                        space=TOLD,
                    ),
                    **words(),
                },
                drop=OVER_SAMPLER,
            ),
            Column(SAMPLER, {"sampler": sampler("lora")}, drop=OVER_SAMPLER),
            Column(SOUND, sound()),
        ),
        (Group("Words, style", ("load", "note", "lora", "tags", "lyrics"), BLUE), RESULT),
    ),
    NATIVE,
    COMPARE,
)
WORKFLOWS = (*APPS, *GRAPHS)
