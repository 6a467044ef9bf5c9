"""One command per stage: python -m training STAGE [options].

    data -> probe -> autoencoder -> vocoder -> text -> denoiser -> export -> card

Every stage goes on where it stopped. Interrupting one, or ending it with SIGTERM, saves it.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from acestep_core.weights.small import FOLDER

from .lessons import job_of, take_part
from .places import Places
from .team import team_of

LEARNED = ("autoencoder", "vocoder", "text", "denoiser")


def data(options: argparse.Namespace, places: Places) -> None:
    from .data import Wanted, make

    make(places.data, Wanted(options.hours, options.seed))


def probe(options: argparse.Namespace, places: Places) -> None:
    from . import probe
    from .autoencoder import RoundTrip

    if options.codec:
        from .latents import Latents

        trip, latents = RoundTrip(job_of(options, places)), Latents(job_of(options, places))
        probe.run(places, lambda clip: trip.mel(latents.of(clip)))
    else:
        probe.run(places)


def export(options: argparse.Namespace, places: Places) -> None:
    from .export import write_folder

    write_folder(options.output, job_of(options, places))


def card(options: argparse.Namespace, places: Places) -> None:
    from .card import write

    write(options.output, job_of(options, places))


def curves(options: argparse.Namespace, places: Places) -> None:
    from .curves import of_all

    of_all(places.runs)


def learn(options: argparse.Namespace, places: Places) -> None:
    with team_of(options.processes, partial(take_part, options, places)) as member:
        take_part(options, places, member)


def parser() -> argparse.ArgumentParser:
    root = argparse.ArgumentParser(prog="training", description="Make the small model.")
    stages = root.add_subparsers(dest="stage", required=True, metavar="STAGE")
    one = stages.add_parser("data", help="compose and render clips")
    one.add_argument("--hours", type=float, default=2.0, help="in all; existing ones count")
    one.add_argument("--seed", type=int, default=0)
    one = stages.add_parser("probe", help="which tags can be heard on held-out clips")
    one.add_argument("--codec", action="store_true", help="after the autoencoder's round trip")
    for name in LEARNED:
        one = stages.add_parser(name, help=f"train the {name}, or go on")
        one.add_argument("--steps", type=int, help="in all; the rate falls until then")
        one.add_argument("--rate", type=float, help="falls from here over the steps that are left")
        one.add_argument("--minutes", type=float, help="of this piece of work")
        one.add_argument("--batch", type=int)
        one.add_argument("--device", default="cpu")
        one.add_argument("--threads", type=int, default=1)
        one.add_argument("--seed", type=int, default=0)
        one.add_argument("--processes", type=int, default=1, help="that share each step, CPU only")
        if name == "vocoder":
            one.add_argument("--adversarial", action="store_true", help="the second half")
    for name, purpose in (("export", "the checkpoint folder"), ("card", "its model card")):
        one = stages.add_parser(name, help=f"write {purpose} from what is trained so far")
        one.add_argument("--output", type=Path, default=FOLDER)
    stages.add_parser("curves", help="draw the losses that are kept, with matplotlib")
    return root


def main(words: list[str] | None = None) -> int:
    options = parser().parse_args(words)
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr
    )
    torch.set_num_threads(getattr(options, "threads", 1))
    own: dict[str, Callable[[argparse.Namespace, Places], None]] = {
        "data": data,
        "probe": probe,
        "export": export,
        "card": card,
        "curves": curves,
    }
    own.get(options.stage, learn)(options, Places.usual())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
