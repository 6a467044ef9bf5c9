"""Recipes and parameter files: what one says, the other repeats."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from acestep_core.atomic import FileError
from acestep_core.pipeline import ACEStep, Made
from acestep_core.records.record import Json, Record, read_record, write_record
from acestep_core.records.replay import Output, adapters_of, recipe_of, record_of
from acestep_core.sampling.noise import LARGEST_SEED
from acestep_core.settings import SettingError
from acestep_core.types import Guidance, Latent, Lyrics, Recipe, Retake, Sampling, TextToMusic
from acestep_core.weights.model import Added, Model

SOURCE = Path("song_input_params.json")
# No value is a default, so that a field that is lost cannot hide.
RECIPE = Recipe(
    "folk, \u96e8",
    "[verse]\n[inst]",
    TextToMusic(0.5),
    Guidance("cfg", 7.5, 0.7, 0.25, 2.0, 5.0, 1.5, False, False, False),
    Sampling(9, "heun", 5.0, (2, 5, 9)),
    seeds=(42, LARGEST_SEED),
    compat="reference",
    language="de",
)


@pytest.fixture
def model(pipe: ACEStep) -> Model:
    return pipe.model


def made_of(recipe: Recipe) -> Made:
    lyrics = Lyrics(torch.tensor([[0]]), torch.tensor([[0]]))
    latent = Latent(torch.zeros(2, 8, 16, 5))
    times = {"preprocess": 0.12345, "diffusion": 2.0, "latent2audio": 1.0}
    return Made(latent, recipe, lyrics, times, ("a fallback",))


def test_every_field_of_a_recipe_comes_back(model: Model, tmp_path: Path) -> None:
    for index, seed in enumerate(RECIPE.seeds):
        output = Output(tmp_path / f"song_{index}.mp3", index)
        record = record_of(made_of(RECIPE), model, output)
        again = recipe_of(read_record(write_record(output.path, record)), SOURCE)
        assert again == replace(RECIPE, seeds=(seed,))
    for field in dataclasses.fields(Recipe):
        value = getattr(RECIPE, field.name)
        assert field.name in ("task", "retake_seeds") or value != field.default, field.name


@pytest.mark.parametrize("name", ["erg_tag", "erg_lyric", "erg_diffusion"])
def test_switches_are_not_exchanged(name: str, model: Model) -> None:
    recipe = replace(RECIPE, guidance=replace(RECIPE.guidance, **{name: True}))
    record = record_of(made_of(recipe), model, Output(SOURCE))
    assert [record.use_erg_tag, record.use_erg_lyric, record.use_erg_diffusion].count(True) == 1
    assert recipe_of(record, SOURCE).guidance == recipe.guidance
    assert getattr(record, f"use_{name}")


def test_a_retake_comes_back(model: Model, tmp_path: Path) -> None:
    recipe = replace(RECIPE, task=Retake(0.5, 0.3), seeds=(1, 2), retake_seeds=(8, 9))
    record = record_of(made_of(recipe), model, Output(tmp_path / "b.wav", 1))
    again = recipe_of(read_record(write_record(tmp_path / "b.wav", record)), SOURCE)
    assert again == replace(recipe, seeds=(2,), retake_seeds=(9,))


def test_what_a_record_says(model: Model, tmp_path: Path) -> None:
    record = record_of(made_of(RECIPE), model, Output(tmp_path / "deep" / "song.flac", 1, 44_100))
    assert (record.format, record.task, record.audio_path) == ("flac", "text2music", "song.flac")
    assert record.timecosts == {"preprocess": 0.123, "diffusion": 2.0, "latent2audio": 1.0}
    assert (record.lora_name_or_path, record.lora_weight) == ("none", 1)
    own = record.ace_core
    assert own["compat"] == "reference"
    assert (own["dtype"], own["device"], own["rng"]) == ("float32", "cpu", "cpu")
    assert (own["rate"], own["seconds_made"]) == (44_100, 0.464)
    assert (own["demonstration_model"], own["warnings"]) == (True, ["a fallback"])
    assert not record.is_original


def test_adapters_are_recorded_all(model: Model, tmp_path: Path) -> None:
    added = (Added("rap", 0.5), Added("choir", -1.25, training_scale=True))
    adapted = replace(model, adapters=added)
    path = write_record(tmp_path / "a.wav", record_of(made_of(RECIPE), adapted, Output(SOURCE)))
    record = read_record(path)
    assert (record.lora, record.lora_weight) == ("rap", 0.5)
    assert adapters_of(record, path) == list(added)


def record(**values: object) -> Record:
    return Record(prompt="pop", lyrics="", audio_duration=5, actual_seeds=(7,), **values)  # type: ignore[arg-type]


def test_an_originals_adapter() -> None:
    assert adapters_of(record(), SOURCE) == []
    original = record(lora_name_or_path="ACE-Step/rap", lora_weight=0.8)
    assert adapters_of(original, SOURCE) == [Added("ACE-Step/rap", 0.8)]


@pytest.mark.parametrize("entries", [["rap:0.5"], [{"nom": "rap"}], 7, [{"weight": 1}]])
def test_adapters_that_are_none(entries: Json) -> None:
    broken = record(ace_core={"adapters": entries})
    with pytest.raises(
        FileError, match=r"song_input_params.json: 'adapters' is not a list of name"
    ):
        adapters_of(broken, SOURCE)


def test_an_original_is_repeated_in_reference_mode() -> None:
    assert recipe_of(record(), SOURCE).compat == "reference"
    assert recipe_of(record(ace_core={"version": "0.1.0"}), SOURCE).compat == "corrected"


@pytest.mark.parametrize("task", ["edit", "repaint", "extend", "audio2audio", "karaoke"])
def test_tasks_with_a_source_cannot_be_repeated_from_the_file_alone(task: str) -> None:
    with pytest.raises(FileError, match=rf"records the task '{task}'; only text2music and retake"):
        recipe_of(record(task=task), SOURCE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"infer_step": 0}, "Steps is 0; it must be between 1 and 1000"),
        ({"cfg_type": "cfg++"}, r"Guidance type is 'cfg\+\+'; it must be one of: apg"),
        ({"scheduler_type": "ddim"}, "Solver is 'ddim'"),
        ({"guidance_scale": 500}, "Guidance scale is 500"),
        ({"actual_seeds": ()}, "names no seed"),
        ({"actual_seeds": (-3,)}, "Seed -3 must be between 0 and"),
        ({"audio_duration": -1}, r"Duration \(seconds\) is -1"),
        ({"audio_duration": 600}, r"Duration \(seconds\) is 600; it must be between .* and 240"),
        ({"ace_core": {"compat": "exact"}}, "Compatibility is 'exact'"),
    ],
)
def test_files_that_ask_for_the_impossible(values: dict[str, object], message: str) -> None:
    with pytest.raises((FileError, SettingError), match=message):
        recipe_of(replace(record(), **values), SOURCE)
