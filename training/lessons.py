"""One process's part in a stage: what a command's options become."""

from __future__ import annotations

import argparse
import importlib

from .places import Places
from .stage import Job
from .team import ALONE, Member


def take_part(options: argparse.Namespace, places: Places, member: Member) -> None:
    stage = importlib.import_module(f".{options.stage}", __package__)
    is_second = getattr(options, "adversarial", False)
    if is_second and member.size > 1:
        raise SystemExit("--adversarial takes one process: its opponents are not shared.")
    (stage.run_adversarial if is_second else stage.run)(job_of(options, places, member))


def job_of(options: argparse.Namespace, places: Places, member: Member = ALONE) -> Job:
    return Job(
        places,
        device=getattr(options, "device", "cpu"),
        steps=getattr(options, "steps", None),
        rate=getattr(options, "rate", None),
        minutes=getattr(options, "minutes", None),
        batch=getattr(options, "batch", None),
        seed=getattr(options, "seed", 0),
        member=member,
    )
