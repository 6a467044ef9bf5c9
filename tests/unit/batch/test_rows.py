from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acestep_core.batch.rows import COMMANDS, Row, columns_of, row_of, seed_from
from acestep_core.editing.request import Options, SourceNamed
from acestep_core.presets import PRESETS
from acestep_core.records.replay import NAMES
from acestep_core.sampling.noise import derived
from acestep_core.settings import LARGEST_SEED, SettingError
from acestep_core.types import Edit, Extend, Follow, Inpaint, Region, Retake, TextToMusic
from acestep_core.weights.model import Added

FAST = PRESETS["fast"]


def row(**raw: Any) -> Row:
    return row_of({"id": "a", "tags": "pop", **raw}, 1, FAST)


def test_a_row_takes_what_it_leaves_out_from_the_model() -> None:
    found = row(lyrics="la", seconds="12.5", steps=9, guidance_scale="3")
    assert found.task == TextToMusic(12.5)
    assert found.recipe.sampling == replace(FAST.sampling, steps=9)
    assert found.recipe.guidance == replace(FAST.guidance, scale=3.0)
    assert found.recipe.lyrics == "la"
    assert row(preset="fal").recipe.guidance == PRESETS["fal"].guidance


@pytest.mark.parametrize(
    ("raw", "task"),
    [
        ({"task": "retake", "source_seed": 3, "seconds": 2, "variance": 0.7}, Retake(2, 0.7)),
        (
            {"task": "inpaint", "source": "a.wav", "region": "1:-2", "feather": 0},
            Inpaint((Region(1, 2, end_from="end"),)),
        ),
        ({"task": "extend", "source": "a.wav", "before": 1, "after": "2"}, Extend(1, 2)),
        ({"task": "edit", "source": "a.wav", "mode": "lyrics"}, Edit(0.6, 1.0)),
        (
            {"task": "edit", "source": "a.wav", "n_min": 0.1, "extended": "yes"},
            Edit(0.1, 0.4, 1, True),
        ),
        ({"task": "follow", "source": "a.wav", "strength": 0.25}, Follow(0.25)),
    ],
)
def test_every_task(raw: dict[str, Any], task: object) -> None:
    assert row(**raw).task == task


def test_a_task_goes_by_its_name_in_a_record_as_well() -> None:
    for command, kind in COMMANDS.items():
        more = {"source_seed": 1} if kind is Retake else {}
        if kind not in (TextToMusic, Retake):
            more = {"source": "a.wav", **({"region": "0:1"} if kind is Inpaint else {})}
        assert row(task=NAMES[kind], **more) == row(task=command, **more)


def test_a_source_and_how_the_result_is_put_into_it() -> None:
    found = row(task="edit", source="in/a.wav", source_tags="jazz", splice="false", crossfade=1)
    assert found.source == Path("in/a.wav")
    assert found.request.source == SourceNamed("a.wav", "", "jazz")
    assert found.request.options == Options(splice=False, crossfade=1.0)


def test_seeds_are_the_commands_own() -> None:
    assert row(seed=str(LARGEST_SEED)).recipe.seeds == (LARGEST_SEED,)
    made = row(task="extend", source="a.wav", seed=5).recipe
    assert (made.seeds, made.retake_seeds) == ((derived(5),), (5,))
    varied = row(task="retake", source_seed=3, seed=5)
    assert (varied.recipe.seeds, varied.seed) == ((3,), 5)


def test_a_seed_that_is_not_given_comes_from_the_id() -> None:
    assert row().seed == seed_from("a") == row_of({"id": "a", "tags": "x"}, 7, FAST).seed
    assert row_of({"id": "b", "tags": "pop"}, 1, FAST).seed != row().seed


def test_overrides_and_keys_of_the_table() -> None:
    wanted = row(steps=3, erg_tag=False).recipe
    assert row(overrides={"steps": 3, "erg_tag": False}).recipe == wanted
    assert row(overrides='{"steps": 3, "erg_tag": "no"}').recipe == wanted
    assert row(**{"Sampling.steps": 3, "Guidance.erg_tag": "false"}).recipe == wanted


@pytest.mark.parametrize(
    ("given", "adapters"),
    [
        (None, None),
        ("skip", ()),
        ("rap.safetensors", (Added("rap.safetensors"),)),
        ("a/rap.safetensors=-0.5", (Added("a/rap.safetensors", -0.5),)),
        ("step=9.safetensors", (Added("step=9.safetensors"),)),
        ("x=2; y", (Added("x", 2.0), Added("y"))),
        (["x=2", "y"], (Added("x", 2.0), Added("y"))),
    ],
)
def test_adapters_of_a_row(given: object, adapters: object) -> None:
    assert row(lora=given).adapters == adapters


def test_every_setting_of_the_commands_is_a_column() -> None:
    for command in COMMANDS:
        assert {"steps", "guidance_scale", "compat", "language"} <= set(columns_of(command))
    assert row(chosen_steps="1, 3").recipe.sampling.chosen == (1, 3)
    assert row(compat="reference").recipe.compat == "original"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"id": "../a"}, r"Row 1 \(\.\./a\): The id is"),
        ({"id": "a_"}, "The id is"),  # its record would be that of `a`
        ({"task": "cover"}, "task is 'cover'; it must be one of: generate, retake"),
        ({"tags": " "}, "Tags are empty"),
        ({"guidence": 3}, "'guidence' is no column .* Known are id, task"),
        ({"takes": 3}, "'takes' is no column"),
        ({"steps": 0}, r"\(steps\) is 0; it must be between 1"),
        ({"steps": 2.5}, "steps is 2.5; it must be a whole number"),
        ({"steps": True}, "steps is True"),
        ({"seconds": "long"}, "seconds is 'long'; it must be a number"),
        ({"seconds": "inf"}, "seconds is 'inf'"),
        ({"erg_tag": "maybe"}, "erg_tag is 'maybe'; it must be true or false"),
        ({"solver": "rk4"}, "it must be one of: euler"),
        ({"language": "xx"}, "language is 'xx'"),
        ({"seed": -1}, "Seed -1 must be"),
        ({"overrides": "{"}, "not JSON"),
        ({"overrides": [1]}, "must be an object"),
        ({"source": "a.wav"}, "generate works on none"),
        ({"lora": "=1"}, "lora is '=1'; it must be PATH, PATH=WEIGHT or skip"),
        ({"lora": "rap=4"}, r"The weight of lora rap is 4(\.0)?; it must be between -3 and 3"),
        ({"region": "1:2"}, "generate has none"),
        ({"task": "inpaint", "region": "1:2"}, "works on a sound file"),
        ({"task": "inpaint", "source": "a.wav"}, "No region was given"),
        ({"task": "retake"}, "Give source_seed"),
        ({"task": "edit", "source": "a.wav", "n_min": 0.9}, "cannot be before the start"),
    ],
)
def test_a_row_that_cannot_be(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        row(**raw)
