"""The small trained checkpoint that comes with the project: music on any CPU, for demonstration.

    small_model/   four parts, tokenizer, model.json (name, demo, what sounds it), card

It knows the tags in its card and no others. Settings here are the ones its figures were
measured with.
"""

from __future__ import annotations

from pathlib import Path

from ..types import Guidance, Sampling
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
