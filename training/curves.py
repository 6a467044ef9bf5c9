"""Loss curves as a picture, by matplotlib where that is installed.

losses.jsonl -> one line per figure, steps across, values on a logarithmic scale up -> PNG
"""

from __future__ import annotations

import json
import logging
import math
from importlib.util import find_spec
from pathlib import Path

from acestep_core.atomic import replaced

log = logging.getLogger(__name__)

SIZE = (9.0, 4.2)  # inches of 100 pixels
JOURNAL, PICTURE = "losses.jsonl", "losses.png"
NOT_DRAWN = ("step", "seconds")
ADVICE = "pip install -r training/requirements-training.txt, then python -m training curves"

Points = list[tuple[int, float]]


def draw(journal: Path, path: Path, title: str) -> bool:
    """Draw the journal's figures that are above zero; whether there was something to draw with."""
    if find_spec("matplotlib") is None:
        log.warning("%s: no curves without matplotlib: %s", title, ADVICE)
        return False
    lines = series(journal)
    if not lines:
        return False
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    figure = Figure(SIZE, layout="constrained")
    axes = figure.add_subplot()
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), linewidth=1, label=f"{name} {points[-1][1]:.3g}")
    last = max(step for points in lines.values() for step, _ in points)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.5)))
    axes.set(title=f"{title}: {last} steps", xlabel="step", xlim=(0, max(last, 1)))
    axes.grid(which="both", alpha=0.25)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    with replaced(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})
    return True


def of_all(runs: Path) -> None:
    """The curves of every stage that kept a journal."""
    for journal in sorted(runs.glob(f"*/{JOURNAL}")):
        draw(journal, journal.with_name(PICTURE), journal.parent.name)


def series(journal: Path) -> dict[str, Points]:
    """Figure -> its points (step, value above zero)."""
    found: dict[str, Points] = {}
    for line in journal.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        for name, value in entry.items():
            if name not in NOT_DRAWN and value > 0 and math.isfinite(value):
                found.setdefault(name, []).append((entry["step"], value))
    return found
