"""Runs one benchmark: `python -m bench NAME [arguments]` calls main(arguments) of bench/NAME.py.

With --readme what it prints also replaces that benchmark's block in README.md, so no figure
there is typed by hand.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_BENCHMARKS = ("measure", "synthetic")


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


def publish(name: str, words: list[str], text: str, readme: Path = ROOT / "README.md") -> None:
    """Put the output into the readme's block of this benchmark."""
    start, end = f"<!-- bench {name} -->", f"<!-- end {name} -->"
    page = readme.read_text(encoding="utf-8")
    head, found, rest = page.partition(start)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{readme.name} has no block {start} ... {end}.")
    command = " ".join(["python3 dev.py bench", name, *words])
    *lines, last = text.strip().splitlines()
    about = json.loads(last)
    lines.append(
        f"({about['device']}, {about['threads']} threads, torch {about['torch']},"
        f" commit {about['commit']})"
    )
    body = "\n".join(lines)
    block = f"{start}\n```text\n$ {command}\n{body}\n```\n{end}"
    readme.write_text(head + block + tail, encoding="utf-8")


def main(arguments: list[str]) -> int:
    known = names()
    if not arguments or arguments[0] not in known:
        asked = f"No benchmark is called {arguments[0]!r}. " if arguments else ""
        print(f"{asked}Available: {', '.join(known) or 'none yet'}.", file=sys.stderr)
        return 2
    name, *rest = arguments
    words = [word for word in rest if word != "--readme"]
    tee = Tee()
    with contextlib.redirect_stdout(tee):
        status = importlib.import_module(f"bench.{name.replace('-', '_')}").main(words) or 0
    if "--readme" in rest and not status:
        publish(name, words, tee.getvalue())
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
