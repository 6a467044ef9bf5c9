"""The commands about words: write, preview.

sentence -> tags and lyrics;  lyrics file -> what the model will hear
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_options, text_of

if TYPE_CHECKING:
    # What add_subparsers returns has no public name.
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_commands(commands: Commands) -> None:
    """Both commands, with `run` set as the other commands do."""
    command = commands.add_parser("write", help="tags and lyrics from one sentence")
    command.add_argument("prompt", help="what the song is about, in plain words")
    add_options(command, "write", "--instrumental", "--duration", "--seed", "--back-end")
    command.set_defaults(run=write)

    command = commands.add_parser("preview", help="what the model will hear of lyrics")
    command.add_argument("lyrics_file", type=Path, help="a UTF-8 text file")
    add_options(command, "preview", "--language", metavar="CODE")
    add_options(command, "preview", "--duration")
    command.add_argument("--html", type=Path, metavar="OUT", help="write it as HTML as well")
    command.set_defaults(run=preview)


def write(options: argparse.Namespace) -> int:
    from ..writer import write_song

    song = write_song(
        options.prompt,
        instrumental=options.instrumental,
        duration=options.duration,
        seed=options.seed,
        back_end=options.back_end,
    )
    _say(f"tags: {song.tags}\nseed: {song.seed}\n\n{song.lyrics}")
    for warning in song.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    return 0


def preview(options: argparse.Namespace) -> int:
    from ..lyrics.lint import lint
    from ..lyrics.preview import as_text
    from ..lyrics.preview import preview as seen_by_model
    from ..settings import setting

    setting("lyric_seconds").check(options.duration)
    language, duration = options.language, options.duration or None
    text = text_of(options.lyrics_file)
    seen = seen_by_model(text, language=language, duration=duration)
    if options.html:
        _write_html(options.html, seen)
    _say(as_text(seen))
    for finding in lint(text, language=language, duration=duration):
        _say(f"{finding}\n")
    return 0


def _write_html(path: Path, seen: object) -> None:
    from ..atomic import check_place, replaced
    from ..lyrics.preview import Preview
    from ..lyrics.preview_html import as_html

    assert isinstance(seen, Preview)
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Lyrics</title></head><body>{as_html(seen)}</body></html>\n"
    )
    with replaced(check_place(path)) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _say(text: str) -> None:
    """To the terminal, whatever its encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, errors="replace").decode(encoding))
    sys.stdout.flush()
