"""Tag texts for clips: words that are true of a clip, in changing choice and order.

{"genre": "jazz", "ensemble": "jazz saxophone", ...}, 103 bpm
    -> "jazz, saxophone, double bass, fast, 103 bpm, busy"
"""

from __future__ import annotations

import random

from .compose import tempo_of
from .styles import BEAT_ANGLES, BY_GENRE, STYLES

WORDS = {
    "tempo": {"slow": ("slow",), "medium tempo": ("medium tempo",), "fast": ("fast", "upbeat")},
    "density": {"sparse": ("sparse", "minimal"), "busy": ("busy", "lively")},
    "mode": {"major": ("major",), "minor": ("minor",)},
}
SAID = {"genre": 0.9, "ensemble": 0.7, "tempo": 0.8, "density": 0.7, "mode": 0.7}
AS_NUMBER = 0.5  # how often the beats per minute are named as well


def words_of(tags: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Group -> every word that is true of a clip."""
    style = BY_GENRE[tags["genre"]]
    ensemble = next(e for e in style.ensembles if e.name == tags["ensemble"])
    return {
        "genre": (style.genre, *style.words),
        "ensemble": ensemble.words,
        **{group: words[tags[group]] for group, words in WORDS.items()},
    }


def full(tags: dict[str, str], groups: tuple[str, ...]) -> str:
    """The plain text with one word of every group, the ensemble's words all."""
    words = words_of(tags)
    said = [words[g] if g == "ensemble" else words[g][:1] for g in groups]
    return ", ".join(word for part in said for word in part)


def drawn(
    tags: dict[str, str], bpm: int, groups: tuple[str, ...], draw: random.Random
) -> tuple[str, set[str]]:
    """A text, and the groups it says something about."""
    words = words_of(tags)
    said = {group for group in groups if draw.random() < SAID[group]} or {groups[0]}
    parts: list[str] = []
    for group in sorted(said):
        choice = words[group]
        count = draw.randint(1, len(choice)) if group == "ensemble" else 1
        parts += draw.sample(choice, count)
    if "tempo" in said and draw.random() < AS_NUMBER:
        parts.append(f"{bpm} bpm")
    draw.shuffle(parts)
    return ", ".join(parts), said


def anything(draw: random.Random) -> tuple[dict[str, str], int]:
    """Tags and beats per minute of a clip that need not exist."""
    style = draw.choice(STYLES)
    tempo = draw.choice(list(BEAT_ANGLES))
    tags = {
        "genre": style.genre,
        "ensemble": draw.choice(style.ensembles).name,
        "tempo": tempo,
        "density": draw.choice(("sparse", "busy")),
        "mode": draw.choice(("major", "minor")),
    }
    return tags, round(tempo_of(tempo))
