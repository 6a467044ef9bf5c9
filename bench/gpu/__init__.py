"""Everything a card can be asked, in one command of a few minutes: `python3 dev.py gpu`.

    rates, recorded values, small model, model made in place: song, step, decoding, lengths ...
      -> lines while it runs, a table, docs/benchmarks-gpu.md, one JSON line

A part that cannot run says why, and the rest goes on. Without a card the same lines run on the
CPU at small sizes, and what only a card can do is named. Needs torch, safetensors, einops, numpy,
tokenizers and sentencepiece, and no network.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path

import torch

from . import crowded, decoding, files, inplace, lengths, rates, recorded, song, step, trained
from .card import Card
from .parts import SIZES, Part, Trial, attempted
from .report import Report, place_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks-gpu.md"
MINUTES = 8.0
PLANNED = 0.94  # of the minutes: no part plans with the rest
CUT = 3  # exit status when the time was over before the last part was

PARTS: dict[str, Part] = {
    "rates": rates.measured,
    "recorded float32": recorded.in_float32,
    "small model": trained.beside_the_cpu,
    "made in place": inplace.load,
    "song": song.song,
    "step": step.step,
    "decoding": decoding.decode,
    "lengths": lengths.lengths,
    "too little memory": crowded.crowded,
    "recorded bfloat16": recorded.in_bfloat16,
    "files": files.load,
}


def arguments(words: list[str] | None) -> argparse.Namespace:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="dev.py gpu", description=about)
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--sizes", choices=SIZES, help="default: whole on a card, small without")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="after which all is over")
    parser.add_argument("--page", type=Path, default=PAGE, help="of a whole trial on a card")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    options, card, began = arguments(words), Card.found(), time.monotonic()
    sizes = SIZES[options.sizes or ("whole" if card.is_cuda else "small")]
    trial = Trial(card, sizes, began + 60 * PLANNED * options.minutes)
    names = [name for name in PARTS if not options.only or name in options.only]
    report = Report(trial, names, place_of(trial, names, list(PARTS), options.page))
    report.say(f"{card.name}, torch {torch.__version__}, {sizes.name} sizes")
    if not card.is_cuda:
        torch.set_num_threads(1)  # networks this small only wait for a second thread
        report.say("No CUDA card: what follows runs on the CPU, and what needs a card is left out.")
    watchdog = threading.Timer(60 * options.minutes, over, [report])
    watchdog.daemon = True
    watchdog.start()
    for name in names:
        report.running = name
        report.add(name, attempted(PARTS[name], trial))
    watchdog.cancel()
    report.finish()
    return report.status


def over(report: Report) -> None:
    """The time is up, and a part may hang in a driver: say what is known and leave."""
    if report.finish(cut=report.running):
        sys.stdout.flush()
        os._exit(CUT)
