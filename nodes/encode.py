"""Tag Encode and Lyric Encode: words to what the sampler is conditioned on.

To Conditioning hands both to ComfyUI's own nodes.
"""

from __future__ import annotations

from typing import Any

from ..acestep_core.lyrics.preview import Preview, heard
from ..acestep_core.pipeline import ACEStep
from ..acestep_core.settings import COMPATS, chosen_from, setting
from ..acestep_core.types import Lyrics, Tags
from . import host, shown
from .widgets import MODEL, WORDS, usual, widgets

STRENGTH: float = usual("AceSuiteToConditioning", "lyrics_strength")


class TagEncode:
    TITLE = "Tag Encode (ACE-Step)"
    DESCRIPTION = "Encodes the style of the music: genres, instruments, voices, mood, tempo."
    SEARCH_ALIASES = ("prompt", "style", "genre", "text encode")
    FUNCTION = "show"
    HAS_INTERMEDIATE_OUTPUT = True
    RETURN_TYPES = ("ACESUITE_TAGS",)
    RETURN_NAMES = ("tags",)
    OUTPUT_TOOLTIPS = ("The encoded style, for the sampler.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {**MODEL, **widgets("AceSuiteTagEncode", "tags")}}

    def encode(self, model: ACEStep, tags: str) -> tuple[Tags]:
        with host.errors_of(self.TITLE):
            host.stop_if_asked()
            return (model.tags(tags),)

    def show(self, model: ACEStep, tags: str) -> dict[str, Any]:
        results = self.encode(model, tags)
        return shown.shown(results, {"warnings": model.model.card.unknown(tags)})


class LyricEncode:
    TITLE = "Lyric Encode (ACE-Step)"
    DESCRIPTION = (
        "Turns lyrics into what the model sings. Each line is read in its own language, and"
        " written out the way the model was trained."
    )
    SEARCH_ALIASES = ("lyrics", "words", "vocals", "text encode")
    FUNCTION = "show"
    HAS_INTERMEDIATE_OUTPUT = True
    RETURN_TYPES = ("ACESUITE_LYRICS", "STRING")
    RETURN_NAMES = ("lyrics", "preview")
    OUTPUT_TOOLTIPS = (
        "The encoded lyrics, for the sampler.",
        "Every line as the model will read it, with its language.",
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": {**MODEL, **widgets("AceSuiteLyricEncode", "lyrics")},
            "optional": widgets("AceSuiteLyricEncode", "language compat"),
        }

    def encode(
        self, model: ACEStep, lyrics: str, language: str = "auto", compat: str = COMPATS[0]
    ) -> tuple[Lyrics, str]:
        return self._read(model, lyrics, language, compat)[0]

    def show(self, **inputs: Any) -> dict[str, Any]:
        results, seen = self._read(**inputs)
        return shown.shown(results, {"lyrics": shown.of_lyrics(seen)})

    def _read(
        self, model: ACEStep, lyrics: str, language: str = "auto", compat: str = COMPATS[0]
    ) -> tuple[tuple[Lyrics, str], Preview]:
        with host.errors_of(self.TITLE):
            host.stop_if_asked()
            chosen_from("compat", compat, COMPATS)
            made = model.lyrics(lyrics, language, compat)
            seen = heard(made, model.vocabulary)
        lines = [f"[{line.language}] {line.normalised}" if line.text else "" for line in made.lines]
        return (made, "\n".join([*lines, *(f"Note: {text}" for text in seen.notes)])), seen


class ToConditioning:
    TITLE = "To Conditioning (ACE-Step)"
    DESCRIPTION = (
        "Tags and lyrics for ComfyUI's own samplers, with lyrics that are read in their own"
        " languages."
    )
    SEARCH_ALIASES = ("native", "KSampler", "conditioning", "TextEncodeAceStepAudio")
    FUNCTION = "convert"
    RETURN_TYPES = ("CONDITIONING",)
    RETURN_NAMES = ("conditioning",)
    OUTPUT_TOOLTIPS = ("For the positive of KSampler; ConditioningZeroOut makes the negative.",)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {
            "required": WORDS,
            "optional": widgets("AceSuiteToConditioning", "lyrics_strength"),
        }

    def convert(
        self, tags: Tags, lyrics: Lyrics, lyrics_strength: float = STRENGTH
    ) -> tuple[list[list[Any]]]:
        with host.errors_of(self.TITLE):
            setting("lyrics_strength").check(lyrics_strength)
            # Native code knows no masks; a mask here only ever hides what fills up the end.
            states = tags.states[:, : max(int(tags.mask.sum()), 1)].float()
            ids = lyrics.ids[:, : max(int(lyrics.mask.sum()), 1)]
            details = {
                "pooled_output": None,
                "conditioning_lyrics": ids.cpu(),
                "lyrics_strength": lyrics_strength,
            }
            return ([[host.handed_on(states), details]],)
