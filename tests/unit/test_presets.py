from __future__ import annotations

from dataclasses import replace

import pytest

from acestep_core.presets import PRESETS
from acestep_core.settings import COMPATS
from acestep_core.tasks.behaviours import BEHAVIOURS
from acestep_core.types import Guidance, Recipe, Sampling

# steps, text scale, lyric scale, lyric ERG; everything else is the original's everywhere.
TABLE = {
    "original": (60, 0, 0, True),
    "fast": (27, 0, 0, True),
    "web": (60, 0, 0, False),
    "fal": (27, 5, 1.5, False),
}
ORIGINAL = Guidance("apg", 15, 0.5, 0, 3, 0, 0, True, True, True)


@pytest.mark.parametrize("name", TABLE)
def test_table(name: str) -> None:
    steps, text, lyric, erg_lyric = TABLE[name]
    guidance = replace(ORIGINAL, text_scale=text, lyric_scale=lyric, erg_lyric=erg_lyric)
    assert PRESETS[name].sampling == Sampling(steps, "euler", 10)
    assert PRESETS[name].guidance == guidance
    assert PRESETS[name].about


def test_every_preset_is_in_the_table() -> None:
    assert PRESETS.keys() == TABLE.keys()


def test_the_default_recipe_is_the_original_corrected() -> None:
    recipe = Recipe("pop")
    assert (recipe.guidance, recipe.sampling) == (ORIGINAL, PRESETS["original"].sampling)
    assert recipe.compat == "corrected"


def test_each_mode_has_its_parts() -> None:
    assert tuple(BEHAVIOURS) == COMPATS
    corrected, reference = (vars(BEHAVIOURS[mode]) for mode in COMPATS)
    assert all(corrected[name] is not reference[name] for name in corrected)


def test_seeds_of_a_batch() -> None:
    assert BEHAVIOURS["corrected"].seeds(5, 3) == (5, 6, 7)
    assert BEHAVIOURS["original"].seeds(5, 3) == (5, 5, 5)
