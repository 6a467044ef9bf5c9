"""Do seeds make different clips, and retakes differ more the more variance they are given?

one text, four seeds -> mean distance of pairs; the first seed, retaken -> distance to it
"""

from __future__ import annotations

import statistics
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from acestep_core.pipeline import ACEStep
from acestep_core.types import Retake

from .clips import SECONDS, mean_error, mel, recipe, takes, wanted

PROMPTS, SEEDS = 6, 4
FIRST = 2000
VARIANCES = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0)


def measured(pipe: ACEStep, place: Path) -> dict[str, Any]:
    rows = [spread(pipe, FIRST + 10 * index) for index in range(PROMPTS)]
    retakes = {
        f"{variance:g}": round(statistics.mean(row[1][variance] for row in rows), 3)
        for variance in VARIANCES
    }
    return {
        "prompts": PROMPTS,
        "seeds": SEEDS,
        "pairs": round(statistics.mean(row[0] for row in rows), 3),
        "retakes": retakes,
    }


def spread(
    pipe: ACEStep, seed: int, variances: tuple[float, ...] = VARIANCES, seeds: int = SEEDS
) -> tuple[float, dict[float, float]]:
    """Mean log-mel distance of pairs of seeds, and of retakes to the clip, by variance."""
    one = wanted(seed)
    several = replace(recipe(one), seeds=tuple(range(seed, seed + seeds)))
    mels = [mel(pipe, item) for item in takes(pipe, several)]
    pairs = statistics.mean(mean_error(a, b) for a, b in combinations(mels, 2))
    again = replace(recipe(one), retake_seeds=(seed + 5,))
    changed = {}
    for variance in variances:
        (item,) = takes(pipe, replace(again, task=Retake(SECONDS, variance)))
        changed[variance] = mean_error(mel(pipe, item), mels[0])
    return pairs, changed
