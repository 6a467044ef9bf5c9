"""Words before there is any sound: Lyric Preview, Song Writer, Tag Presets.

text -> what the model will hear      prompt -> tags, lyrics      genre -> tags
"""

from __future__ import annotations

from typing import Any

from ..acestep_core.lyrics import Vocabulary
from ..acestep_core.lyrics.lint import lint
from ..acestep_core.lyrics.preview import as_text, preview
from ..acestep_core.settings import AUTO, BACK_ENDS
from ..acestep_core.weights import small
from ..acestep_core.weights.card import BPM
from ..acestep_core.writer import write_song
from ..acestep_core.writer.genres import genre as preset_of
from ..acestep_core.writer.genres import genres
from ..acestep_core.writer.song import Song
from . import checkpoints, host, shown
from .widgets import usual, widgets

ANY: float = usual("AceSuiteLyricPreview", "seconds")
SECONDS: float = usual("AceSuiteSongWriter", "seconds")


class LyricPreview:
    TITLE = "Lyric Preview (ACE-Step)"
    DESCRIPTION = (
        "What the model will hear of these lyrics, line by line, before anything is made: language,"
        " letters it does not know, marks it would sing, and about how long it takes."
    )
    SEARCH_ALIASES = ("lyrics", "check", "lint", "syllables", "tokens")
    FUNCTION = "look"
    OUTPUT_NODE = True
    RETURN_TYPES = ("STRING",)
    RETURN_NAMES = ("preview",)
    OUTPUT_TOOLTIPS = ("The lines as they will be heard, then advice.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteLyricPreview", "lyrics"),
            "optional": widgets("AceSuiteLyricPreview", "language seconds"),
        }

    def look(self, lyrics: str, language: str = AUTO, seconds: float = ANY) -> dict[str, Any]:
        with host.errors_of(self.TITLE):
            vocabulary = Vocabulary.find(None, host.vocabulary_places())
            duration = seconds or None
            seen = preview(lyrics, language=language, vocabulary=vocabulary, duration=duration)
            found = lint(lyrics, language=language, duration=duration)
            report = "\n".join([as_text(seen), *map(str, found)])
        advised = [
            {"line": one.line, "level": one.severity, "text": f"{one.message} {one.suggestion}"}
            for one in found
        ]
        facts = {"lyrics": {**shown.of_lyrics(seen), "advice": advised}}
        return shown.shown((report,), facts, text=[report])


class SongWriter:
    TITLE = "Song Writer (ACE-Step)"
    DESCRIPTION = "Tags and lyrics for a sentence about a song: a draft, meant to be changed."
    SEARCH_ALIASES = ("prompt to song", "lyrics generator", "write lyrics", "llm")
    FUNCTION = "show"
    HAS_INTERMEDIATE_OUTPUT = True
    RETURN_TYPES = ("STRING", "STRING", "STRING", "FLOAT")
    RETURN_NAMES = ("tags", "lyrics", "notes", "seconds")
    OUTPUT_TOOLTIPS = (
        "For Tag Encode.",
        "For Lyric Encode.",
        "Language, seed, and what went otherwise than asked.",
        "The length that was written for, for Sampler or Text to Audio.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": widgets("AceSuiteSongWriter", "prompt seed"),
            "optional": widgets(
                "AceSuiteSongWriter", "seconds instrumental back_end lock tags lyrics"
            ),
        }

    def write(
        self,
        prompt: str,
        seed: int,
        seconds: float = SECONDS,
        instrumental: bool = False,
        back_end: str = BACK_ENDS[0],
        **kept: Any,
    ) -> tuple[str, str, str]:
        if kept.get("lock"):
            return kept.get("tags", ""), kept.get("lyrics", ""), "Locked: nothing was written."
        with host.errors_of(self.TITLE):
            song = write_song(
                prompt, instrumental=instrumental, duration=seconds, seed=seed, back_end=back_end
            )
        return song.tags, song.lyrics, "\n".join(about(song))

    def show(self, **inputs: Any) -> dict[str, Any]:
        tags, lyrics, notes = self.write(**inputs)
        results = tags, lyrics, notes, inputs.get("seconds", SECONDS)
        written = {"tags": tags, "lyrics": lyrics, "lock": bool(inputs.get("lock"))}
        return shown.shown(results, {"written": written, "notes": notes.split("\n")})


def about(song: Song) -> list[str]:
    """Language, seed, and what went otherwise than asked."""
    words = f"Language {song.language}" if song.language else "No words"
    return [f"{words}, seed {song.seed}.", *song.warnings]


class TagPresets:
    TITLE = "Tag Presets (ACE-Step)"
    DESCRIPTION = "Tags to begin with, by genre."
    SEARCH_ALIASES = ("genre", "style", "prompt preset")
    FUNCTION = "show"
    HAS_INTERMEDIATE_OUTPUT = True
    RETURN_TYPES = ("STRING", "INT")
    RETURN_NAMES = ("tags", "bpm")
    OUTPUT_TOOLTIPS = ("For Tag Encode.", "The preset's tempo.")

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        names = [*(preset.name for preset in genres()), *_examples()]
        return {
            "required": widgets("AceSuiteTagPresets", "genre", genre=names),
            "optional": widgets("AceSuiteTagPresets", "more"),
        }

    def choose(self, genre: str, more: str = "") -> tuple[str, int]:
        with host.errors_of(self.TITLE):
            example = _examples().get(genre)
            tags = example or preset_of(genre).tags
        named = BPM.search(tags)
        bpm = int(named[1]) if example and named else preset_of(genre).bpm
        return ", ".join(part for part in (tags, more.strip(" ,")) if part), bpm

    def show(self, genre: str, more: str = "") -> dict[str, Any]:
        results = self.choose(genre, more)
        # Which model these go to is not known here; without another it is the small one.
        is_small = checkpoints.first_found() == small.FOLDER
        warnings = small.card().unknown(results[0]) if is_small else []
        return shown.shown(results, {"warnings": [f"{one} {OF_SMALL}" for one in warnings]})


OF_SMALL = "(The small demonstration model, which auto takes.)"


def _examples() -> dict[str, str]:
    """Entry -> tags that the small model knows."""
    return {f"{checkpoints.SMALL}: {name}": tags for name, tags in small.card().examples.items()}
