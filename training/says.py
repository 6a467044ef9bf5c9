"""What the small model says of itself in model.json: the words it was taught, and how to ask it."""

from __future__ import annotations

from acestep_core.config import seconds_of
from acestep_core.presets import Preset
from acestep_core.weights import small
from acestep_core.weights.card import ABOUT, Card

from . import prompts
from .compose import tempo_of
from .data import LONG
from .places import Places
from .probe import usable
from .styles import BEAT_ANGLES, STYLES

TEMPO = "medium tempo"  # of the examples


def card(places: Places) -> Card:
    """The card of the whole model: groups of words that clips do not bear out are left out."""
    groups = {
        "genre": {style.genre: (style.genre, *style.words) for style in STYLES},
        "ensemble": {e.name: e.words for style in STYLES for e in style.ensembles},
        **prompts.WORDS,
    }
    assert TEMPO in BEAT_ANGLES
    return Card(
        Preset(small.SAMPLING, small.GUIDANCE, ABOUT),
        {group: groups[group] for group in usable(places)},
        {e.name: _example(style.genre, e.name) for style in STYLES for e in style.ensembles},
        sings=False,
        longest=float(round(seconds_of(LONG))),
    )


def _example(genre: str, ensemble: str) -> str:
    tags = {"genre": genre, "ensemble": ensemble, "tempo": TEMPO}
    words = prompts.words_of({**tags, "density": "sparse", "mode": "major"})
    said = [genre, *words["ensemble"], TEMPO, f"{round(tempo_of(TEMPO))} bpm"]
    return ", ".join(said)
