"""How far a repeated song is from the first one where something about the run differs.

the small model, 12 s, the same seed -> as it was | other threads | alone, not in a batch

Sums of floats depend on their order, and with it on threads and on the shape of a batch. The
order `one by one` makes a clip what it is alone.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch
from torch import Tensor

from acestep_core.pipeline import ACEStep
from acestep_core.types import Recipe, TextToMusic
from acestep_core.weights.small import FOLDER, GUIDANCE, LYRICS, SAMPLING, TAGS

from .measure import last_line

SEEDS = (42, 43, 44)


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    argparse.ArgumentParser(prog="bench repeat", description=about).parse_args(words)
    pipe = ACEStep.load(FOLDER)
    recipe = Recipe(TAGS, LYRICS, TextToMusic(12), GUIDANCE, SAMPLING, SEEDS)
    threads = torch.get_num_threads()
    first = made(pipe, recipe)
    rows = {"the same again": difference(first, made(pipe, recipe))}
    torch.set_num_threads(3 - threads if threads < 3 else 1)
    other = torch.get_num_threads()
    rows[f"{other} thread(s) for {threads}"] = difference(first, made(pipe, recipe))
    torch.set_num_threads(threads)
    alone = made(pipe, replace(recipe, seeds=SEEDS[:1]))
    rows["alone, not one of three"] = difference(first[:1], alone)
    turn = made(pipe, replace(recipe, in_turn=True))
    single = made(pipe, replace(recipe, seeds=SEEDS[:1], in_turn=True))
    rows["alone, not one of three, both one by one"] = difference(turn[:1], single)
    for what, (largest, rms) in rows.items():
        print(f"{what:42s} largest {largest:.1e}  rms {rms:.1e} of full scale")
    last_line("repeat", rows={what: list(values) for what, values in rows.items()})
    return 0


def made(pipe: ACEStep, recipe: Recipe) -> Tensor:
    """Clips (B, 2, N)."""
    return pipe.decode(pipe.generate(recipe).latent)


def difference(first: Tensor, second: Tensor) -> tuple[float, float]:
    """(largest, root mean square) of what differs."""
    change = (first - second).double()
    return float(change.abs().max()), float(change.square().mean().sqrt())


if __name__ == "__main__":
    raise SystemExit(main())
