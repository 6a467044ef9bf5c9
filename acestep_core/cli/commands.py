"""The command line: generate, decode, encode, info, download; editing has its own file.

    words -> parser -> one function per command -> files

Everything that can be wrong with a request is checked before the model is loaded. Results
are written whole or not at all; an interrupt ends with status 130.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..config import VERSION
from ..types import SettingError, checked
from .convert import add_commands as add_convert_commands
from .edit import add_commands as add_edit_commands
from .options import add_generate_options, add_model_options, recipe_from
from .words import add_commands as add_words_commands

if TYPE_CHECKING:
    from torch import Tensor

    from ..lyrics.vocabulary import Vocabulary
    from ..pipeline import ACEStep, Made
    from ..records.record import Record
    from ..sampling.loop import See
    from ..sampling.schedule import Step
    from ..sound.codec import Tick
    from ..weights.model import Precision

RATES = (8_000, 192_000)  # Hz


class Replayed(NamedTuple):
    """What a run repeats."""

    record: Record
    source: Path


@dataclass(frozen=True)
class Sound:
    """Clips made to sound."""

    wave: Tensor  # (B, 2, N)
    rate: int  # Hz


def main(words: Sequence[str] | None = None) -> int:
    options = parser().parse_args(words)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s"
    )
    return reported(lambda: options.run(options))


def reported(run: Callable[[], int]) -> int:
    """The exit status of a command; what went wrong is said in words."""
    from ..networks.memory import is_out_of_memory
    from ..weights.checkpoint import CheckpointError

    try:
        return run()
    except (CheckpointError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        print(
            f"error: not enough memory ({error}). Make a shorter clip or fewer at once, or try"
            " --one-by-one and --offload.",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        print("\nStopped; nothing half-written was left.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m acestep_core", description="ACE-Step v1: music from tags and lyrics."
    )
    top.add_argument("--version", action="version", version=VERSION)
    top.add_argument("--verbose", action="store_true", help="say more about what happens")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("generate", help="music from tags and lyrics")
    add_generate_options(command)
    add_model_options(command)
    command.set_defaults(run=generate)

    add_convert_commands(commands)
    add_edit_commands(commands)

    command = commands.add_parser("encode", help="a sound file to latents (.safetensors)")
    command.add_argument("audio", type=Path)
    command.add_argument("--output", "-o", type=Path, help="default: beside the sound file")
    add_model_options(command)
    command.set_defaults(run=encode)

    command = commands.add_parser("decode", help="latents (.safetensors) to a sound file")
    command.add_argument("latent", type=Path)
    command.add_argument("--output", "-o", type=Path, help="default: a .flac beside the latents")
    command.add_argument("--rate", type=int, default=48_000, help="Hz (48000)")
    add_model_options(command)
    command.set_defaults(run=decode)

    command = commands.add_parser("info", help="what is this checkpoint, adapter or latent file?")
    command.add_argument("path", type=Path, nargs="+")
    command.set_defaults(run=info)

    command = commands.add_parser("download", help="fetch the released model (8.3 GB)")
    command.add_argument("--folder", type=Path, help="default: ~/acestep/models")
    command.add_argument("--vocab", action="store_true", help="only the lyric vocabulary (0.4 MB)")
    command.set_defaults(run=fetch)
    add_words_commands(commands)
    return top


def generate(options: argparse.Namespace) -> int:
    from ..atomic import check_place
    from ..pipeline import words_of
    from ..records.record import record_path

    recipe = recipe_from(options)
    paths = checked_outputs(options, len(recipe.seeds))
    for path in paths:
        check_place(record_path(path))
    # Before gigabytes are read: lyrics may be too long, or need a vocabulary that is not there.
    lyrics = words_of(recipe.lyrics, _vocabulary(options), recipe.language, recipe.compat)
    pipe = loaded(options)
    for name in options.notes:
        print(name, file=sys.stderr)
    together = not options.one_by_one
    with watched("sampling", pipe.evaluations(recipe, together)) as bar:
        made = pipe.generate(recipe, bar, together, lyrics)
    kept = None if options.record is None else Replayed(options.record, options.replay)
    save(pipe, *sounded(pipe, made, options.rate), paths, kept)
    return 0


def sounded(pipe: ACEStep, made: Made, rate: int) -> tuple[Made, Sound]:
    """A result with its sound, and the time that took."""
    began = time.perf_counter()
    with ticking("decoding") as tick:
        wave = pipe.decode(made.latent, rate, tick=tick)
    times = {**made.times, "latent2audio": time.perf_counter() - began}
    return replace(made, times=times), Sound(wave, rate)


def save(
    pipe: ACEStep, made: Made, sound: Sound, paths: list[Path], replayed: Replayed | None = None
) -> None:
    """One sound file and its parameter file for each item. What sampling warned of is logged."""
    from ..pipeline import checked_output
    from ..records.record import write_record
    from ..records.replay import Output, carried, record_of
    from ..sound.files import write_audio

    for warning in checked_output(sound.wave):
        print(f"warning: {warning}", file=sys.stderr)
    for index, path in enumerate(paths):
        written = write_audio(path, sound.wave[index], sound.rate)
        record = record_of(made, pipe.model, Output(path, index, written.rate))
        record = carried(record, *replayed) if replayed else record
        write_record(path, record)
        seed = made.recipe.seeds[index]
        print(f"{path}  {made.latent.seconds:.3f} s  seed {seed}")


def encode(options: argparse.Namespace) -> int:
    from ..atomic import check_place
    from ..records.latents import write_latent
    from ..sound.files import read_audio

    output = check_place(options.output or options.audio.with_suffix(".safetensors"))
    wave, rate = read_audio(options.audio)
    pipe = loaded(options)
    with ticking("encoding") as tick:
        latent = pipe.encode(wave, rate, tick=tick)
    write_latent(output, latent, pipe.model.name)
    print(f"{output}  {latent.frames} frames, {latent.seconds:.3f} s")
    return 0


def decode(options: argparse.Namespace) -> int:
    from ..pipeline import checked_output
    from ..records.latents import read_latent
    from ..sound.files import write_audio

    latent = read_latent(options.latent)
    options.output = options.output or options.latent.with_suffix(".flac")
    paths = checked_outputs(options, len(latent.z))
    pipe = loaded(options)
    with ticking("decoding") as tick:
        wave = pipe.decode(latent, options.rate, tick=tick)
    for warning in checked_output(wave):
        print(f"warning: {warning}", file=sys.stderr)
    for path, item in zip(paths, wave, strict=True):
        written = write_audio(path, item, options.rate)
        print(f"{path}  {written.samples} samples at {written.rate} Hz")
    return 0


def info(options: argparse.Namespace) -> int:
    from .info import describe

    for line in describe(options.path):
        print(line)
    return 0


def fetch(options: argparse.Namespace) -> int:
    from ..weights.download import download, download_vocabulary, found_elsewhere

    if not options.vocab and not options.folder and (place := found_elsewhere()):
        print(f"{place}  is there already; --folder FOLDER fetches another copy")
        return 0
    get = download_vocabulary if options.vocab else download
    logging.getLogger("acestep_core").setLevel(logging.INFO)
    print(get(options.folder))
    return 0


def loaded(options: argparse.Namespace) -> ACEStep:
    """The pipeline that the model options ask for."""
    from ..pipeline import ACEStep

    device, precision, paths = _device(options.device), _precision(options), _places(options)
    pipe = ACEStep.load(*paths, device=device, precision=precision, offload=options.offload)
    return pipe.with_adapters(options.adapters) if getattr(options, "adapters", None) else pipe


def _vocabulary(options: argparse.Namespace) -> Vocabulary:
    from ..lyrics.vocabulary import Vocabulary
    from ..weights.download import download_vocabulary

    vocabulary = Vocabulary.find(_places(options)[0])
    if options.allow_download and not any(place.is_file() for place in vocabulary.places):
        return Vocabulary.find(download_vocabulary())
    return vocabulary


def _places(options: argparse.Namespace) -> list[Path]:
    """The model's files: those that were named, or the first known ones."""
    from ..weights.download import download, found, found_or_explained

    if options.model:
        return options.model
    if options.allow_download and found() is None:
        return [download()]
    return [found_or_explained()]


