"""Time and peak memory of decoding: in tiles, and whole.

Real width, random weights, float32. Peak = highest anonymous memory above what the weights
already take, sampled every 10 ms.
"""

from __future__ import annotations

import argparse
import time

import torch

from acestep_core.config import ModelConfig, frames_of
from acestep_core.networks.memory import Resident
from acestep_core.sound.codec import Codec
from acestep_core.sound.tiles import WHOLE, Tiles
from acestep_core.types import Latent
from acestep_core.weights.model import build

from .measure import Memory, filled, last_line

FLOP_PER_FRAME = 9.003e9 + 2 * 10.78e9  # decoder, and the vocoder for two channels


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench decode", description=about)
    parser.add_argument("--tiled", type=float, nargs="*", default=[60, 240], help="seconds")
    parser.add_argument("--whole", type=float, nargs="*", default=[60], help="seconds")
    parser.add_argument("--dtype", default="float32", choices=("bfloat16", "float32"))
    parser.add_argument("--tile", type=int, default=Tiles().frames, help="latent frames")
    options = parser.parse_args(words)
    dtype = getattr(torch, options.dtype)

    config, cpu = ModelConfig(), torch.device("cpu")
    dcae, vocoder = (
        Resident(filled(build(part, config), dtype), dtype, cpu) for part in ("dcae", "vocoder")
    )
    codec = Codec(dcae, vocoder, config.vocoder)  # pyright: ignore[reportArgumentType]
    tile = Tiles(options.tile).on(cpu)
    print(f"Real width, {options.dtype}, tiles of {tile.frames} latent frames")
    rows = [("tiled", s, tile) for s in options.tiled]
    rows += [("whole", s, WHOLE) for s in options.whole]
    figures = []
    for name, seconds, tiles in rows:
        latent = Latent(torch.randn(1, 8, 16, frames_of(seconds)))
        theory = latent.frames * FLOP_PER_FRAME / 1e12
        with torch.inference_mode(), Memory() as memory:
            began = time.perf_counter()
            wave = codec.decode(latent, tiles)
            took = time.perf_counter() - began
        assert bool(torch.isfinite(wave).all())
        megabytes = memory.rise / 2**20
        print(
            f"  {name:5} {seconds:5g} s  {took:8.1f} s  peak +{megabytes:6.0f} MiB"
            f"  ({theory:.1f} TFLOP, {theory / took * 1000:.0f} GFLOP/s)",
            flush=True,
        )
        figures.append(
            {"how": name, "seconds": seconds, "s": round(took, 1), "peak_MiB": round(megabytes)}
        )
        del wave, latent
    last_line("decode", dtype=options.dtype, tile=tile.frames, rows=figures)
    return 0
