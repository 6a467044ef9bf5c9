"""The command line's editing: retake, vary, inpaint, extend, edit, follow.

    words -> task, source -> done -> sound file, parameter file, report for each take

--seed makes what is new; --source-seed is the seed of the clip that is changed, where the
project made it. Takes count up from the seed, and each is what it would be alone.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from ..config import OUTPUT_RATE
from ..editing.request import Options, SourceNamed
from ..sampling.noise import derived, parsed_seeds
from ..settings import EDIT_MODES, SettingError
from ..tasks.behaviours import BEHAVIOURS
from ..tasks.region import read_regions
from ..types import Edit, Extend, Follow, Inpaint, Region, Retake, Task, TextToMusic
from .options import (
    Asked,
    add_model_options,
    add_options,
    add_setting_options,
    add_word_options,
    asked_of,
)


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name in ("retake", "vary"):
        command = commands.add_parser(name, help="variations of a clip, from its seed")
        command.add_argument("--replay", type=Path, metavar="FILE.json", help="the clip's record")
        add_options(command, name, "--duration", "--variance")
        _add_common(command, name)
        command.set_defaults(run=vary)

    command = _with_source(commands, "inpaint", "make parts of a song new")
    _add_regions(command, "inpaint", required=True)
    add_options(command, "inpaint", "--variance")
    command.set_defaults(run=inpaint)

    command = _with_source(commands, "extend", "add music before and after a song")
    add_options(command, "extend", "--before", "--after", "--context")
    command.set_defaults(run=extend)

    command = _with_source(commands, "edit", "another style, or other words, for a song")
    add_options(command, "edit", "--source-tags", required=True)
    add_options(command, "edit", "--source-lyrics", "--mode")
    add_options(command, "edit", "--n-min", "--n-max", "--n-avg", "--extended")
    _add_regions(command, "edit", required=False)
    command.set_defaults(run=edit)

    command = _with_source(commands, "follow", "a new clip along the lines of another")
    add_options(command, "follow", "--strength")
    command.set_defaults(run=follow)


def _with_source(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text)
    command.add_argument("audio", type=Path, help="the source")
    command.add_argument("--latent", type=Path, help="its latents, to spare encoding it again")
    add_options(command, name, "--splice", "--crossfade", "--level")
    _add_common(command, name)
    return command


def _add_common(command: argparse.ArgumentParser, name: str) -> None:
    add_word_options(command, name)
    add_setting_options(command, name)
    add_options(command, name, "--seed", "--source-seed")
    add_options(command, name, "--takes", dest="batch")
    command.add_argument("--output", "-o", type=Path, default=Path(f"{name}.flac"))
    command.set_defaults(rate=OUTPUT_RATE)
    add_model_options(command, name)


def _add_regions(command: argparse.ArgumentParser, name: str, required: bool) -> None:
    command.add_argument(
        "--region",
        action="append",
        default=[],
        required=required,
        metavar="START:END",
        help="seconds, repeatable; -5 is 5 s before the end, an empty END the end (10.5:-5)",
    )
    add_options(command, name, "--feather")


def regions_of(options: argparse.Namespace) -> tuple[Region, ...]:
    return read_regions("; ".join(options.region), options.feather, "--region")


def source_seeds(asked: Asked, options: argparse.Namespace) -> tuple[int, ...]:
    """Seeds of the clip that is changed: given, or derived from those of what is new."""
    new = asked.recipe.seeds
    if options.source_seed is None:
        return tuple(derived(seed) for seed in new)
    given = parsed_seeds(options.source_seed)
    return (given * len(new))[: len(new)]


def vary(options: argparse.Namespace) -> int:
    """Retakes: the clip's own seed is the source's, --seed is that of what is new."""
    from .takes import done

    if options.replay is None and options.source_seed is None:
        raise SettingError("Whose variation? Give --replay FILE.json, or --source-seed NUMBER.")
    recorded, own = _recorded(options) if options.replay else (TextToMusic(), ())
    if not isinstance(recorded, TextToMusic | Retake):
        raise SettingError("Only a clip made from tags and lyrics alone can be varied.")
    seconds = recorded.seconds if options.duration is None else options.duration
    task, asked = Retake(seconds, options.variance), asked_of(options)
    if not options.replay:
        return done(asked.doing(task, source_seeds(asked, options)), options)
    own = own if options.source_seed is None else parsed_seeds(options.source_seed)
    new = parsed_seeds(options.seed)
    if len(new) != options.batch:
        new = BEHAVIOURS[asked.recipe.compat].seeds(new[0], options.batch)
    recipe = replace(asked.recipe, task=task, seeds=own[:1] * len(new), retake_seeds=new)
    request = replace(asked.request, recipe=recipe)
    return done(replace(asked, request=request, record=None, item=None), options)


def _recorded(options: argparse.Namespace) -> tuple[Task, tuple[int, ...]]:
    """The task of the clip that is varied, and its own seed."""
    from ..records.record import read_record
    from ..records.replay import item_of, request_of

    record = read_record(options.replay)
    recipe, item = request_of(record).recipe, item_of(record) or 0
    return recipe.task, recipe.seeds[item : item + 1]


def inpaint(options: argparse.Namespace) -> int:
    return _change(options, Inpaint(regions_of(options), options.variance))


def extend(options: argparse.Namespace) -> int:
    return _change(options, Extend(options.before, options.after, options.context))


def edit(options: argparse.Namespace) -> int:
    start, stop = EDIT_MODES[options.mode]
    task = Edit(
        start if options.n_min is None else options.n_min,
        stop if options.n_max is None else options.n_max,
        options.n_avg,
        options.extended,
        regions_of(options),
    )
    named = SourceNamed(tags=options.source_tags, lyrics=options.source_lyrics)
    return _change(options, task, named)


def follow(options: argparse.Namespace) -> int:
    return _change(options, Follow(options.strength))


def _change(options: argparse.Namespace, task: Task, named: SourceNamed | None = None) -> int:
    from .takes import done

    asked = asked_of(options, named.tags if named else None)
    seeds = None if isinstance(task, Follow) else source_seeds(asked, options)
    asked = asked.doing(task, seeds)
    putting = Options(options.splice, options.crossfade, options.level)
    request = replace(asked.request, source=named or SourceNamed(), options=putting)
    return done(replace(asked, request=request), options, options.audio)
