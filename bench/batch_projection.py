"""What very many clips on very many cards would take: measured parts, and assumptions by name.

a small plan, its ledger and its resume, measured a row -> times the rows; the card, the network and
the shared disk are assumptions, each an option
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from acestep_core.batch.plan import BYTES, HOSTED_DOLLARS, RECORD_BYTES, SHARD_BYTES

from .batch_many import many
from .measure import last_line

MEASURED = 20_000  # rows
MODEL_BYTES = 8.3e9  # of the released files
CHUNK = 100_000  # rows of a manifest of its own


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench batch-projection", description=about)
    parser.add_argument("--clips", type=int, default=10_000_000)
    parser.add_argument("--cards", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30.0, help="of music in a clip")
    parser.add_argument("--made-in", type=float, default=6.0, help="seconds of a card for a clip")
    parser.add_argument("--disk", type=float, default=10.0, help="GB/s that all share")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        found = many(Path(folder), MEASURED)
    clips, cards = options.clips, options.cards
    work = clips * options.made_in / cards
    size = clips * (options.seconds * BYTES["flac"] + RECORD_BYTES)
    loading = cards * MODEL_BYTES / options.disk / 1e9
    plan, resume = (found[key] / MEASURED for key in ("plan_s", "resume_s"))
    memory, ledger = (found[key] / MEASURED for key in ("rise_bytes", "ledger_bytes"))
    print(
        f"{clips} clips of {options.seconds:g} s on {cards} cards\n"
        f"Assumed: a card makes one in {options.made_in:g} s (not measured here), all share a disk"
        f" of {options.disk:g} GB/s, FLAC takes {BYTES['flac'] / 1000:g} kB a second\n"
        f"  cards      {work / 3600:.1f} hours each, {work * cards / 3600:.0f} together; hosted"
        f" services would take {clips * options.seconds * HOSTED_DOLLARS:.0f} dollars\n"
        f"  storage    {size / 1e12:.0f} TB, written at {size / work / 1e9:.2f} GB/s;"
        f" {2 * clips} files, or {size / SHARD_BYTES:.0f} of a WebDataset\n"
        f"  loading    {loading / 60:.0f} minutes where all cards read the model at once, once;"
        f" with 8 cards a node that reads it once {loading / 480:.0f}\n"
        f"  one plan   {clips * plan / 60:.0f} minutes and {clips * memory / 1e9:.0f} GB of memory"
        f" in every process, {clips * resume / 60:.0f} minutes to resume\n"
        f"  ledger     {clips * ledger / 1e9:.1f} GB; {clips / work:.0f} rows a second, of one"
        f" process {clips / work / cards:.2f}\n"
        f"  cut into   {clips / CHUNK:.0f} manifests of {CHUNK} rows: a plan of each takes"
        f" {CHUNK * plan:.0f} s and {CHUNK * memory / 1e6:.0f} MB"
    )
    last_line("batch-projection", **found)
    return 0
