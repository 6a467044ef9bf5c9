"""The words of the command line that make a Recipe.

--preset gives every setting a value, single options override it, --replay brings a whole
recipe from a parameter file
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..atomic import FileError, reason
from ..conditions.tags import checked_tags
from ..editing.request import Request
from ..faces import Offered, offered_at
from ..presets import preset_of
from ..records.record import Record, of_another_sound, read_record
from ..records.replay import item_of, request_of
from ..sampling.noise import parsed_seeds
from ..settings import AUTO, SettingError, in_digits, setting
from ..tasks.behaviours import BEHAVIOURS
from ..types import (
    Follow,
    Guidance,
    Recipe,
    Sampling,
    Task,
    TextToMusic,
    compat_of,
)
from ..weights.lora import Applied, read_named
from ..weights.model import Added
from .places import recommended

# Of every command that makes music, by its setting's class.
RUN_OPTIONS = tuple(
    name
    for name, one in offered_at("generate").items()
    if one.row.owner in ("Sampling", "Guidance")
)
ALIASES = {"--solver": ("--scheduler",)}

Parser = argparse._ActionsContainer


def add_options(parser: Parser, command: str, *names: str, **others: Any) -> None:
    """Options of the table; `others` go to argparse as they are."""
    known = offered_at(command)
    for name in names:
        one = known[name]
        kind: dict[str, Any] = {"type": {"whole": int, "number": float}.get(one.kind, str)}
        if one.kind == "switch":
            kind = {"action": argparse.BooleanOptionalAction}
        elif one.kind == "choice":
            kind = {"choices": one.choices}
        kind |= {"default": one.default, "help": _help(one), **others}
        parser.add_argument(name, *ALIASES.get(name, ()), **kind)


def _help(one: Offered) -> str:
    """What it is, then what may be given and what is taken otherwise."""
    told = []
    if one.kind in ("number", "whole") and one.low is not None and one.high is not None:
        told.append(f"{in_digits(one.low)} - {in_digits(one.high)}")
    if isinstance(one.default, bool):
        told.append("on" if one.default else "off")
    elif one.default not in (None, ""):
        told.append(f"usually {one.default}")
    text = f"{one.about} ({'; '.join(told)})" if told else one.about
    return text.replace("%", "%%")


def given(options: argparse.Namespace, command: str, owner: str) -> dict[str, Any]:
    """What was given of a dataclass's settings, by its fields."""
    values = {
        one.row.field: getattr(options, name.removeprefix("--").replace("-", "_"))
        for name, one in offered_at(command).items()
        if one.row.owner == owner
    }
    return {name: value for name, value in values.items() if value is not None}


def add_model_options(command: argparse.ArgumentParser, name: str) -> None:
    group = command.add_argument_group("model")
    group.add_argument(
        "--model",
        type=Path,
        nargs="+",
        help="a folder, a single file, or the component files; else the first known one is taken",
    )
    group.add_argument("--device", default="auto", help="cpu, cuda, mps ... (auto)")
    add_options(group, name, "--dtype", "--codec-dtype")
    group.add_argument("--offload", action="store_true", help="one network at a time on the device")
    group.add_argument(
        "--allow-download", action="store_true", help="fetch a missing model or vocabulary"
    )


def add_generate_options(command: argparse.ArgumentParser) -> None:
    add_word_options(command, "generate")
    add_options(command, "generate", "--duration", "--seed", "--batch", "--rate")
    command.add_argument("--output", "-o", type=Path, default=Path("song.flac"))
    add_setting_options(command, "generate").add_argument(
        "--replay", type=Path, metavar="FILE.json", help="repeat a recorded run"
    )
    command.add_argument("--source", type=Path, help="the clip that a repeated run worked on")
    command.add_argument("--latent", type=Path, help="the source's latents, where it used them")


def add_word_options(command: argparse.ArgumentParser, name: str) -> None:
    add_options(command, name, "--tags")
    add_options(command, name, "--language", metavar="CODE")
    words = command.add_mutually_exclusive_group()
    add_options(words, name, "--lyrics")
    words.add_argument("--lyrics-file", type=Path, help="the same from a UTF-8 text file")


def add_setting_options(
    command: argparse.ArgumentParser, name: str
) -> argparse._MutuallyExclusiveGroup:
    """Sampling and guidance; returns the group of --preset, which others may exclude."""
    whole = command.add_mutually_exclusive_group()
    add_options(whole, name, "--preset")
    add_options(command, name, "--compat", type=compat_of)
    add_options(command, name, *RUN_OPTIONS, "--one-by-one")
    add_adapter_options(command, name, 'or "skip"')
    return whole


def add_adapter_options(command: argparse.ArgumentParser, name: str, about: str) -> None:
    add_options(command, name, "--lora-training-scale")
    command.add_argument("--lora", action="append", default=[], metavar="PATH[=WEIGHT]", help=about)


@dataclass(frozen=True)
class Asked:
    """What the words of a command ask for."""

    request: Request
    applied: tuple[Applied, ...] = ()  # the request's adapters, read
    record: Record | None = None  # that is repeated
    item: int | None = None  # which clip of a repeated batch; None = all
    notes: tuple[str, ...] = ()

    @property
    def recipe(self) -> Recipe:
        return self.request.recipe

    @property
    def clips(self) -> int:
        """How many are written."""
        return len(self.recipe.seeds) if self.item is None else 1

    def doing(self, task: Task, seeds: tuple[int, ...] | None = None) -> Asked:
        """The same for another task, perhaps with other seeds for the clip that is changed."""
        recipe = replace(self.recipe, task=task)
        if seeds is not None:
            recipe = replace(recipe, seeds=seeds, retake_seeds=self.recipe.seeds)
        return replace(self, request=replace(self.request, recipe=recipe))


