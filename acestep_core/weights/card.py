"""What a model says of itself in its model.json: how it wants to be asked, and in which words.

    {"sings": false, "longest": 30, "recommended": {...}, "words": {...}, "examples": {...}} -> Card

The released model says nothing: it knows any words, sings, and takes the original's settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..config import MAX_SECONDS
from ..lyrics.sections import is_sung
from ..lyrics.structure import pieces_of
from ..presets import PRESETS, Preset
from ..types import Guidance, Sampling

BPM = re.compile(r"(\d{2,3})\s*bpm", re.IGNORECASE)
GENRE, TEMPO = "genre", "tempo"  # groups of words that are told by name
FAR = 2  # times the longest clip that was learnt from: what lies beyond is said

Words = Mapping[str, Mapping[str, tuple[str, ...]]]  # group -> class -> words for it


@dataclass(frozen=True)
class Card:
    recommended: Preset = PRESETS["original"]
    words: Words = field(default_factory=dict)  # without any it knows all there are
    examples: Mapping[str, str] = field(default_factory=dict)  # name -> tags to begin with
    sings: bool = True
    longest: float = MAX_SECONDS  # seconds of the clips that it learnt from

    @property
    def known(self) -> list[str]:
        """Every word, group by group."""
        return [w for group in self.words.values() for words in group.values() for w in words]

    def about(self) -> list[str]:
        """What to know before asking it, in lines."""
        if not self.words:
            return []
        styles = ", ".join(self.words.get(GENRE, ()))
        kinds = f"{len(self.words.get(GENRE, ()))} styles: {styles}"
        lines = [f"Sings, {kinds}." if self.sings else f"Instrumental, {kinds}."]
        for group, classes in self.words.items():
            known = dict.fromkeys(word for words in classes.values() for word in words)
            lines.append(f"Words for {group}: {', '.join(known)}.")
        return lines

    def cautions(self, tags: str, lyrics: str, seconds: float | None) -> list[str]:
        """Why this model may not do what is asked."""
        found = self.unknown(tags)
        if not self.sings and any(is_sung(piece) for piece in pieces_of(lyrics)):
            found.append("This model is instrumental: the lyrics are not sung.")
        if seconds is not None and seconds > FAR * self.longest:
            found.append(
                f"This model learnt from clips of at most {self.longest:g} s;"
                f" {seconds:g} s may lose the thread."
            )
        return found

    def unknown(self, tags: str) -> list[str]:
        """Which tags the model does not know, in a sentence; nothing where it knows all."""
        if not self.words or not tags.strip():
            return []
        parts = [part.strip() for part in BPM.sub("", tags).split(",") if part.strip()]
        strange = [part for part in parts if not self._knows(part)]
        if not strange:
            return []
        styles = ", ".join(self.words.get(GENRE, ()))
        if len(strange) == len(parts):
            return [f"This model knows none of these tags: {', '.join(strange)}. Try {styles}."]
        return [f"This model does not know the tags {', '.join(strange)}."]

    def _knows(self, part: str) -> bool:
        """Whether a word it knows is in the text."""
        return any(re.search(rf"(?<!\w){re.escape(w)}(?!\w)", part, re.I) for w in self.known)

    def as_data(self) -> dict[str, Any]:
        """For JSON, as `card_from` reads it."""
        recommended = {name: asdict(getattr(self.recommended, name)) for name in PARTS}
        return {**asdict(self), "recommended": recommended}


PARTS = {"sampling": Sampling, "guidance": Guidance}
ABOUT = "As the model recommends."


def card_from(said: Mapping[str, Any]) -> Card:
    """The card in what a model says; ValueError or TypeError where that cannot be."""
    asked, own = said.get("recommended", {}), PRESETS["original"]
    parts: dict[str, Any] = {
        name: kind(**_tupled(asked[name])) if name in asked else getattr(own, name)
        for name, kind in PARTS.items()
    }
    words = {
        group: {name: tuple(map(str, some)) for name, some in classes.items()}
        for group, classes in said.get("words", {}).items()
    }
    return Card(
        Preset(**parts, about=ABOUT) if asked else own,
        words,
        {str(name): str(tags) for name, tags in said.get("examples", {}).items()},
        bool(said.get("sings", True)),
        float(said.get("longest", MAX_SECONDS)),
    )


def _tupled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}
