"""The sound of a decoder in 16 bits against float32: how far the difference lies below it.

Songs of the small model, a latent each, sounded by its vocoder in each dtype. The figure is the
signal-to-noise ratio of the wave, in dB: sum of squares / sum of squared differences.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace

import torch

from acestep_core.config import VOCODER
from acestep_core.pipeline import ACEStep
from acestep_core.weights.small import FOLDER

from .gpu.card import Card
from .gpu.decoding import codec_in
from .measure import last_line
from .small_model.clips import latent, wanted

DTYPES = ("float16", "bfloat16")


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench precision", description=about)
    parser.add_argument("--songs", type=int, default=6)
    options = parser.parse_args(words)
    card, pipe = Card.found(), ACEStep.load(FOLDER)
    latents = [latent(pipe, wanted(seed)) for seed in range(options.songs)]
    model = replace(pipe.model, sound=VOCODER)
    rows = {}
    print(f"{options.songs} songs of the small model, sounded by its vocoder on {card.name}")
    with torch.inference_mode():
        exact = codec_in(model, torch.float32, card)
        waves = [exact.decode(one) for one in latents]
        for name in DTYPES:
            codec = codec_in(model, getattr(torch, name), card)
            found = [
                decibels(wave, codec.decode(one)) for wave, one in zip(waves, latents, strict=True)
            ]
            rows[name] = [round(one, 1) for one in found]
            print(f"  {name:9} {min(found):5.1f} to {max(found):5.1f} dB below the sound")
    last_line("precision", on=card.name, dB=rows)
    return 0


def decibels(wave: torch.Tensor, other: torch.Tensor) -> float:
    noise = float((wave - other).square().sum())
    return 10 * math.log10(float(wave.square().sum()) / max(noise, 1e-30))
