"""The command line: generate, decode, encode, info, download; editing has its own file.

    words -> parser -> one function per command -> files

Everything that can be wrong with a request is checked before the model is loaded. Results
are written whole or not at all; an interrupt ends with status 130.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from ..config import VERSION
from .batch import add_command as add_batch_command
from .convert import add_commands as add_convert_commands
from .edit import add_commands as add_edit_commands
from .options import add_generate_options, add_model_options, add_options, asked_of
from .running import checked_outputs, loaded, reported, ticking
from .words import add_commands as add_words_commands


def main(words: Sequence[str] | None = None) -> int:
    options = parser().parse_args(words)
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING, format="%(message)s"
    )
    return reported(lambda: options.run(options))


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m acestep_core", description="ACE-Step v1: music from tags and lyrics."
    )
    top.add_argument("--version", action="version", version=VERSION)
    top.add_argument("--verbose", action="store_true", help="say more about what happens")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("generate", help="music from tags and lyrics")
    add_generate_options(command)
    add_model_options(command, "generate")
    command.set_defaults(run=generate)

    add_convert_commands(commands)
    add_edit_commands(commands)
    add_batch_command(commands)

    command = commands.add_parser("encode", help="a sound file to latents (.safetensors)")
    command.add_argument("audio", type=Path)
    command.add_argument("--output", "-o", type=Path, help="default: beside the sound file")
    add_model_options(command, "encode")
    command.set_defaults(run=encode)

    command = commands.add_parser("decode", help="latents (.safetensors) to a sound file")
    command.add_argument("latent", type=Path)
    command.add_argument("--output", "-o", type=Path, help="default: a .flac beside the latents")
    add_options(command, "decode", "--rate")
    add_model_options(command, "decode")
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
    from .takes import done

    return done(asked_of(options), options, options.source)


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
    from ..pipeline import delivered
    from ..records.latents import read_latent
    from ..sound.files import write_audio

    latent = read_latent(options.latent)
    output = options.output or options.latent.with_suffix(".flac")
    paths = checked_outputs(output, options.rate, len(latent.z))
    pipe = loaded(options)
    with ticking("decoding") as tick:
        wave, warnings = delivered(pipe.decode(latent, options.rate, tick=tick))
    for warning in warnings:
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
