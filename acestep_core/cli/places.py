"""Which model a command takes: the one that was named, the first known one, or the small one.

The small demonstration model comes with the project, so that nothing has to be fetched to hear
something; whoever gets it without asking is told.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..presets import Preset
from ..weights import small
from ..weights.card import Card
from ..weights.checkpoint import CheckpointError, recognise
from ..weights.download import download, found, found_or_explained

IS_SMALL = (
    "note: no released checkpoint was found, so this is the small demonstration model. For music"
    " worth keeping: python -m acestep_core download"
)


def places_of(options: argparse.Namespace) -> list[Path]:
    """The model's files."""
    if options.model:
        return options.model
    if place := found():
        return [place]
    if options.allow_download:
        return [download()]
    return [small.FOLDER] if small.is_here() else [found_or_explained()]


def notes_of(options: argparse.Namespace, places: list[Path]) -> list[str]:
    """What is to be said of a model that nobody named."""
    if options.model or places != [small.FOLDER]:
        return []
    return [IS_SMALL, *(f"  {line}" for line in small.card().about())]


def recommended(options: argparse.Namespace) -> Preset:
    """How the model wants to be asked; what is wrong with its files is said when it is loaded."""
    will_be_fetched = not options.model and options.allow_download and not found()
    try:
        card = Card() if will_be_fetched else recognise(*places_of(options)).card
    except CheckpointError:
        card = Card()
    return card.recommended
