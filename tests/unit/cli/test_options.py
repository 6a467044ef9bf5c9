"""From the words of the command line to a recipe; no model is loaded here."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from acestep_core.atomic import FileError
from acestep_core.cli import options as module
from acestep_core.cli.commands import parser
from acestep_core.cli.options import asked_of
from acestep_core.presets import PRESETS
from acestep_core.records.record import Record, write_record
from acestep_core.settings import SettingError
from acestep_core.types import Guidance, Recipe, Retake, Sampling, TextToMusic
from acestep_core.weights import small
from acestep_core.weights.checkpoint import CheckpointError

TAGS = ("--tags", "pop")


def parsed(*words: str | Path) -> argparse.Namespace:
    return parser().parse_args(["generate", *map(str, words)])


def recipe_of(*words: str | Path) -> Recipe:
    return asked_of(parsed(*words)).recipe


# --- presets and settings ----------------------------------------------------------------


def test_tags_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acestep_core.sampling.noise.drawn_seed", lambda: 77)
    assert recipe_of(*TAGS, "--preset", "original") == Recipe("pop", seeds=(77,))


@pytest.mark.usefixtures("alone")
def test_settings_that_are_not_given_are_the_models(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the small model where no other is there; what is given stays."""
    own = small.card().recommended
    recipe = recipe_of(*TAGS)
    assert (recipe.sampling, recipe.guidance) == (own.sampling, own.guidance)
    assert own.sampling != Sampling()
    given = recipe_of(*TAGS, "--steps", "60", "--guidance-scale", "15", "--guidance-type", "apg")
    assert given.sampling == replace(own.sampling, steps=60)
    assert given.guidance == replace(own.guidance, kind="apg", scale=15.0)
    monkeypatch.setenv("ACESTEP_MODEL", str(tiny_folder))  # which recommends nothing
    assert recipe_of(*TAGS).guidance == Guidance()
    assert recipe_of(*TAGS, "--model", small.FOLDER).guidance == own.guidance
    assert recipe_of(*TAGS, "--model", "gone").guidance == Guidance()  # said when it is loaded


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_gives_every_setting(name: str) -> None:
    recipe = recipe_of(*TAGS, "--preset", name)
    assert (recipe.sampling, recipe.guidance) == (PRESETS[name].sampling, PRESETS[name].guidance)


WORDS = {
    "--steps": ("9", "sampling.steps", 9),
    "--solver": ("heun", "sampling.solver", "heun"),
    "--scheduler": ("pingpong", "sampling.solver", "pingpong"),
    "--granularity-scale": ("-5.5", "sampling.granularity", -5.5),
    "--chosen-steps": ("2, 5,9", "sampling.chosen", (2, 5, 9)),
    "--guidance-type": ("cfg", "guidance.kind", "cfg"),
    "--guidance-scale": ("0", "guidance.scale", 0),
    "--guidance-interval": ("0", "guidance.interval", 0),
    "--guidance-interval-decay": ("1", "guidance.decay", 1),
    "--minimum-guidance-scale": ("0", "guidance.min_scale", 0),
    "--tag-guidance-scale": ("0", "guidance.text_scale", 0),
    "--lyric-guidance-scale": ("0", "guidance.lyric_scale", 0),
    "--no-erg-tag": (None, "guidance.erg_tag", False),
    "--erg-lyric": (None, "guidance.erg_lyric", True),
    "--no-erg-diffusion": (None, "guidance.erg_diffusion", False),
    "--duration": ("12.5", "task.seconds", 12.5),
    "--seed": ("42", "seeds", (42,)),
    "--compat": ("reference", "compat", "original"),
    "--language": ("de", "language", "de"),
    "--lyrics": ("[inst]", "lyrics", "[inst]"),
}


@pytest.mark.parametrize("word", WORDS)
def test_single_options_override_the_preset(word: str) -> None:
    """Zero and off too, which are easily taken for "not given"."""
    text, path, expected = WORDS[word]
    recipe = recipe_of(*TAGS, "--preset", "fal", word, *([text] if text else []))
    found: object = recipe
    for name in path.split("."):
        found = getattr(found, name)
    assert found == expected


def test_every_option_of_a_setting_is_tested() -> None:
    assert set(module.RUN_OPTIONS) <= {word.replace("--no-", "--") for word in WORDS}


@pytest.mark.parametrize(
    ("words", "seeds"),
    [
        (("--seed", "5", "--batch", "3"), (5, 6, 7)),
        (("--seed", "5", "--batch", "3", "--compat", "reference"), (5, 5, 5)),
        (("--seed", "5,9"), (5, 9)),
        (("--seed", "5,9", "--batch", "2"), (5, 9)),
    ],
)
def test_seeds_of_a_batch(words: tuple[str, ...], seeds: tuple[int, ...]) -> None:
    assert recipe_of(*TAGS, *words).seeds == seeds


