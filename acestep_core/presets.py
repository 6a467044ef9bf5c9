"""Named defaults: presets of settings, the modes of an edit, the usual feather.

preset -> Sampling, Guidance          read by nodes, the command line and REST
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .settings import AUTO
from .types import Guidance, Sampling


@dataclass(frozen=True)
class Preset:
    sampling: Sampling
    guidance: Guidance
    about: str


_ORIGINAL = Preset(Sampling(), Guidance(), "The original project's settings, 60 steps.")

PRESETS: dict[str, Preset] = {
    "original": _ORIGINAL,
    "fast": replace(_ORIGINAL, sampling=Sampling(steps=27), about="The same in 27 steps."),
    "web": replace(
        _ORIGINAL, guidance=Guidance(erg_lyric=False), about="As on the original's web page."
    ),
    "fal": Preset(
        Sampling(steps=27),
        Guidance(text_scale=5.0, lyric_scale=1.5, erg_lyric=False),
        "As hosted services run it: 27 steps, tags and lyrics guided apart.",
    ),
}


def preset_of(name: str, recommended: Preset) -> Preset:
    """The preset of that name; auto is what the loaded model recommends."""
    return recommended if name == AUTO else PRESETS[name]
