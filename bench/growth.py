"""How time grows with length: a guided step and the decoder, against a straight line.

Real width, few blocks, random weights. Each length is timed in turn with the others; then
least squares: seconds = a + b * minutes, and what each length is off that line.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import torch

from acestep_core.config import ModelConfig, frames_of
from acestep_core.networks.memory import Resident
from acestep_core.sound.codec import Codec
from acestep_core.types import Latent
from acestep_core.weights.model import build

from .measure import filled, last_line, side_by_side
from .step import BLOCKS, TOKENS, guided_step, network_of

STEP, DECODE = (10.0, 30.0, 60.0, 120.0, 240.0), (10.0, 20.0, 40.0, 80.0)
SAID = {"step": "a guided step", "decode": "decoding"}


def main(words: list[str] | None = None) -> int:
    options = arguments(words)
    works = {"step": steps(options), "decode": decodes(options)}
    print(f"Real width, {options.blocks} of 24 blocks, S={TOKENS}; seconds = a + b * minutes")
    found = {}
    for name, lengths in works.items():
        if not lengths:
            continue
        with torch.inference_mode():
            timings = side_by_side({f"{s:g}": work for s, work in lengths.items()}, options.repeats)
        found[name] = fitted(SAID[name], {float(s): t.median for s, t in timings.items()})
    last_line("growth", blocks=options.blocks, **found)
    return 0


def arguments(words: list[str] | None) -> argparse.Namespace:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench growth", description=about)
    parser.add_argument("--step", type=float, nargs="*", default=STEP, help="seconds of music")
    parser.add_argument("--decode", type=float, nargs="*", default=DECODE, help="the same")
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--repeats", type=int, default=3)
    return parser.parse_args(words)


def steps(options: argparse.Namespace) -> dict[float, Callable[[], object]]:
    """In bfloat16."""
    if not options.step:
        return {}
    network = network_of(options.blocks, torch.bfloat16)
    return {s: guided_step(network, frames_of(s), TOKENS, torch.bfloat16) for s in options.step}


def decodes(options: argparse.Namespace) -> dict[float, Callable[[], object]]:
    """In float32."""
    if not options.decode:
        return {}
    config, cpu = ModelConfig(), torch.device("cpu")
    dcae, vocoder = (
        Resident(filled(build(part, config), torch.float32), torch.float32, cpu)
        for part in ("dcae", "vocoder")
    )
    codec = Codec(dcae, vocoder, config.vocoder)  # pyright: ignore[reportArgumentType]
    latents = {s: Latent(torch.randn(1, 8, 16, frames_of(s))) for s in options.decode}
    return {s: partial(codec.decode, latent) for s, latent in latents.items()}


def fitted(what: str, seconds: dict[float, float]) -> dict[str, object]:
    """Print the line through the points, and how far each is off it."""
    lengths = torch.tensor(list(seconds), dtype=torch.float64) / 60
    times = torch.tensor(list(seconds.values()), dtype=torch.float64)
    line = torch.stack([torch.ones_like(lengths), lengths], 1)
    # Each point counts by its share of its own time, or the longest would decide alone.
    weights = 1 / times
    answer = torch.linalg.lstsq(line * weights[:, None], times[:, None] * weights[:, None])
    start, slope = answer.solution[:, 0].tolist()
    off = ((times - line @ answer.solution[:, 0]) / times).tolist()
    print(f"  {what}: {start:.3f} s + {slope:.3f} s a minute of music", flush=True)
    points = list(zip(seconds, times.tolist(), off, strict=True))
    for length, took, share in points:
        print(f"    {length:5g} s  {took:8.3f} s  {share:+6.1%} off the line", flush=True)
    return {
        "start_s": round(start, 4),
        "s_a_minute": round(slope, 4),
        "points": [[length, round(took, 4), round(share, 4)] for length, took, share in points],
    }