@pytest.mark.parametrize("text", ["-1", ""])
def test_a_drawn_seed_is_drawn_once(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter([77, 78])
    monkeypatch.setattr("acestep_core.sampling.noise.drawn_seed", lambda: next(numbers))
    assert recipe_of(*TAGS, "--seed", text).seeds == (77,)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "No tags were given. Describe the style: --tags"),
        (("--tags", " "), "Tags are empty. Describe the style"),
        ((*TAGS, "--seed", "abc"), "Seed 'abc' is not a whole number"),
        ((*TAGS, "--seed", "-2"), "Seed -2 must be between 0"),
        ((*TAGS, "--batch", "0"), "--batch is 0; it must be between 1 and 64"),
        ((*TAGS, "--batch", "65"), "--batch is 65"),
        ((*TAGS, "--batch", "3", "--seed", "1,2"), "--batch is 3, but there are 2 seeds. Give one"),
        ((*TAGS, "--duration", "0"), "Duration \\(seconds\\) is 0.0; it must be between"),
        ((*TAGS, "--duration", "-5"), "Duration \\(seconds\\) is -5.0"),
        (
            (*TAGS, "--duration", "10000"),
            "Duration \\(seconds\\) is 10000.0; .* and 240. The model",
        ),
        ((*TAGS, "--duration", "nan"), "Duration \\(seconds\\) is nan"),
        ((*TAGS, "--guidance-scale", "nan"), "Guidance scale is nan; it must be between 0 and 200"),
        ((*TAGS, "--guidance-interval", "1.5"), "Guidance interval is 1.5; it must be between 0"),
        ((*TAGS, "--granularity-scale", "inf"), "Granularity scale is inf"),
        ((*TAGS, "--steps", "0"), "Steps is 0; it must be between 1 and 1000"),
        ((*TAGS, "--chosen-steps", "1,b"), "--chosen-steps '1,b' must be whole numbers with comm"),
        ((*TAGS, "--chosen-steps", "3,2"), "Chosen steps are \\(3, 2\\); they must rise"),
    ],
)
def test_wrong_words(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        recipe_of(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--preset", "best"), "invalid choice: 'best' (choose from"),
        (("--solver", "dpm"), "invalid choice: 'dpm' (choose from"),
        (("--guidance-type", "cfg++"), "invalid choice: 'cfg++'"),
        (("--compat", "exact"), "invalid choice: 'exact'"),
        (("--steps", "many"), "invalid int value: 'many'"),
        (("--preset", "fal", "--replay", "a.json"), "not allowed with argument --preset"),
        (("--lyrics", "a", "--lyrics-file", "b"), "not allowed with argument --lyrics"),
    ],
)
def test_words_the_parser_refuses(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parsed(*TAGS, *words)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


# --- lyrics in a file --------------------------------------------------------------------


def test_lyrics_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(b"\xef\xbb\xbf[verse]\r\n\xe9\x9b\xa8\n")
    assert recipe_of(*TAGS, "--lyrics-file", path).lyrics == "[verse]\n\u96e8\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "words.txt is empty. Write the words into it, or .* '\\[inst\\]' for music without"),
        (b" \n\t", "words.txt is empty"),
        (b"caf\xe9", "words.txt is not text in UTF-8 .* Save it as UTF-8"),
        (b"\xff\xfeh\x00i\x00", "words.txt is not text in UTF-8"),
    ],
)
def test_lyrics_files_that_hold_none(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_bytes(content)
    with pytest.raises(FileError, match=message):
        recipe_of(*TAGS, "--lyrics-file", path)


def test_lyrics_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none.txt cannot be read \(No such file or directory\)"):
        recipe_of(*TAGS, "--lyrics-file", tmp_path / "none.txt")
    with pytest.raises(FileError, match=r"cannot be read \("):
        recipe_of(*TAGS, "--lyrics-file", tmp_path)


# --- adapters ----------------------------------------------------------------------------


@pytest.fixture
def rap(tmp_path: Path) -> Path:
    path = tmp_path / "rap.safetensors"
    name = "transformer_blocks.0.attn.to_q"
    save_file(
        {f"{name}.lora_A.weight": torch.ones(2, 64), f"{name}.lora_B.weight": torch.ones(64, 2)},
        path,
    )
    return path


def adapters_of(*words: str | Path) -> list[tuple[str, float, bool]]:
    options = parsed(*words)
    return [(a.adapter.name, a.weight, a.training_scale) for a in asked_of(options).applied]


def test_adapters(rap: Path) -> None:
    assert adapters_of(*TAGS) == []
    assert adapters_of(*TAGS, "--lora", rap) == [("rap", 1, False)]
    two = adapters_of(*TAGS, "--lora", f"{rap}=0.5", "--lora", f"{rap}=-3", "--lora-training-scale")
    assert two == [("rap", 0.5, True), ("rap", -3, True)]


def test_an_adapter_may_have_an_equals_sign_in_its_name(rap: Path) -> None:
    path = rap.rename(rap.with_name("step=900.safetensors"))
    assert adapters_of(*TAGS, "--lora", path) == [("step=900", 1, False)]
    assert adapters_of(*TAGS, "--lora", f"{path}=2") == [("step=900", 2, False)]


def test_wrong_adapters(rap: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"--lora .*rap.safetensors=loud: the weight 'loud' is"):
        recipe_of(*TAGS, "--lora", f"{rap}=loud")
    with pytest.raises(
        SettingError, match=r"Weight of LoRA rap is 4\.0; it must be between -3 and"
    ):
        recipe_of(*TAGS, "--lora", f"{rap}=4")
    with pytest.raises(CheckpointError, match=r"none\.safetensors does not exist"):
        recipe_of(*TAGS, "--lora", tmp_path / "none.safetensors")


# --- replay ------------------------------------------------------------------------------

Recorded = Callable[..., Path]


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    """recorded(task="retake"): a parameter file with these values."""

    def write(**values: object) -> Path:
        base = {"prompt": "folk", "lyrics": "[inst]", "audio_duration": 5, "actual_seeds": (7,)}
        record = Record(**{**base, **values})  # type: ignore[arg-type]
        return write_record(tmp_path / "song.flac", record)

    return write


def test_a_recorded_run_is_repeated(recorded: Recorded) -> None:
    recipe = recipe_of("--replay", recorded(infer_step=27, guidance_scale_text=5))
    assert (recipe.tags, recipe.lyrics, recipe.seeds) == ("folk", "[inst]", (7,))
    assert (recipe.sampling.steps, recipe.guidance.text_scale) == (27, 5)
    assert recipe.task == TextToMusic(5)


def test_options_override_the_record(recorded: Recorded) -> None:
    words = ("--tags", "rock", "--seed", "8", "--steps", "9", "--duration", "6", "--compat")
    recipe = recipe_of("--replay", recorded(), *words, "corrected")
    assert (recipe.tags, recipe.seeds, recipe.sampling.steps) == ("rock", (8,), 9)
    assert (recipe.task, recipe.compat) == (TextToMusic(6), "corrected")


def test_another_duration_of_a_retake_is_still_a_retake(recorded: Recorded) -> None:
    path = recorded(task="retake", retake_variance=0.3, retake_seeds=(9,))
    recipe = recipe_of("--replay", path, "--duration", "6")
    assert (recipe.task, recipe.retake_seeds) == (Retake(6, 0.3), (9,))


def test_an_originals_song_cannot_be_promised(recorded: Recorded) -> None:
    options = parsed("--replay", recorded())
    assert "not that very song" in "".join(asked_of(options).notes)
    options = parsed("--replay", recorded(ace_core={"version": "0.1.0"}))
    assert asked_of(options).notes == ()


LORA = {"lora_name_or_path": "ACE-Step/rap", "lora_weight": 0.8}
OWN = [{"name": "rap", "weight": 0.5}, {"name": "choir", "weight": 1, "training_scale": False}]


@pytest.mark.parametrize(
    ("values", "names"),
    [(LORA, "'ACE-Step/rap'"), ({"ace_core": {"adapters": OWN}}, "'rap', 'choir'")],
)
def test_a_missing_adapter_is_named(
    values: dict[str, object], names: str, recorded: Recorded
) -> None:
    path = recorded(**values)
    message = rf"song_input_params.json was made with the LoRA {names}, which is not there\. Give"
    with pytest.raises(FileError, match=message):
        recipe_of("--replay", path)
    assert adapters_of("--replay", path, "--lora", "skip") == []


def test_the_place_of_an_adapter_is_given_and_its_weight_recorded(
    recorded: Recorded, rap: Path
) -> None:
    path = recorded(**LORA)
    assert adapters_of("--replay", path, "--lora", rap) == [("rap", 0.8, False)]
    assert adapters_of("--replay", path, "--lora", f"{rap}=2") == [("rap", 2, False)]
    own = [{"name": str(rap), "weight": -0.5, "training_scale": True}]
    path = recorded(ace_core={"adapters": own})
    assert adapters_of("--replay", path) == [("rap", -0.5, True)]


def test_files_that_are_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"seed": 1}), encoding="utf-8")
    with pytest.raises(FileError, match=r"a\.json is not a parameter file: it has no 'prompt'"):
        recipe_of("--replay", path)
    with pytest.raises(FileError, match=r"none\.json cannot be read"):
        recipe_of("--replay", tmp_path / "none.json")
    values = asdict(Record(prompt="p", lyrics="", audio_duration=5))
    path.write_text(json.dumps({**values, "infer_step": "many"}), encoding="utf-8")
    with pytest.raises(FileError, match=r"a\.json: 'infer_step' is .many.; it must be a whole num"):
        recipe_of("--replay", path)