def asked_of(options: argparse.Namespace, usual_tags: str | None = None) -> Asked:
    """What is asked for; a record that is repeated gives what the words leave out."""
    tags = usual_tags if options.tags is None else options.tags
    if getattr(options, "replay", None):
        asked = _replayed(options)
    elif tags is None:
        raise SettingError("No tags were given. Describe the style: --tags 'pop, piano, 120 bpm'.")
    else:
        preset = preset_of(options.preset or AUTO, recommended(options))
        seeds = parsed_seeds(options.seed)
        recipe = Recipe(tags, "", TextToMusic(), preset.guidance, preset.sampling, seeds)
        asked = Asked(Request(recipe))
    request = replace(asked.request, recipe=_overridden(asked.recipe, options))
    asked = replace(asked, applied=tuple(_adapters(options, asked.request.adapters)))
    if len(request.recipe.seeds) != len(asked.recipe.seeds):
        asked = replace(asked, item=None)
    return replace(asked, request=request)


def _replayed(options: argparse.Namespace) -> Asked:
    record, notes = read_record(options.replay), []
    try:
        request = request_of(record)
    except FileError as error:
        raise FileError(f"{options.replay}: {error}") from error
    if doubt := of_another_sound(record, options.replay):
        notes.append(f"note: {doubt}")
    if record.is_original:
        notes.append(
            "note: the original draws its noise on the graphics card; this run repeats the"
            " settings, not that very song."
        )
    return Asked(request, (), record, item_of(record), tuple(notes))


def _adapters(options: argparse.Namespace, recorded: tuple[Added, ...]) -> list[Applied]:
    if options.lora == ["skip"]:
        return []
    named = options.lora
    if not named:
        if absent := [repr(one.name) for one in recorded if not Path(one.name).exists()]:
            raise FileError(
                f"{options.replay} was made with the LoRA {', '.join(absent)}, which is not there."
                " Give its place with --lora PATH, or leave it out with --lora skip."
            )
        named = [one.name for one in recorded]
    before = recorded if len(recorded) == len(named) else (Added(""),) * len(named)
    pairs = zip(named, before, strict=True)
    scaled = options.lora_training_scale
    return [read_named(adapter_named(text, scaled, one)) for text, one in pairs]


def adapter_named(text: str, training_scale: bool, before: Added | None = None) -> Added:
    """One --lora: its place, and how it counts; what it leaves out is as in the record."""
    before = before or Added("")
    path, sign, weight = text.rpartition("=")
    if not sign or Path(text).exists():
        path, weight = text, str(before.weight)
    try:
        strength = float(weight)
    except ValueError:
        raise SettingError(f"--lora {text}: the weight {weight!r} is not a number.") from None
    return Added(path, strength, training_scale or before.training_scale)


def _overridden(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    sampling, guidance = _sampling(recipe.sampling, options), _guidance(recipe.guidance, options)
    changes: dict[str, object] = {"sampling": sampling, "guidance": guidance}
    if options.tags is not None:
        changes["tags"] = options.tags
    if (lyrics := _lyrics(options)) is not None:
        changes["lyrics"] = lyrics
    if getattr(options, "duration", None) is not None:
        changes["task"] = replace(recipe.task, seconds=options.duration)
    changes |= given(options, "generate", "Recipe")
    recipe = replace(recipe, **changes)  # pyright: ignore[reportArgumentType]
    checked_tags(recipe.tags)
    return _batched(_reseeded(recipe, options), options.batch)


def _reseeded(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """Other seeds for a recipe that is repeated: of what is new, where it has both kinds."""
    if not getattr(options, "replay", None) or options.seed is None:
        return recipe
    new = parsed_seeds(options.seed)
    if isinstance(recipe.task, TextToMusic | Follow):
        return replace(recipe, seeds=new)
    return replace(recipe, seeds=recipe.seeds[:1] * len(new), retake_seeds=new)


def _batched(recipe: Recipe, count: int) -> Recipe:
    setting("batch_size").check(count, "--batch")
    if count == 1 or count == len(recipe.seeds):
        return recipe
    if len(recipe.seeds) != 1:
        raise SettingError(
            f"--batch is {count}, but there are {len(recipe.seeds)} seeds. Give one seed to count"
            " up from, or leave --batch out."
        )
    return replace(recipe, seeds=BEHAVIOURS[recipe.compat].seeds(recipe.seeds[0], count))


def _sampling(sampling: Sampling, options: argparse.Namespace) -> Sampling:
    changes = given(options, "generate", "Sampling")
    if text := changes.pop("chosen", ""):
        try:
            changes["chosen"] = tuple(int(part) for part in text.split(","))
        except ValueError:
            raise SettingError(
                f"--chosen-steps {text!r} must be whole numbers with commas."
            ) from None
    return replace(sampling, **changes)


def _guidance(guidance: Guidance, options: argparse.Namespace) -> Guidance:
    return replace(guidance, **given(options, "generate", "Guidance"))


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileError(f"The lyrics file {path} cannot be read ({reason(error)}).") from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"The lyrics file {path} is not text in UTF-8 ({error}). Save it as UTF-8."
        ) from error


def _lyrics(options: argparse.Namespace) -> str | None:
    if options.lyrics_file is None:
        return options.lyrics
    path = options.lyrics_file
    text = text_of(path)
    if not text.strip():
        raise FileError(
            f"The lyrics file {path} is empty. Write the words into it, or leave it out and give"
            " --lyrics '[inst]' for music without singing."
        )
    return text
