"""What the parts of a trial share: sizes, time left, and how a part ends.

part(trial) -> Found                   lines to print, figures, what was wrong
               or Skip("why")          it cannot run here
               or any other error      it broke: the reason is kept, the next part runs
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from acestep_core.config import ModelConfig
from acestep_core.weights.model import Model
from acestep_core.weights.tiny import CONFIG as TINY

from .card import Card

Figures = dict[str, object]


@dataclass(frozen=True)
class Sizes:
    """How much is tried."""

    name: str
    config: ModelConfig = field(default_factory=ModelConfig)  # of the model made in place
    seconds: float = 60.0  # of the song
    steps: int = 27
    tokens: int = 500  # of lyrics
    lengths: tuple[float, ...] = (10.0, 30.0, 120.0, 240.0)
    small: tuple[float, int] = (10.0, 20)  # seconds and steps of the small model's song
    every: int = 1  # of the recorded cases, the first of so many
    matmul: int = 8192
    repeats: int = 5


WHOLE = Sizes("whole")
# Without a card: the same lines, on networks that a processor can run.
SMALL = Sizes(
    "small",
    config=TINY,
    seconds=10.0,
    steps=6,
    tokens=60,
    lengths=(5.0, 15.0),
    every=3,
    matmul=512,
    repeats=2,
)
QUICK = Sizes(
    "quick",
    config=TINY,
    seconds=2.0,
    steps=4,
    tokens=20,
    lengths=(1.0,),
    small=(2.0, 2),
    every=16,
    matmul=64,
    repeats=1,
)
SIZES = {sizes.name: sizes for sizes in (WHOLE, SMALL, QUICK)}


class Skip(Exception):  # noqa: N818 - not an error
    """Why a part, or a piece of one, does not run."""


@dataclass
class Found:
    lines: list[str] = field(default_factory=list)
    figures: Figures = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)  # beyond a limit
    skipped: list[str] = field(default_factory=list)  # pieces, and why


@dataclass
class Trial:
    card: Card
    sizes: Sizes
    until: float  # monotonic seconds at which everything should be over
    model: Model | None = None  # made in place by "load"
    rate: float | None = None  # measured FLOP/s in the transformer's dtype
    song: float | None = None  # seconds that the song took

    @property
    def left(self) -> float:
        return self.until - time.monotonic()

    def needs(self, seconds: float, what: str) -> None:
        """Skip what would take longer than there is time."""
        if seconds > self.left:
            raise Skip(f"{what}: about {seconds:.0f} s needed, {max(self.left, 0):.0f} s left")

    def made(self) -> Model:
        if self.model is None:
            raise Skip("the model could not be made")
        return self.model


Part = Callable[[Trial], Found]


@dataclass
class Result:
    """One part's end."""

    status: str  # passed, wrong, skipped, failed
    note: str = ""
    seconds: float = 0.0
    found: Found = field(default_factory=Found)


def attempted(part: Part, trial: Trial) -> Result:
    """Run a part, whatever happens inside it."""
    began = time.monotonic()
    try:
        found = part(trial)
        status, note = ("wrong", "; ".join(found.wrong)) if found.wrong else ("passed", "")
        result = Result(status, note, found=found)
    except Skip as reason:
        result = Result("skipped", str(reason))
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        first = (str(error).splitlines() or [""])[0]
        result = Result("failed", f"{type(error).__name__}: {first}")
    result.seconds = time.monotonic() - began
    trial.card.tidy()
    return result


@contextmanager
def said() -> Iterator[list[str]]:
    """Warnings that the core logs inside: the smaller path is told there."""
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    ear, log = Ear(logging.WARNING), logging.getLogger("acestep_core")
    log.addHandler(ear)
    try:
        yield heard
    finally:
        log.removeHandler(ear)
