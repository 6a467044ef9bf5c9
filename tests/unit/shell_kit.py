"""What is wrong with a command line that a document or a workflow tells people to run.

line -> words -> our own parsers, files and modules -> the reason, or nothing
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import bench.__main__ as benchmarks
import dev
from acestep_core.cli import commands, demo
from scripts.headless import __main__ as headless
from scripts.headless import graph
from training import __main__ as training

ROOT = Path(__file__).resolve().parents[2]
# What may be asked for beside our own programs.
OTHERS = {"curl", "git", "pip", "pipx", "pre-commit", "cd", "apt", "sudo", "grep"}
# Files of the project that a command names.
OURS = re.compile(r"(?<![\w./-])(?:workflows|scripts|training|docs|tests)/[\w/.-]*\w")
PLACEHOLDER = re.compile(r"[A-Z]+|\.\.\.")


def _refusal(parse: Callable[[list[str]], object], words: list[str]) -> str:
    told = io.StringIO()
    try:
        with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
            parse(words)
    except graph.GraphError as error:
        return str(error)
    except SystemExit as end:
        return (told.getvalue() or str(end.code)) if end.code else ""
    return ""


def _dev(words: list[str]) -> None:
    if words[:1] == ["demo"]:
        demo.arguments(words[1:])
    elif words[:1] == ["bench"]:
        if words[1:] and words[1] not in (*benchmarks.names(), "NAME"):
            raise SystemExit(f"no benchmark {words[1]}")
    elif words[:1] != ["gpu"]:
        dev.parser().parse_args(words)


def _headless(words: list[str]) -> None:
    options = headless.parser().parse_args(words)
    loaded = graph.read_graph(str(ROOT / options.graph)) if "/" in options.graph else {}
    uploads = [one.rpartition("=")[2] for one in options.upload]
    for target in [*(one.partition("=")[0] for one in options.set), *uploads]:
        if loaded:
            graph.target_of(loaded, target, lambda kind: [])


PARSERS: dict[str, Callable[[list[str]], object]] = {
    "acestep_core": lambda words: commands.parser().parse_args(words),
    "scripts.headless": lambda words: _headless(words),
    "training": lambda words: training.parser().parse_args(words),
}


def wrong_with(line: str) -> str:
    """What is wrong with a command; "" if nothing is."""
    words = shlex.split(line, comments=True)
    for path in OURS.findall(line):
        if not (ROOT / path).exists():
            return f"no file {path}"
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words = words[1:]
    if not words:
        return ""
    program, *rest = words
    if program in OTHERS:
        files = [value for option, value in pairwise(rest) if option == "-r"]
        return "".join(f"no {name}" for name in files if not (ROOT / name).is_file())
    if program not in ("python", "python3"):
        return f"what is {program}?"
    if rest[0] != "-m":
        if rest[0] == "dev.py":
            return _refusal(_dev, rest[1:])
        return "" if (ROOT / rest[0]).is_file() else f"no file {rest[0]}"
    module, given = rest[1], rest[2:]
    if module in PARSERS and given and not PLACEHOLDER.fullmatch(given[0]):
        return _refusal(PARSERS[module], given)
    if module in sys.stdlib_module_names | {"pip", "pytest"}:
        return ""
    return "" if find_spec(module) else f"no module {module}"
