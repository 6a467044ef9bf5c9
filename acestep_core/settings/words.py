"""Rows: tags, lyrics, their language, and what writes them."""

from __future__ import annotations

from ..config import LONGEST_SOURCE, MAX_SECONDS, MAX_TAG_TOKENS
from .making import BOXES, FULL_CONTROL, HOSTED, HOSTED_SEED, MAKING, PICK
from .setting import At, Setting

BACK_ENDS = ("builtin", "openai")
TAG_EXAMPLE = "pop, female voice, piano, warm, 100 bpm"
WITH_TAGS = (*(name for name in HOSTED if name != "prompt-to-audio"), FULL_CONTROL)
EDITS = ("audio-to-audio", FULL_CONTROL)
SUNG = (
    "What is sung, with [verse], [chorus], [bridge] on lines of their own. Empty, [inst] or"
    " [instrumental]: nothing."
)
WRITTEN = "that were written last. Change them, and they are locked."
WRITER, PROMPT_BOX, LYRIC_PREVIEW = (
    "AceSuiteSongWriter",
    "AceSuitePromptToAudio",
    "AceSuiteLyricPreview",
)

WORD_ROWS = (
    Setting(
        "tags",
        "Tags",
        kind="words",
        about="The style: genres, instruments, voices, mood, tempo, with commas between; more than"
        f" {MAX_TAG_TOKENS} tokens are cut.",
        record="prompt",
        host="tags",
        at=(
            At(MAKING, "--tags", is_open=True),
            At("AceSuiteTagEncode", default=TAG_EXAMPLE),
            At(WRITER, default="", about=f"The tags {WRITTEN}"),
            At(tuple(name for name in BOXES if name != PROMPT_BOX), default=TAG_EXAMPLE),
            At(WITH_TAGS, high=5_000),
        ),
    ),
    Setting(
        "lyrics",
        "Lyrics",
        kind="words",
        default="",
        about=SUNG,
        record="lyrics",
        host="lyrics",
        at=(
            At(MAKING, "--lyrics", is_open=True),
            At(
                "AceSuiteLyricEncode",
                default="[inst]",
                about="One line of the song per line, with [verse], [chorus], [bridge], [intro],"
                " [outro] ... between. [inst] alone, or nothing, is instrumental.",
            ),
            At(
                LYRIC_PREVIEW,
                default="[verse]\n\n[chorus]\n",
                about="As for Lyric Encode: one line of the song per line, marks in brackets.",
            ),
            At(WRITER, about=f"The lyrics {WRITTEN}"),
            At(WITH_TAGS, high=20_000),
        ),
    ),
    Setting(
        "source_tags",
        "Tags of the source",
        kind="words",
        about="What the clip sounds like now.",
        at=(
            At("edit", "--source-tags", is_open=True),
            At("AceSuiteAudioToAudio", "original_tags", default="pop, female voice, piano"),
            At(EDITS, "original_tags", high=5_000),
        ),
    ),
    Setting(
        "source_lyrics",
        "Lyrics of the source",
        kind="words",
        default="",
        about="What is sung in the clip now. Empty, [inst] or [instrumental]: nothing.",
        at=(At("edit", "--source-lyrics"), At(EDITS, "original_lyrics", high=20_000)),
    ),
    Setting(
        "Recipe.language",
        "Lyric language",
        kind="choice",
        about="auto finds the language of each line. prefix also lets a line choose it, as in"
        " [de] Guten Morgen. A code reads every line in that language.",
        at=(
            At(MAKING, "--language", is_open=True),
            At("preview", "--language"),
            At("AceSuiteLyricEncode"),
            At(LYRIC_PREVIEW, about="As in Lyric Encode."),
        ),
    ),
    Setting(
        "lyrics_strength",
        "lyrics_strength",
        kind="number",
        default=1.0,
        low=0,
        high=10,
        step=0.01,
        about="How strongly they count.",
        host="lyrics_strength",
        at=(At("AceSuiteToConditioning"),),
    ),
    Setting(
        "lyric_seconds",
        "Duration (seconds)",
        unit="s",
        kind="number",
        default=0.0,
        low=0,
        high=LONGEST_SOURCE,
        step=1,
        about="Length of the song, to see if they fit; 0 = any.",
        at=(At("preview", "--duration"), At(LYRIC_PREVIEW, "seconds")),
    ),
)

WRITER_ROWS = (
    Setting(
        "prompt",
        "Prompt",
        kind="words",
        high=4_000,
        about="What the song is about and how it sounds, in a sentence or two.",
        at=(
            At((WRITER, PROMPT_BOX), default="A cheerful pop song about summer memories."),
            At("prompt-to-audio"),
        ),
    ),
    Setting(
        "song_seed",
        "Seed",
        kind="whole",
        default=0,
        low=0,
        high=HOSTED_SEED,
        about="The same seed and prompt give the same words.",
        at=(
            At("write", "--seed", low=PICK, default=PICK, about="-1 draws one."),
            At(WRITER, "seed"),
        ),
    ),
    Setting(
        "song_seconds",
        "Duration (seconds)",
        unit="s",
        kind="number",
        default=60.0,
        low=5,
        high=MAX_SECONDS,
        step=1,
        about="Length that the lyrics are to fill.",
        at=(At("write", "--duration"), At(WRITER, "seconds")),
    ),
    Setting(
        "instrumental",
        "Instrumental",
        kind="switch",
        default=False,
        about="No singing: [inst].",
        at=(
            At("write", "--instrumental"),
            At((WRITER, PROMPT_BOX, "prompt-to-audio")),
        ),
    ),
    Setting(
        "back_end",
        "Back end of the writer",
        kind="choice",
        default=BACK_ENDS[0],
        choices=BACK_ENDS,
        about="builtin needs nothing. openai asks the server that you named in the environment;"
        " nothing is sent anywhere otherwise.",
        at=(At("write", "--back-end"), At((WRITER, PROMPT_BOX))),
    ),
    Setting(
        "lock",
        "Lock",
        kind="switch",
        default=False,
        about="On: the two texts below are given as they are. Off: new ones are written, and shown"
        " below.",
        at=(At(WRITER),),
    ),
    Setting(
        "genre",
        "Genre",
        kind="choice",
        about="A genre. Those at the end are words of the small demonstration model, which knows no"
        " more.",
        at=(At("AceSuiteTagPresets"),),
    ),
    Setting(
        "more",
        "More tags",
        kind="text",
        default="",
        about="Tags of your own, put behind the preset's.",
        at=(At("AceSuiteTagPresets"),),
    ),
)
