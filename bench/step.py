"""Cost of one guided step: keys and values reused or not, branches batched or not.

Real width (2560), 4 of the 24 blocks, T = 645 (60 s), S = 600. The same numbers come out
each way (a unit test holds them together); only the time differs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch

from acestep_core.conditions.branches import predicting, stacked
from acestep_core.config import ModelConfig, TransformerConfig
from acestep_core.networks.transformer import Transformer
from acestep_core.sampling.schedule import Step
from acestep_core.weights.model import build

from .measure import filled, last_line, side_by_side

BLOCKS, FRAMES, TOKENS = 4, 645, 600


def flops(blocks: int, frames: int, tokens: int, reuse: bool) -> float:
    """Of one forward at the real width; model.md's cost model, scaled to the blocks."""
    whole = 4.28e9 * frames + (0 if reuse else 6.29e8 * tokens) + 2.46e5 * frames * tokens
    return whole * blocks / 24


def main(words: list[str] | None = None) -> int:
    options = arguments(words)
    dtype = getattr(torch, options.dtype)
    print(
        f"Real width, {options.blocks} of 24 blocks, T={options.frames}, S={options.tokens},"
        f" {options.dtype}, two branches (guided step)"
    )
    for reuse in (False, True):
        work = 2 * flops(options.blocks, options.frames, options.tokens, reuse)
        print(f"  theory, k/v {'reused' if reuse else 'made anew'}: {work / 1e12:.3f} TFLOP")
    with torch.inference_mode():
        timings = side_by_side(variants(options, dtype), options.repeats)
    base = timings["k/v anew, in turn"].median
    for name, timing in timings.items():
        print(
            f"  {name:22} {timing.median:7.3f} s  {base / timing.median:5.2f}x"
            f"  (spread {timing.spread:.0%})"
        )
    seconds = {name: round(timing.median, 4) for name, timing in timings.items()}
    sizes = {"blocks": options.blocks, "T": options.frames, "S": options.tokens}
    last_line("step", **sizes, dtype=options.dtype, seconds=seconds)
    return 0


def arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench step", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--tokens", type=int, default=TOKENS)
    parser.add_argument("--dtype", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--repeats", type=int, default=5)
    return parser.parse_args(words)


def variants(options: argparse.Namespace, dtype: torch.dtype) -> dict[str, Callable[[], object]]:
    """One guided step in each of the four ways."""
    network = network_of(options.blocks, dtype)
    ways: dict[str, Callable[[], object]] = {}
    for reuse in (False, True):
        for order, together in (("in turn", False), ("batched", True)):
            name = f"k/v {'reused' if reuse else 'anew'}, {order}"
            sizes = options.frames, options.tokens
            ways[name] = guided_step(network, *sizes, dtype, reuse, together)
    return ways


def network_of(blocks: int, dtype: torch.dtype) -> Transformer:
    network = filled(build("transformer", ModelConfig(TransformerConfig(num_layers=blocks))), dtype)
    assert isinstance(network, Transformer)
    return network


def guided_step(
    network: Transformer,
    frames: int,
    tokens: int,
    dtype: torch.dtype,
    reuse: bool = True,
    together: bool = True,
) -> Callable[[], object]:
    """Two branches of `tokens` asked about so many frames."""
    context = torch.randn(1, tokens, network.config.inner_dim).to(dtype)
    mask = torch.ones(1, tokens)
    with torch.inference_mode():
        prepared = stacked(network, [(context, mask), (0.5 * context, mask)], [1.0, 0.01], 1)
    if not reuse:
        prepared = replace(prepared, stacked=replace(prepared.stacked, keys_values=()))
    predict = predicting(network, prepared, dtype, together)
    x, step = torch.randn(1, 8, 16, frames), Step(0, 60, 0.7, 0.6)
    return partial(predict, x, step, 2)
