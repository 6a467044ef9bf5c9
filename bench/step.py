"""Cost of one guided step: keys and values reused or not, branches batched or not.

Real width (2560), 4 of the 24 blocks, T = 645 (60 s), S = 600. The same numbers come out
each way (a unit test holds them together); only the time differs.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch

from acestep_core.config import ModelConfig, TransformerConfig
from acestep_core.context import Branches, predicting, stacked
from acestep_core.model import build
from acestep_core.schedule import Step
from acestep_core.transformer import Transformer

from .measure import filled, last_line, timed

BLOCKS, FRAMES, TOKENS = 4, 645, 600


def flops(blocks: int, frames: int, tokens: int, reuse: bool) -> float:
    """Of one forward at the real width; model.md's cost model, scaled to the blocks."""
    per_frame, per_token, per_pair = (
        4.28e9 / 24 * blocks,
        6.29e8 / 24 * blocks,
        2.46e5 / 24 * blocks,
    )
    return per_frame * frames + (0 if reuse else per_token * tokens) + per_pair * frames * tokens


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench step", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--tokens", type=int, default=TOKENS)
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args(words)
    dtype = getattr(torch, options.dtype)

    config = ModelConfig(TransformerConfig(num_layers=options.blocks))
    network = filled(build("transformer", config), dtype)
    assert isinstance(network, Transformer)
    print(
        f"Real width, {options.blocks} of 24 blocks, T={options.frames}, S={options.tokens},"
        f" {options.dtype}, two branches (guided step)"
    )
    for reuse in (False, True):
        work = 2 * flops(options.blocks, options.frames, options.tokens, reuse)
        print(f"  theory, k/v {'reused' if reuse else 'made anew'}: {work / 1e12:.3f} TFLOP")
    figures = {}
    with torch.inference_mode():
        context = torch.randn(1, options.tokens, config.transformer.inner_dim).to(dtype)
        mask = torch.ones(1, options.tokens)
        prepared = stacked(network, [(context, mask), (0.5 * context, mask)], [1.0, 0.01], 1)
        x, step = torch.randn(1, 8, 16, options.frames), Step(0, 60, 0.7, 0.6)
        for reuse in (False, True):
            for together in (False, True):
                branches = prepared if reuse else _without(prepared)
                predict = predicting(network, branches, dtype, together)
                timing = timed(lambda p=predict: p(x, step, 2), options.repeats)
                name = f"{'reused' if reuse else 'anew'}, {'batched' if together else 'in turn'}"
                figures[name] = round(timing.median, 4)
                print(f"  k/v {name:18} {timing.median:7.3f} s  (spread {timing.spread:.0%})")
    base = figures["anew, in turn"]
    for name, seconds in figures.items():
        print(f"  {name:18} {base / seconds:.2f}x")
    last_line(
        "step",
        blocks=options.blocks,
        T=options.frames,
        S=options.tokens,
        dtype=options.dtype,
        s=figures,
    )
    return 0


def _without(prepared: Branches) -> Branches:
    return replace(prepared, stacked=replace(prepared.stacked, keys_values=()))
