"""What rows that are made together save: eight in one batch, and one by one.

the small model, to files | the released width with random weights, sampling alone
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import torch

from acestep_core.batch.generator import Generator, Work
from acestep_core.batch.places import Places
from acestep_core.batch.plan import columns_of
from acestep_core.config import ModelConfig, TransformerConfig
from acestep_core.networks.memory import Resident
from acestep_core.pipeline import make_each
from acestep_core.types import Guidance, Lyrics, Recipe, Sampling, Tags, TextToMusic
from acestep_core.weights import small
from acestep_core.weights.model import Model, build

from .batch import STYLES
from .measure import filled, last_line, side_by_side

TOGETHER = 8


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench batch-together", description=about)
    parser.add_argument("--blocks", type=int, default=1, help="of the real width")
    options = parser.parse_args(words)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        figures = together(Path(folder), options.blocks)
    last_line("batch-together", **figures)
    return 0


def together(folder: Path, blocks: int) -> dict[str, Any]:
    print(f"{TOGETHER} rows together, and one by one, one thread:")
    generator = Generator(small.FOLDER, work=Work(Places(str(folder / "eight"))))
    rows = [
        {"id": f"r{i}", "tags": STYLES[i % 4], "seed": i, "seconds": 5, "steps": 4}
        for i in range(TOGETHER)
    ]
    small_model = _ratio(
        "small model, 5 s, 4 steps, to files",
        lambda: generator(columns_of(rows)),
        lambda: [generator(columns_of([row])) for row in rows],
    )
    model, words = real_width(blocks)
    recipe = Recipe(
        "", "", TextToMusic(5.0), Guidance(interval=1.0), Sampling(2), tuple(range(TOGETHER))
    )
    alone = [
        Recipe("", "", recipe.task, recipe.guidance, recipe.sampling, (i,)) for i in range(TOGETHER)
    ]
    wide = _ratio(
        f"real width, {blocks} of 24 blocks, 5 s, 2 guided steps, sampling alone",
        lambda: make_each(model, words, recipe),
        lambda: [make_each(model, words[i : i + 1], one) for i, one in enumerate(alone)],
    )
    return {"small": small_model, "wide": wide}


def _ratio(name: str, both: Any, single: Any) -> dict[str, float]:
    found = side_by_side({"together": both, "alone": single}, 3)
    first, second = found["together"].median, found["alone"].median
    print(f"  {name}: {first:.2f} s, {second:.2f} s, {second / first:.2f} x", flush=True)
    return {"together_s": round(first, 3), "alone_s": round(second, 3)}


def real_width(blocks: int) -> tuple[Model, list[tuple[Tags, Lyrics]]]:
    """A transformer of the released width with random weights, and words of eight lengths."""
    config = ModelConfig(TransformerConfig(num_layers=blocks))
    module = filled(build("transformer", config), torch.float32)
    part = Resident(module, torch.float32, torch.device("cpu"))
    words = []
    for i in range(TOGETHER):
        states, ids = torch.randn(1, 10 + i, 768), torch.randint(1, 6000, (1, 100 + 10 * i))
        tags = Tags(states, torch.ones(1, 10 + i), states)
        words.append((tags, Lyrics(ids, torch.ones_like(ids))))
    return cast(Model, SimpleNamespace(transformer=part, config=config)), words
