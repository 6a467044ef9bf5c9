"""The small model's figures: codec, tags, editing, diversity, and what random weights score.

    sections -> small_model/figures.json -> tables in its card, pictures beside it

`bench small-model SECTION ...` measures some sections again and writes the whole card; with
none named, all. The codec's section needs the clips of `python -m training data`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from acestep_core.atomic import replaced
from acestep_core.pipeline import ACEStep
from acestep_core.weights.small import FOLDER
from bench.measure import last_line

from . import codec, diversity, editing, tags, written

Section = Callable[[ACEStep, Path], dict[str, Any]]
SECTIONS: dict[str, Section] = {
    "codec": codec.measured,
    "plain": tags.measured_plain,
    "tags": tags.measured,
    "editing": editing.measured,
    "diversity": diversity.measured,
    "random": tags.measured_random,
}


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench small-model", description=about)
    parser.add_argument("sections", nargs="*", help=", ".join(SECTIONS) + "; default: all")
    parser.add_argument("--model", type=Path, default=FOLDER)
    parser.add_argument("--threads", type=int, default=0, help="default: as torch likes")
    options = parser.parse_args(words)
    unknown = set(options.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"no section is called {', '.join(sorted(unknown))}")
    if options.threads:
        torch.set_num_threads(options.threads)
    pipe, place = ACEStep.load(options.model), options.model / "figures.json"
    for name in options.sections or SECTIONS:
        began = time.perf_counter()
        found = SECTIONS[name](pipe, options.model)
        found["took_seconds"] = round(time.perf_counter() - began)
        _keep(place, name, found)
        print(f"{name}: {found['took_seconds']} s", file=sys.stderr, flush=True)
    figures = json.loads(place.read_text(encoding="utf-8"))
    print(written.text(figures))
    written.into_card(figures, options.model)
    last_line("small-model", sections=sorted(figures))
    return 0


def _keep(place: Path, name: str, found: dict[str, Any]) -> None:
    """One section's figures among the others, which may have been measured meanwhile."""
    known = json.loads(place.read_text(encoding="utf-8")) if place.is_file() else {}
    with replaced(place) as temporary:
        text = json.dumps({**known, name: found}, indent=1, sort_keys=True)
        temporary.write_text(text + "\n", encoding="utf-8")
