"""What a trial found: lines while it runs, a table, the page, and one JSON line."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import torch

from bench.measure import commit, last_line

from . import page
from .parts import WHOLE, Found, Result, Trial


class Report:
    def __init__(self, trial: Trial, parts: list[str], place: Path | None) -> None:
        self.trial, self.parts, self.place = trial, parts, place
        self.began, self.running = time.monotonic(), ""
        self.results: dict[str, Result] = {}
        self.lines: list[str] = []
        self._is_over, self._lock = False, threading.Lock()

    def say(self, line: str) -> None:
        self.lines.append(line)
        print(line, flush=True)

    def add(self, name: str, result: Result) -> None:
        self.results[name] = result
        note = f": {result.note}" if result.note else ""
        self.say(f"{name}: {result.status}{note} ({result.seconds:.1f} s)")
        for line in (*result.found.lines, *left_out(result.found)):
            self.say(f"  {line}")

    @property
    def status(self) -> int:
        """Exit status: 1 if something was beyond its limit or broke."""
        bad = {"wrong", "failed"} & {result.status for result in self.results.values()}
        return 1 if bad else 0

    def finish(self, cut: str = "") -> bool:
        """Table, page and the last line, once; `cut` is the part that had no time to end."""
        with self._lock:
            if self._is_over:
                return False
            self._is_over = True
            card, took = self.trial.card, time.monotonic() - self.began
            self.say(f"\n{'part':20}{'ended':10}{'seconds':>8}")
            for name, result in self.results.items():
                self.say(f"{name:20}{result.status:10}{result.seconds:8.1f}")
            for name in self.missing:
                self.say(f"{name:20}{'cut short' if name == cut else 'not reached'}")
            self.say(f"({card.name}, torch {torch.__version__}, commit {commit()}, {took:.0f} s)")
            if self.place:
                page.write(self.place, card.name, "\n".join(self.lines))
                print(f"Written: {self.place}")
            last_line("gpu", device=card.name, **self.figures(took, cut))
            return True

    @property
    def missing(self) -> list[str]:
        return [name for name in self.parts if name not in self.results]

    def figures(self, took: float, cut: str) -> dict[str, object]:
        parts, skipped = {}, [f"{name}: not reached" for name in self.missing]
        for name, result in self.results.items():
            ended = {"status": result.status, "s": round(result.seconds, 1), "note": result.note}
            parts[name] = {**ended, **result.found.figures}
            if result.status == "skipped":
                skipped.append(f"{name}: {result.note}")
            skipped += [f"{name}: {line}" for line in result.found.skipped]
        return {
            "card": self.trial.card.about(),
            "sizes": self.trial.sizes.name,
            "took_s": round(took, 1),
            "cut": cut,
            "parts": parts,
            "skipped": skipped,
        }


def left_out(found: Found) -> list[str]:
    return [f"left out: {line}" for line in found.skipped]


def place_of(trial: Trial, parts: list[str], known: list[str], place: Path) -> Path | None:
    """Where a page is written: only a whole trial of a card gets one."""
    is_whole = trial.sizes == WHOLE and parts == known
    return place if trial.card.is_cuda and is_whole else None
