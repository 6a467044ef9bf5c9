"""What a row asks for: its columns, by the settings table, as a Request.

    {"id", "task", "tags", "lyrics", "seed", "seconds", "source", ...} -> row_of -> Row

Any option of the task's command is a column, with underscores: guidance_scale, n_min, region.
A row without a seed has one that its id gives, so that the manifest alone decides every result.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar

from ..conditions.tags import checked_tags
from ..editing.request import Options, Request, SourceNamed
from ..faces import Offered, default_of, offered_at
from ..presets import Preset, preset_of
from ..records.replay import NAMES
from ..sampling.noise import Noise, derived
from ..settings import AUTO, EDIT_MODES, SKIP, SettingError, setting
from ..tasks.region import read_regions
from ..types import (
    Edit,
    Extend,
    Follow,
    Inpaint,
    Recipe,
    Retake,
    Task,
    TextToMusic,
    compat_of,
)
from ..weights.model import Added
from .manifest import Raw

COMMANDS: dict[str, type[Task]] = {
    "generate": TextToMusic,
    "retake": Retake,
    "inpaint": Inpaint,
    "extend": Extend,
    "edit": Edit,
    "follow": Follow,
}
# A task goes by its command's name or by that in a record.
TASKS = COMMANDS | {name: kind for kind, name in NAMES.items()}
COMMAND_OF = {kind: name for name, kind in COMMANDS.items()}
SECONDS = "seconds"  # what --duration is called in a manifest, as in the table
SOURCE = "source"
LORA = "lora"  # adapters in place of the run's: PATH=WEIGHT; PATH=WEIGHT, or skip
OVERRIDES = "overrides"  # an object of further columns, or its text
# Columns that are not settings of the table.
OWN = ("id", "task", SOURCE, OVERRIDES, "region", LORA)
# Options that are a whole run's, or count what a row has one of.
NOT_COLUMNS = ("batch", "takes", "dtype", "codec_dtype", "lora_training_scale", "rate", "duration")
# A name of a file on any system, and of a member of a WebDataset, which ends at the first dot.
ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9-])?")
YES, NO = ("true", "yes", "1", "on"), ("false", "no", "0", "off")

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One song."""

    id: str
    request: Request
    source: Path | None = None  # as the manifest names it
    adapters: tuple[Added, ...] | None = None  # as well; None: those of the run

    @property
    def recipe(self) -> Recipe:
        return self.request.recipe

    @property
    def task(self) -> Task:
        return self.recipe.task

    @property
    def seed(self) -> int:
        """Of what is new."""
        return (self.recipe.retake_seeds or self.recipe.seeds)[0]


def row_of(raw: Raw, number: int, recommended: Preset) -> Row:
    """What the row says, checked; `number` counts from 1 and stands in messages."""
    try:
        return _row(raw, number, recommended)
    except SettingError as error:
        name = raw.get("id")
        named = f"Row {number} ({name})" if name else f"Row {number}"
        raise type(error)(f"{named}: {error}") from error


def id_of(raw: Raw, number: int) -> str:
    name = str(raw.get("id", f"row_{number:06}"))
    if not ID.fullmatch(name):
        raise SettingError(
            f"The id is {name!r}; it names files, so it must be letters a-z, digits, - and _,"
            " at most 100, beginning with a letter or digit and not ending with _."
        )
    return name


def _row(raw: Raw, number: int, recommended: Preset) -> Row:
    name, raw = id_of(raw, number), {**raw}
    task = str(raw.get("task", "generate"))
    if task not in TASKS:
        raise SettingError(f"The task is {task!r}; it must be one of: {', '.join(COMMANDS)}.")
    kind = TASKS[task]
    values = _values(raw | _overrides(raw.get(OVERRIDES)), COMMAND_OF[kind])
    preset = preset_of(str(values.plain.get("preset", AUTO)), recommended)
    recipe = Recipe(
        str(values.plain.get("tags", "")),
        str(values.plain.get("lyrics", "")),
        _task(kind, values, str(raw.get("region", ""))),
        changed(preset.guidance, values.of("Guidance")),
        changed(preset.sampling, values.of("Sampling")),
        **values.of("Recipe"),
    )
    recipe = _seeded(recipe, name, values.plain)
    source = _source(kind, raw, name)
    if kind is Edit:
        checked_tags(recipe.tags or str(values.plain.get("source_tags", "")))
    else:
        checked_tags(recipe.tags)
    named = _named(source, values.plain) if source else None
    request = Request(recipe, named, changed(Options(), values.of("Options")))
    return Row(name, request, source, _adapters(raw.get(LORA)))


def _adapters(given: object) -> tuple[Added, ...] | None:
    if given is None:
        return None
    if given == SKIP:
        return ()
    texts = given if isinstance(given, list | tuple) else str(given).split(";")
    return tuple(_adapter(str(text).strip()) for text in texts)


def _adapter(text: str) -> Added:
    path, sign, weight = text.rpartition("=")
    try:
        found = Added(path, float(weight)) if sign else Added(text)
    except ValueError:  # a name may have the sign in it
        found = Added(text)
    if not found.name:
        raise SettingError(f"lora is {text!r}; it must be PATH, PATH=WEIGHT or {SKIP}.")
    setting("Applied.weight").check(found.weight, f"The weight of lora {found.name}")
    return found


def _overrides(given: object) -> Raw:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise SettingError(f"overrides is {given[:60]!r}, which is not JSON.") from error
    if given is not None and not isinstance(given, Mapping):
        raise SettingError(f"overrides is {given!r}; it must be an object of columns.")
    return dict(given or {})


