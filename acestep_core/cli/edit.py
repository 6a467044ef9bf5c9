"""The command line's editing: retake, vary, inpaint, extend, edit, follow.

    words -> recipe, clip -> editing.* -> sound file, parameter file, report for each take

--seed makes what is new; --source-seed is the seed of the clip that is changed, where the
project made it. Takes count up from the seed, and each is what it would be alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import MAX_SECONDS
from ..presets import EDIT_MODES, FEATHER
from ..sampling.noise import derived, parsed_seeds
from ..settings import SettingError
from ..types import ENDS, Recipe, Region, Retake, TextToMusic
from .options import add_model_options, add_setting_options, add_word_options, recipe_from

if TYPE_CHECKING:
    from torch import Tensor

    from ..editing.edits import Edited, Options, SourceClip
    from ..pipeline import ACEStep
    from ..sampling.loop import See
    from ..sampling.schedule import Step

Work = Callable[["ACEStep", "Recipe", "See"], "Edited"]


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    for name, takes in (("retake", 1), ("vary", 4)):
        command = commands.add_parser(name, help="variations of a clip, from its seed")
        command.add_argument("--replay", type=Path, metavar="FILE.json", help="the clip's record")
        command.add_argument("--duration", type=float, help="its seconds, without a record")
        command.add_argument("--variance", type=float, default=0.2, help="0 - 1 (0.2)")
        _add_common(command, Path(f"{name}.flac"), takes)
        command.set_defaults(run=vary)

    command = _with_source(commands, "inpaint", "make parts of a song new")
    _add_regions(command, required=True)
    command.add_argument("--variance", type=float, default=0.5, help="0 - 1 (0.5)")
    command.set_defaults(run=inpaint)

    command = _with_source(commands, "extend", "add music before and after a song")
    command.add_argument("--before", type=float, default=0.0, help="seconds, up to 240 (0)")
    command.add_argument("--after", type=float, default=30.0, help="seconds, up to 240 (30)")
    command.add_argument("--context", type=float, default=MAX_SECONDS, help="seconds followed")
    command.set_defaults(run=extend)

    command = _with_source(commands, "edit", "another style, or other words, for a song")
    command.add_argument("--source-tags", required=True, help="what the song is now")
    command.add_argument("--source-lyrics", default="", help="what is sung now")
    command.add_argument("--mode", choices=tuple(EDIT_MODES), default="remix")
    command.add_argument("--n-min", type=float, help="share of steps skipped (by mode)")
    command.add_argument("--n-max", type=float, help="share followed together (by mode)")
    command.add_argument("--n-avg", type=int, default=1, help="noises averaged (1)")
    command.add_argument("--extended", action="store_true", help="obey solver and guidance too")
    _add_regions(command, required=False)
    command.set_defaults(run=edit)

    command = _with_source(commands, "follow", "a new clip along the lines of another")
    command.add_argument("--strength", type=float, default=0.5, help="1 = the source itself (0.5)")
    command.set_defaults(run=follow)


def _with_source(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text)
    command.add_argument("audio", type=Path, help="the source")
    command.add_argument("--latent", type=Path, help="its latents, to spare encoding it again")
    command.add_argument("--no-splice", action="store_true", help="decode the kept part as well")
    command.add_argument("--crossfade", type=float, default=0.03, help="seconds (0.03)")
    command.add_argument("--no-level", action="store_true", help="leave the new part's level alone")
    _add_common(command, Path(f"{name}.flac"), 1)
    command.set_defaults(replay=None, duration=None)
    return command


def _add_common(command: argparse.ArgumentParser, output: Path, takes: int) -> None:
    add_word_options(command)
    add_setting_options(command)
    command.add_argument("--seed", default=None, help="of what is new; -1 draws one")
    command.add_argument("--source-seed", default=None, help="of the clip that is changed")
    command.add_argument("--takes", type=int, default=takes, dest="batch", help=f"({takes})")
    command.add_argument("--output", "-o", type=Path, default=output)
    command.set_defaults(rate=48_000)
    add_model_options(command)


def _add_regions(command: argparse.ArgumentParser, required: bool) -> None:
    command.add_argument(
        "--region",
        action="append",
        default=[],
        required=required,
        metavar="START:END",
        help="seconds, repeatable; -5 is 5 s before the end, an empty END the end (10.5:-5)",
    )
    # Half a second: the edges then pass for the music's own (`bench seams`).
    soft = f"seconds of soft edge ({FEATHER:g})"
    command.add_argument("--feather", type=float, default=FEATHER, help=soft)


def regions_of(options: argparse.Namespace) -> tuple[Region, ...]:
    return tuple(_region(text, options.feather) for text in options.region)


def _region(text: str, feather: float) -> Region:
    start, colon, end = text.partition(":")
    try:
        first, last = (abs(float(part)) for part in (start or "0", end or "0"))
    except ValueError:
        colon, first, last = "", 0.0, 0.0
    if not colon:
        raise SettingError(
            f"--region {text!r} must be START:END in seconds, such as 10.5:20 or -30:-5."
        )
    from_start, from_end = ENDS
    start_from = from_end if start.startswith("-") else from_start
    end_from = from_end if end.startswith("-") or not end else from_start
    return Region(first, last, start_from, end_from, feather)


def seeded(recipe: Recipe, options: argparse.Namespace) -> Recipe:
    """The recipe's seeds become those of what is new; the source's are given, or derived."""
    new = recipe.seeds
    if options.source_seed is None:
        return replace(recipe, seeds=tuple(derived(s) for s in new), retake_seeds=new)
    given = parsed_seeds(options.source_seed)
    return replace(recipe, seeds=(given * len(new))[: len(new)], retake_seeds=new)


def vary(options: argparse.Namespace) -> int:
    if options.replay:
        # The record's own seed is the source's; --seed is that of what is new.
        new, options.seed = parsed_seeds(options.seed), None
        count, options.batch = options.batch, 1
        recipe = recipe_from(options)
        options.source_seed = options.source_seed or str(recipe.seeds[0])
        recipe = replace(recipe, seeds=_counted(new, count, recipe.compat))
    elif options.source_seed is None:
        raise SettingError("Whose variation? Give --replay FILE.json, or --source-seed NUMBER.")
    else:
        recipe = recipe_from(options)
    if not isinstance(recipe.task, TextToMusic | Retake):
        raise SettingError("Only a clip made from tags and lyrics alone can be varied.")

    def work(pipe: ACEStep, recipe: Recipe, see: See) -> Edited:
        from ..editing.edits import vary

        return vary(pipe, recipe, options.variance, see=see)

    return _run(options, seeded(recipe, options), work)


def _counted(new: tuple[int, ...], count: int, compat: str) -> tuple[int, ...]:
    from ..tasks.behaviours import BEHAVIOURS

    return new if len(new) == count else BEHAVIOURS[compat].seeds(new[0], count)


def inpaint(options: argparse.Namespace) -> int:
    regions, clip = regions_of(options), _clip(options)

    def work(pipe: ACEStep, recipe: Recipe, see: See) -> Edited:
        from ..editing.edits import inpaint

        return inpaint(pipe, clip, recipe, regions, options.variance, _options(options), see)

    return _run(options, seeded(recipe_from(options), options), work)


def extend(options: argparse.Namespace) -> int:
    from ..editing.request import Growth

    growth, clip = Growth(options.before, options.after, options.context), _clip(options)

    def work(pipe: ACEStep, recipe: Recipe, see: See) -> Edited:
        from ..editing.edits import extend

        return extend(pipe, clip, recipe, growth, _options(options), see)

    return _run(options, seeded(recipe_from(options), options), work)


def edit(options: argparse.Namespace) -> int:
    from ..editing.request import Flow

    start, stop = EDIT_MODES[options.mode]
    flow = Flow(
        options.source_tags,
        options.source_lyrics,
        start if options.n_min is None else options.n_min,
        stop if options.n_max is None else options.n_max,
        options.n_avg,
        options.extended,
    )
    options.tags = options.tags or options.source_tags
    regions, clip = regions_of(options), _clip(options)

    def work(pipe: ACEStep, recipe: Recipe, see: See) -> Edited:
        from ..editing.edits import edit

        return edit(pipe, clip, recipe, flow, regions, _options(options), see)

    return _run(options, seeded(recipe_from(options), options), work)


def follow(options: argparse.Namespace) -> int:
    clip = _clip(options)

    def work(pipe: ACEStep, recipe: Recipe, see: See) -> Edited:
        from ..editing.edits import audio_to_audio

        return audio_to_audio(pipe, clip, recipe, options.strength, _options(options), see)

    return _run(options, recipe_from(options), work)


def _clip(options: argparse.Namespace) -> SourceClip:
    from ..editing.edits import SourceClip
    from ..records.latents import read_latent
    from ..sound.files import read_audio

    latent = read_latent(options.latent) if options.latent else None
    return SourceClip(*read_audio(options.audio), latent)


def _options(options: argparse.Namespace) -> Options:
    from ..editing.edits import Options

    return Options(not options.no_splice, options.crossfade, not options.no_level)


def _run(options: argparse.Namespace, recipe: Recipe, work: Work) -> int:
    """Places first, then the model, the work, and its files."""
    from ..atomic import check_place
    from ..records.record import record_path
    from .running import checked_outputs, loaded

    paths = checked_outputs(options, len(recipe.seeds))
    for path in paths:
        check_place(record_path(path))
        check_place(_report_path(path))
    pipe = loaded(options)
    for note in options.notes:
        print(note, file=sys.stderr)
    with stepping() as see:
        edited = work(pipe, recipe, see)
    _save(pipe, edited, paths, options)
    return 0


def _save(pipe: ACEStep, edited: Edited, paths: list[Path], options: argparse.Namespace) -> None:
    from ..atomic import replaced
    from ..pipeline import Made
    from ..records.record import write_record
    from ..records.replay import Output, record_of
    from ..sound.files import write_audio
    from ..types import Latent

    recipe = edited.recipe
    lyrics = pipe.lyrics(recipe.lyrics, recipe.language, recipe.compat)
    usual = Output(Path(), regions=edited.regions)
    if source := getattr(options, "audio", None):
        usual = replace(usual, source=source.name, options=_options(options))
    for index, (path, wave) in enumerate(zip(paths, edited.waves, strict=True)):
        report = edited.reports[index]
        written = write_audio(path, wave, edited.rate)
        made = Made(edited.latent or Latent.none(), recipe, lyrics, {}, report.warnings)
        seconds = wave.shape[-1] / edited.rate
        output = replace(usual, path=path, index=index, rate=written.rate, seconds=seconds)
        write_record(path, record_of(made, pipe.model, output))
        with replaced(_report_path(path)) as place:
            text = json.dumps(report.as_data(), indent=2, ensure_ascii=False)
            place.write_text(text + "\n", encoding="utf-8")
        print(f"{path}\n{report.text()}")


def _report_path(path: Path) -> Path:
    return path.with_name(path.stem + "_report.json")


@contextmanager
def stepping() -> Iterator[See]:
    """A progress bar of schedule steps; how many passes there will be shows as they come."""
    from tqdm import tqdm

    with tqdm(desc="sampling", unit="step", file=sys.stderr) as bar:

        def see(step: Step, x: Tensor, velocity: Tensor) -> None:
            bar.total = step.count
            bar.n = step.index + 1
            bar.refresh()

        yield see
