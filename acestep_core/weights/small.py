"""The small trained checkpoint that comes with the project: music on any CPU, for demonstration.

    small_model/   four parts, tokenizer, model.json (name, demo, what sounds it), card

It knows the tags in its card and no others. Settings here are the ones its figures were
measured with; its model.json recommends them.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from ..types import Guidance, Sampling
from .card import Card
from .checkpoint import CheckpointError, recognise
from .download import is_complete

FOLDER = Path(__file__).resolve().parents[2] / "small_model"
TAGS = "lofi, electric piano, medium tempo, 77 bpm"
LYRICS = "[inst]"
SAMPLING = Sampling(steps=20, granularity=0.0)
GUIDANCE = Guidance(
    kind="cfg", scale=3.0, interval=1.0, erg_tag=False, erg_lyric=False, erg_diffusion=False
)


def is_here() -> bool:
    return is_complete(FOLDER)


def card() -> Card:
    """What it says of itself; nothing where it is not."""
    return _card(FOLDER)


@lru_cache(1)
def _card(folder: Path) -> Card:
    """Read once: lists of nodes ask often. What is wrong with it is said when it is loaded."""
    try:
        return recognise(folder).card if is_complete(folder) else Card()
    except CheckpointError:
        return Card()