@dataclass(frozen=True)
class Values:
    """Checked values of a row: of dataclasses by class and field, and the others by name."""

    owned: Mapping[str, Mapping[str, Any]]
    plain: Mapping[str, Any]

    def of(self, owner: str) -> dict[str, Any]:
        return dict(self.owned.get(owner, {}))


@cache
def columns_of(command: str) -> dict[str, Offered]:
    """The settings that a row of this task can have, by column; also by their key in the table."""
    named = {
        name.removeprefix("--").replace("-", "_"): one for name, one in offered_at(command).items()
    }
    if "duration" in named:
        named[SECONDS] = named["duration"]
    named = {name: one for name, one in named.items() if name not in NOT_COLUMNS}
    return named | {one.row.key: one for one in named.values()}


def _values(raw: Raw, command: str) -> Values:
    known = columns_of(command)
    owned: dict[str, dict[str, Any]] = {}
    plain: dict[str, Any] = {}
    for name, value in raw.items():
        if name in OWN:
            continue
        if name not in known:
            told = [one for one in known if "." not in one]
            raise SettingError(
                f"{name!r} is no column of a row whose task is {command}. Known are"
                f" {', '.join((*OWN, *told))}."
            )
        one = known[name]
        found = _read(name, one, value)
        if one.row.owner:
            owned.setdefault(one.row.owner, {})[one.row.field] = found
        else:
            plain[one.row.field] = found
    return Values(owned, plain)


def _read(name: str, one: Offered, value: object) -> Any:
    """The value in the type of its setting, and within its limits."""
    if one.row.key == "Sampling.chosen":
        return _whole_numbers(name, value)
    if one.row.key == "Recipe.compat":
        return compat_of(str(value))
    if one.kind == "switch":
        return _switch(name, value)
    if one.kind in ("whole", "number"):
        found = _number(name, value, one.kind == "whole")
        one.row.check(found, f"{one.row.label} ({name})")
        return found
    if one.row.field in ("seed", "source_seed"):
        return int(_number(name, value, True))
    text = str(value)
    if one.choices and text not in one.choices:
        raise SettingError(f"{name} is {text!r}; it must be one of: {', '.join(one.choices)}.")
    return text


def _number(name: str, value: object, whole: bool) -> float | int:
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        # Through a float a seed of 64 bits would lose its last digits.
        found = int(value) if isinstance(value, str | int) and whole else float(value)
        if whole and found != int(found):
            raise ValueError
        if not math.isfinite(found):
            raise ValueError
    except (ValueError, OverflowError):
        kind = "a whole number" if whole else "a number"
        raise SettingError(f"{name} is {value!r}; it must be {kind}.") from None
    return int(found) if whole else found


def _switch(name: str, value: object) -> bool:
    text = str(value).lower()
    if text not in (*YES, *NO):
        raise SettingError(f"{name} is {value!r}; it must be true or false.")
    return text in YES


def _whole_numbers(name: str, value: object) -> tuple[int, ...]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(int(_number(name, part, True)) for part in parts)


def _task(kind: type[Task], values: Values, region: str) -> Task:
    own = values.of(kind.__name__)
    if kind in (TextToMusic, Retake):
        own |= values.of("TextToMusic")
    if kind in (Inpaint, Edit):
        feather = values.of("Region").get("feather", default_of("Region.feather"))
        own["regions"] = read_regions(region, float(feather), "region")
    elif region:
        raise SettingError(f"region is {region!r}, but {COMMAND_OF[kind]} has none. Leave it out.")
    if kind is Edit:
        start, stop = EDIT_MODES[values.plain.get("mode", default_of("mode"))]
        own = {"start": start, "stop": stop, **own}
    return kind(**own)


def _seeded(recipe: Recipe, name: str, plain: Mapping[str, Any]) -> Recipe:
    """Seeds as the commands give them: `seed` makes what is new, `source_seed` is the clip's."""
    seed = plain.get("seed", seed_from(name))
    own = plain.get("source_seed")
    if isinstance(recipe.task, TextToMusic | Follow):
        recipe = replace(recipe, seeds=(seed,))
    else:
        if own is None and isinstance(recipe.task, Retake):
            raise SettingError("Whose retake? Give source_seed, the seed of the clip it varies.")
        seeds = (derived(seed) if own is None else own,)
        recipe = replace(recipe, seeds=seeds, retake_seeds=(seed,))
    Noise(recipe.seeds, recipe.retake_seeds)  # checks their range
    return recipe


def seed_from(name: str) -> int:
    """31 bits that an id gives, as many as hosted services use."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") >> 1


def _source(kind: type[Task], raw: Raw, name: str) -> Path | None:
    given = raw.get(SOURCE)
    if kind in (TextToMusic, Retake):
        if given:
            raise SettingError(
                f"source is {given!r}, but {COMMAND_OF[kind]} works on none. Leave it out, or"
                " choose another task."
            )
        return None
    if not given:
        raise SettingError(f"{COMMAND_OF[kind]} works on a sound file. Name it under source.")
    return Path(str(given))


def _named(source: Path, plain: Mapping[str, Any]) -> SourceNamed:
    tags, lyrics = str(plain.get("source_tags", "")), str(plain.get("source_lyrics", ""))
    return SourceNamed(source.name, "", tags, lyrics)


def changed(group: T, values: Mapping[str, Any]) -> T:
    """A group of settings with some of them changed; made once for all rows that ask for it."""
    return _changed(group, tuple(sorted(values.items()))) if values else group


@lru_cache(4096)
def _changed(group: Any, values: tuple[tuple[str, Any], ...]) -> Any:
    return replace(group, **dict(values))
