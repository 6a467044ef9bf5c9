"""The words of the command line that make a Recipe.

--preset gives every setting a value, single options override it, --replay brings a whole
recipe from a parameter file
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from ..atomic import FileError, reason
from ..conditions.tags import checked_tags
from ..presets import PRESETS
from ..records.record import read_record
from ..records.replay import adapters_of, recipe_of
from ..sampling.noise import parsed_seeds
from ..settings import SettingError
from ..tasks.behaviours import BEHAVIOURS
from ..types import (
    COMPATS,
    GUIDANCE_KINDS,
    SOLVER_NAMES,
    Guidance,
    Recipe,
    Sampling,
    TextToMusic,
)
from ..weights.lora import Applied, read_adapter
from ..weights.model import Added

# option -> (field, type, help); the presets hold the defaults, so none is written here.
GUIDANCE_OPTIONS = {
    "--guidance-scale": ("scale", float, "0 - 200; 0 and 1 switch guidance off"),
    "--guidance-interval": ("interval", float, "share of the steps that is guided, 0 - 1"),
    "--guidance-interval-decay": ("decay", float, "how far the scale falls over them, 0 - 1"),
    "--minimum-guidance-scale": ("min_scale", float, "where it falls to, 0 - 200"),
    "--tag-guidance-scale": ("text_scale", float, "0 - 10; above 1 with the next: both apart"),
    "--lyric-guidance-scale": ("lyric_scale", float, "0 - 10"),
}
SAMPLING_OPTIONS = {
    "--steps": ("steps", int, "steps of the schedule, 1 - 1000"),
    "--granularity-scale": ("granularity", float, "omega, -100 - 100"),
}
ERG_OPTIONS = {
    "--erg-tag": "erg_tag",
    "--erg-lyric": "erg_lyric",
    "--erg-diffusion": "erg_diffusion",
}


def add_model_options(command: argparse.ArgumentParser) -> None:
    group = command.add_argument_group("model")
    group.add_argument(
        "--model",
        type=Path,
        nargs="+",
        help="a folder, a single file, or the component files; else the first known one is taken",
    )
    group.add_argument("--device", default="auto", help="cpu, cuda, mps ... (auto)")
    group.add_argument(
        "--dtype", default="auto", choices=("auto", "float32", "bfloat16", "float16")
    )
    group.add_argument("--offload", action="store_true", help="one network at a time on the device")
    group.add_argument(
        "--allow-download", action="store_true", help="fetch a missing model or vocabulary"
    )


def add_generate_options(command: argparse.ArgumentParser) -> None:
    add_word_options(command)
    command.add_argument("--duration", type=float, help="seconds, up to 240 (60)")
    command.add_argument("--seed", default=None, help="a number or several; -1 draws one")
    command.add_argument("--batch", type=int, default=1, help="clips at once, seeds counting up")
    command.add_argument("--output", "-o", type=Path, default=Path("song.flac"))
    command.add_argument("--rate", type=int, default=48_000, help="Hz (48000)")
    add_setting_options(command).add_argument(
        "--replay", type=Path, metavar="FILE.json", help="repeat a recorded run"
    )


def add_word_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--tags", help="style: genres, instruments, mood, tempo")
    words = command.add_mutually_exclusive_group()
    words.add_argument("--lyrics", help="sung words with [verse], [chorus] ...; [inst] = none")
    words.add_argument("--lyrics-file", type=Path, help="the same from a UTF-8 text file")
    command.add_argument("--language", default=None, help="auto, prefix, or a code such as de")


def add_setting_options(
    command: argparse.ArgumentParser,
) -> argparse._MutuallyExclusiveGroup:
    """Sampling and guidance; returns the group of --preset, which others may exclude."""
    whole = command.add_mutually_exclusive_group()
    whole.add_argument("--preset", choices=tuple(PRESETS), default=None)
    command.add_argument("--compat", choices=COMPATS, default=None)
    command.add_argument("--solver", "--scheduler", choices=SOLVER_NAMES)
    command.add_argument("--guidance-type", choices=GUIDANCE_KINDS)
    for option, (name, kind, text) in {**SAMPLING_OPTIONS, **GUIDANCE_OPTIONS}.items():
        command.add_argument(option, dest=name, type=kind, help=text)
    for option, name in ERG_OPTIONS.items():
        command.add_argument(option, dest=name, action=argparse.BooleanOptionalAction)
    command.add_argument("--chosen-steps", help="1-based steps to visit, with commas")
    command.add_argument(
        "--one-by-one", action="store_true", help="branches and clips in turn, for less memory"
    )
    command.add_argument(
        "--lora", action="append", default=[], metavar="PATH[=WEIGHT]", help='or "skip"'
    )
    command.add_argument("--lora-training-scale", action="store_true", help="apply alpha / rank")
    return whole


def recipe_from(options: argparse.Namespace) -> Recipe:
    """The recipe the words ask for; adapters, notes to print and the record that is repeated are
    put into the options."""
    options.notes, options.recorded, options.record = [], [], None
    if options.replay:
        recipe = _replayed(options)
    else:
        if options.tags is None:
            raise SettingError(
                "No tags were given. Describe the style: --tags 'pop, piano, 120 bpm'."
            )
        preset = PRESETS[options.preset or "original"]
        recipe = Recipe(
            options.tags,
            task=TextToMusic(),
            guidance=preset.guidance,
            sampling=preset.sampling,
            seeds=parsed_seeds(options.seed),
        )
    options.adapters = _adapters(options)
    return _overridden(recipe, options)


def _replayed(options: argparse.Namespace) -> Recipe:
    record = options.record = read_record(options.replay)
    options.recorded = adapters_of(record, options.replay)
    if not options.lora:
        absent = [repr(a.name) for a in options.recorded if not Path(a.name).exists()]
        if absent:
            raise FileError(
                f"{options.replay} was made with the LoRA {', '.join(absent)}, which is not there."
                " Give its place with --lora PATH, or leave it out with --lora skip."
            )
        options.lora = [added.name for added in options.recorded]
    if record.is_original:
        options.notes.append(
            "note: the original draws its noise on the graphics card; this run repeats the"
            " settings, not that very song."
        )
    return recipe_of(record, options.replay)


def _adapters(options: argparse.Namespace) -> list[Applied]:
    if options.lora == ["skip"]:
        return []
    count = len(options.lora)
    recorded = options.recorded if len(options.recorded) == count else [Added("")] * count
    pairs = zip(options.lora, recorded, strict=True)
    return [_adapter(text, before, options.lora_training_scale) for text, before in pairs]


def _adapter(text: str, before: Added, training_scale: bool) -> Applied:
    """One --lora; what it leaves out is as in the record."""
    path, sign, weight = text.rpartition("=")
    if not sign or Path(text).exists():
        path, weight = text, str(before.weight)
    try:
        strength = float(weight)
    except ValueError:
        raise SettingError(f"--lora {text}: the weight {weight!r} is not a number.") from None
    return Applied(read_adapter(path), strength, training_scale or before.training_scale)


def _overridden(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    sampling, guidance = _sampling(recipe.sampling, options), _guidance(recipe.guidance, options)
    changes: dict[str, object] = {"sampling": sampling, "guidance": guidance}
    if options.tags is not None:
        changes["tags"] = options.tags
    if (lyrics := _lyrics(options)) is not None:
        changes["lyrics"] = lyrics
    if options.duration is not None:
        changes["task"] = replace(recipe.task, seconds=options.duration)
    if options.replay and options.seed is not None:
        changes["seeds"] = parsed_seeds(options.seed)
    for name in ("compat", "language"):
        if getattr(options, name) is not None:
            changes[name] = getattr(options, name)
    recipe = replace(recipe, **changes)  # pyright: ignore[reportArgumentType]
    checked_tags(recipe.tags)
    return _batched(recipe, options.batch)


def _batched(recipe: Recipe, count: int) -> Recipe:
    if not 1 <= count <= 64:
        raise SettingError(f"--batch is {count}; it must be between 1 and 64.")
    if count == 1 or count == len(recipe.seeds):
        return recipe
    if len(recipe.seeds) != 1:
        raise SettingError(
            f"--batch is {count}, but there are {len(recipe.seeds)} seeds. Give one seed to count"
            " up from, or leave --batch out."
        )
    return replace(recipe, seeds=BEHAVIOURS[recipe.compat].seeds(recipe.seeds[0], count))


def _sampling(sampling: Sampling, options: argparse.Namespace) -> Sampling:
    changes = _given(options, [name for name, _, _ in SAMPLING_OPTIONS.values()] + ["solver"])
    if options.chosen_steps:
        try:
            changes["chosen"] = tuple(int(part) for part in options.chosen_steps.split(","))
        except ValueError:
            raise SettingError(
                f"--chosen-steps {options.chosen_steps!r} must be whole numbers with commas."
            ) from None
    return replace(sampling, **changes)  # pyright: ignore[reportArgumentType]


def _guidance(guidance: Guidance, options: argparse.Namespace) -> Guidance:
    names = [name for name, _, _ in GUIDANCE_OPTIONS.values()] + list(ERG_OPTIONS.values())
    changes = _given(options, names)
    if options.guidance_type is not None:
        changes["kind"] = options.guidance_type
    return replace(guidance, **changes)  # pyright: ignore[reportArgumentType]


def _given(options: argparse.Namespace, names: list[str]) -> dict[str, object]:
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def _lyrics(options: argparse.Namespace) -> str | None:
    if options.lyrics_file is None:
        return options.lyrics
    path = options.lyrics_file
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileError(f"The lyrics file {path} cannot be read ({reason(error)}).") from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"The lyrics file {path} is not text in UTF-8 ({error}). Save it as UTF-8."
        ) from error
    if not text.strip():
        raise FileError(
            f"The lyrics file {path} is empty. Write the words into it, or leave it out and give"
            " --lyrics '[inst]' for music without singing."
        )
    return text
