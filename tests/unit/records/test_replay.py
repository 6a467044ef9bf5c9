"""Requests and parameter files: what one says, the other asks for again."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acestep_core.atomic import FileError
from acestep_core.editing.request import Options, Request, SourceNamed
from acestep_core.pipeline import ACEStep, resolved
from acestep_core.records import replay
from acestep_core.records.record import Json, Record, read_record, write_record
from acestep_core.records.replay import (
    WITH_SOURCE,
    Run,
    adapters_of,
    item_of,
    of_item,
    record_of,
    request_of,
    task_of,
)
from acestep_core.sampling.noise import LARGEST_SEED
from acestep_core.settings import Setting, SettingError
from acestep_core.types import (
    Follow,
    Guidance,
    Lyrics,
    Recipe,
    Retake,
    Sampling,
    TextToMusic,
)
from acestep_core.weights.model import Added, Model
from tests.unit.request_kit import SOURCE_SECONDS, requests

# No value is a default, so that a field that is lost cannot hide.
RECIPE = Recipe(
    "folk, \u96e8",
    "[verse]\n[inst]",
    TextToMusic(0.5),
    Guidance("cfg", 7.5, 0.7, 0.25, 2.0, 5.0, 1.5, False, False, False),
    Sampling(9, "heun", 5.0, (2, 5, 9)),
    seeds=(42, LARGEST_SEED),
    compat="original",
    language="de",
    in_turn=True,
)


@pytest.fixture
def model(pipe: ACEStep) -> Model:
    return pipe.model


def run_of(model: Model, path: Path) -> Run:
    lyrics = Lyrics(torch.tensor([[0]]), torch.tensor([[0]]))
    times = {"preprocess": 0.12345, "diffusion": 2.0, "latent2audio": 1.0}
    return Run(model, path, 44_100, 0.4644, SOURCE_SECONDS, lyrics, times, ("a fallback",))


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(requests(), st.data())
def test_every_request_comes_back_from_its_file(
    pipe: ACEStep, tmp_path: Path, request_: Request, data: st.DataObject
) -> None:
    """Of each task, alone and as a clip of a batch; and requests are plain values."""
    path = tmp_path / "song.flac"
    record = record_of(request_, run_of(pipe.model, path))
    item = data.draw(st.integers(0, len(request_.recipe.seeds) - 1))
    again = read_record(write_record(path, of_item(record, item)))
    assert request_of(again) == request_of(record) == request_
    assert hash(request_of(again)) == hash(request_)
    assert again.actual_seeds == request_.recipe.seeds[item : item + 1]
    assert item_of(again) == (item if len(request_.recipe.seeds) > 1 else None)
    assert (task_of(again) in WITH_SOURCE) == (request_.source is not None)


def test_no_field_of_the_recipe_is_a_default() -> None:
    for field in dataclasses.fields(Recipe):
        value = getattr(RECIPE, field.name)
        assert field.name in ("task", "retake_seeds") or value != field.default, field.name


@pytest.mark.parametrize("name", ["erg_tag", "erg_lyric", "erg_diffusion"])
def test_switches_are_not_exchanged(name: str, model: Model) -> None:
    recipe = replace(RECIPE, guidance=replace(RECIPE.guidance, **{name: True}))
    record = record_of(Request(recipe), run_of(model, Path("a.wav")))
    assert [record.use_erg_tag, record.use_erg_lyric, record.use_erg_diffusion].count(True) == 1
    assert request_of(record).recipe.guidance == recipe.guidance
    assert getattr(record, f"use_{name}")


def test_a_setting_the_original_has_no_name_for_is_kept(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row without the record's name: what a setting of tomorrow may be."""
    known = replay.rows_of

    def without_names(owner: str) -> tuple[Setting, ...]:
        fields = ("decay", "erg_lyric", "kind", "granularity")
        return tuple(
            replace(row, record="") if row.field in fields else row for row in known(owner)
        )

    monkeypatch.setattr(replay, "rows_of", without_names)
    made = record_of(Request(RECIPE), run_of(model, Path("a.wav")))
    assert made.guidance_interval_decay == Record.guidance_interval_decay
    assert made.ace_core["Guidance.decay"] == RECIPE.guidance.decay
    assert request_of(made).recipe == RECIPE
    wrong = {"Guidance.decay": ("0.5", "a number"), "Guidance.erg_lyric": (1, "true or false")}
    for key, (value, told) in wrong.items():
        own = {**made.ace_core, key: value}
        with pytest.raises(FileError, match=f"{key} is .*; it must be {told}"):
            request_of(replace(made, ace_core=own))