def _device(name: str) -> str:
    import torch

    if name != "auto":
        try:
            torch.zeros(1, device=name).cpu()
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            raise SettingError(
                f"--device {name} cannot be used ({str(error).splitlines()[0]})."
                " Choose cpu, cuda, mps or auto."
            ) from error
        return name
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _precision(options: argparse.Namespace) -> Precision | None:
    import torch

    from ..weights.model import Precision

    if options.dtype == "auto":
        return None
    dtype = getattr(torch, options.dtype)
    return Precision(dtype, dtype)


def checked_outputs(options: argparse.Namespace, count: int) -> list[Path]:
    """Where so many clips go, once it is sure that they can be written."""
    from ..sound.files import check_writable

    checked("--rate (Hz)", options.rate, *RATES)
    return [check_writable(path) for path in outputs(options.output, count)]


def outputs(path: Path, count: int) -> list[Path]:
    """song.flac for one clip; song_1.flac, song_2.flac, ... for several."""
    if count == 1:
        return [path]
    return [path.with_name(f"{path.stem}_{i + 1}{path.suffix}") for i in range(count)]


@contextmanager
def watched(label: str, total: int) -> Iterator[See]:
    """A progress bar with seconds left, moved by model evaluations."""
    from tqdm import tqdm

    with tqdm(total=total, desc=label, unit="step", file=sys.stderr) as bar:

        def see(step: Step, x: Tensor, velocity: Tensor) -> None:
            bar.update(1)

        yield see


@contextmanager
def ticking(label: str) -> Iterator[Tick]:
    from tqdm import tqdm

    with tqdm(desc=label, unit="tile", file=sys.stderr) as bar:

        def tick(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield tick
