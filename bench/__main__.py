"""Runs one benchmark: `python -m bench NAME [arguments]` calls main(arguments) of bench/NAME.py.

With --publish (or --readme, its older name) what it prints also replaces that benchmark's block in
the documents: in docs/benchmarks.md, or the page where it is spoken of. What it sums up in one row
("in_short") goes into the README. No figure is typed by hand.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import pkgutil
import shlex
import sys
from pathlib import Path

from acestep_core.anonymous import sentence
from acestep_core.settings import SettingError

ROOT = Path(__file__).resolve().parent.parent
NOT_BENCHMARKS = ("measure", "peers", "synthetic")


def names() -> list[str]:
    found = (module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    known = (
        n.replace("_", "-") for n in found if not n.startswith("_") and n not in NOT_BENCHMARKS
    )
    return sorted(known)


class Tee(io.StringIO):
    """Keeps what is printed, and prints it."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)  # type: ignore[union-attr]
        return super().write(text)

    def flush(self) -> None:
        sys.__stdout__.flush()  # type: ignore[union-attr]


PUBLISHING = ("--publish", "--readme")


def marks(name: str) -> tuple[str, str]:
    return f"<!-- bench {name} -->", f"<!-- end {name} -->"


def page_of(name: str, folder: Path = ROOT / "docs") -> Path:
    """The one document with the block of this benchmark."""
    start, end = marks(name)
    texts = {page: page.read_text(encoding="utf-8") for page in sorted(folder.glob("*.md"))}
    found = [page for page, text in texts.items() if start in text and end in text]
    if len(found) != 1:
        raise SystemExit(f"{len(found)} pages of {folder.name}/ have a block {start} ... {end}.")
    return found[0]


def publish(name: str, words: list[str], text: str, folder: Path = ROOT / "docs") -> None:
    """Put the output into the documents' block of this benchmark, its sum into the README's."""
    page = page_of(name, folder)
    command = sentence(f"python3 dev.py bench {shlex.join([name, *words])}")
    *lines, last = text.strip().splitlines()
    about = json.loads(last)
    lines.append(
        f"({about['device']}, {about['threads']} threads, torch {about['torch']},"
        f" commit {about['commit']})"
    )
    body = "\n".join(lines)
    _put(page, name, f"\n```text\n$ {command}\n{body}\n```\n")
    if about.get("in_short"):
        _put(folder.parent / "README.md", name, about["in_short"])


def _put(page: Path, name: str, by: str) -> None:
    start, end = marks(name)
    head, found, rest = page.read_text(encoding="utf-8").partition(start)
    if not found:
        raise SystemExit(f"{page.name} has no block {start} ... {end}.")
    page.write_text(f"{head}{start}{by}{end}{rest.partition(end)[2]}", encoding="utf-8")


def main(arguments: list[str]) -> int:
    known = names()
    if not arguments or arguments[0] not in known:
        asked = f"No benchmark is called {arguments[0]!r}. " if arguments else ""
        print(f"{asked}Available: {', '.join(known) or 'none yet'}.", file=sys.stderr)
        return 2
    name, *rest = arguments
    words = [word for word in rest if word not in PUBLISHING]
    tee = Tee()
    try:
        with contextlib.redirect_stdout(tee):
            status = importlib.import_module(f"bench.{name.replace('-', '_')}").main(words) or 0
    except SettingError as error:  # such as a vocabulary that is not there
        print(error, file=sys.stderr)
        return 1
    if len(words) < len(rest) and not status:
        publish(name, words, tee.getvalue())
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