def test_what_a_record_says(model: Model, tmp_path: Path) -> None:
    run = run_of(model, tmp_path / "deep" / "song.flac")
    record = of_item(record_of(Request(RECIPE), run), 1)
    assert (record.format, record.task, record.audio_path) == ("flac", "text2music", "song.flac")
    assert record.timecosts == {"preprocess": 0.123, "diffusion": 2.0, "latent2audio": 1.0}
    assert (record.lora_name_or_path, record.lora_weight) == ("none", 1)
    assert record.actual_seeds == (LARGEST_SEED,)
    own = record.ace_core
    assert own["compat"] == "original"
    assert (own["dtype"], own["device"], own["rng"]) == ("float32", "cpu", "cpu")
    assert (own["threads"], own["torch"]) == (torch.get_num_threads(), torch.__version__)
    assert (own["rate"], own["seconds_made"]) == (44_100, 0.464)
    assert own["batch"] == {"seeds": [42, LARGEST_SEED], "retake_seeds": [], "item": 1}
    assert (own["demonstration_model"], own["warnings"]) == (True, ["a fallback"])
    assert not record.is_original


def test_adapters_are_recorded_all(model: Model, tmp_path: Path) -> None:
    added = (Added("rap", 0.5), Added("choir", -1.25, training_scale=True))
    request = Request(RECIPE, adapters=added)
    path = write_record(tmp_path / "a.wav", record_of(request, run_of(model, Path("a.wav"))))
    record = read_record(path)
    assert (record.lora, record.lora_weight) == ("rap", 0.5)
    assert adapters_of(record) == list(added)


def record(**values: object) -> Record:
    return Record(prompt="pop", lyrics="", audio_duration=5, actual_seeds=(7,), **values)  # type: ignore[arg-type]


def test_an_originals_adapter() -> None:
    assert adapters_of(record()) == []
    original = record(lora_name_or_path="ACE-Step/rap", lora_weight=0.8)
    assert adapters_of(original) == [Added("ACE-Step/rap", 0.8)]


@pytest.mark.parametrize("entries", [["rap:0.5"], [{"nom": "rap"}], 7, [{"weight": 1}]])
def test_adapters_that_are_none(entries: Json) -> None:
    broken = record(ace_core={"adapters": entries})
    with pytest.raises(FileError, match="adapters are not a list of name"):
        adapters_of(broken)


@pytest.mark.parametrize("name", ["original", "reference"])
def test_modes_and_the_name_that_one_of_them_had(name: str) -> None:
    assert request_of(record()).recipe.compat == "original"
    assert request_of(record(ace_core={"compat": name})).recipe.compat == "original"
    assert request_of(record(ace_core={"version": "0.1.0"})).recipe.compat == "corrected"


def test_an_originals_edit_names_both_texts() -> None:
    edit = request_of(record(task="edit", edit_target_prompt="jazz", edit_target_lyrics="la"))
    assert (edit.recipe.tags, edit.recipe.lyrics) == ("jazz", "la")
    assert edit.source == SourceNamed(tags="pop")


def test_a_retake_without_a_seed_of_its_own_gets_another() -> None:
    recipe = request_of(record(task="retake")).recipe
    assert recipe == resolved(replace(recipe, retake_seeds=()))
    assert recipe.retake_seeds[0] != recipe.seeds[0]


def test_options_of_a_source_are_kept(model: Model) -> None:
    request = Request(
        Recipe("pop", task=Follow()), SourceNamed("a.wav"), Options(False, 0.2, False)
    )
    assert request_of(record_of(request, run_of(model, Path("b.flac")))) == request


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
        ({"task": "karaoke"}, "the task 'karaoke'; known are"),
        ({"ace_core": {"compat": "exact"}}, "Compatibility is 'exact'"),
        ({"ace_core": {"batch": {"seeds": [True]}}}, "batch seeds are .*whole numbers"),
        ({"ace_core": {"batch": {"seeds": 7}}}, "batch seeds are 7"),
    ],
)
def test_files_that_ask_for_the_impossible(values: dict[str, object], message: str) -> None:
    with pytest.raises((FileError, SettingError), match=message):
        request_of(replace(record(), **values))


def test_retakes_name_both_seeds(model: Model) -> None:
    recipe = replace(RECIPE, task=Retake(0.5, 0.3), seeds=(1, 2), retake_seeds=(8, 9))
    whole = record_of(Request(recipe), run_of(model, Path("b.wav")))
    assert (of_item(whole, 1).actual_seeds, of_item(whole, 1).retake_seeds) == ((2,), (9,))
