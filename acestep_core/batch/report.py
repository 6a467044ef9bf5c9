"""What became of a batch: counts, quality gates, a few pictures; as Markdown for people.

results.jsonl -> Report -> report.md, pictures/ID.png
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..atomic import check_place, replaced
from ..config import SAMPLE_RATE, VocoderConfig
from ..pictures.sound import mel_picture, save_png
from ..sound.audio import resample, stereo
from ..sound.files import read_audio
from ..sound.mel import log_mel
from .course import Batch, results
from .gates import GATES
from .ledger import DONE, Known
from .plan import lasting

NAME = "report.md"
PICTURES = 6  # of rows spread evenly over those that are done
LISTED = 20  # rows by name


@dataclass
class Report:
    rows: int
    done: int = 0
    failed: int = 0
    seconds: float = 0.0  # of music
    size: int = 0  # bytes
    gates: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    flagged: list[str] = field(default_factory=list)
    levels: Counter[int] = field(default_factory=Counter)  # LUFS, rounded down to 5
    ranges: Counter[int] = field(default_factory=Counter)  # LU, rounded down to 5
    pictured: list[Mapping[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, batch: Batch, known: dict[int, Known]) -> Report:
        report = cls(len(batch.plan.rows))
        every = -(-report.rows // PICTURES)
        for number, row in enumerate(results(batch, known)):
            report._add(row)
            if row["status"] == DONE and number % every == 0:
                report.pictured.append(row)
        return report

    def _add(self, row: Mapping[str, Any]) -> None:
        self.gates.update(row["gates"])
        if row["status"] != DONE:
            self.failed += 1
            if len(self.errors) < LISTED:
                self.errors.append(f"{row['id']}: {row['error']}")
            return
        self.done += 1
        self.seconds += row["seconds"]
        self.size += row["bytes"]
        if row["loudness"] is not None:
            self.levels[int(row["loudness"] // 5 * 5)] += 1
        if row["loudness_range"] is not None:
            self.ranges[int(row["loudness_range"] // 5 * 5)] += 1
        if row["gates"] and len(self.flagged) < LISTED:
            more = f" of {row['duplicate_of']}" if "duplicate_of" in row else ""
            self.flagged.append(f"{row['id']}: {', '.join(row['gates'])}{more}")

    def summary(self) -> str:
        gates = ", ".join(f"{self.gates[name]} {name}" for name in GATES if self.gates[name])
        waiting = self.rows - self.done - self.failed
        parts = [f"{self.done} of {self.rows} songs", lasting(self.seconds)]
        parts += [f"{self.failed} failed"] * bool(self.failed)
        parts += [f"{waiting} not made yet"] * bool(waiting)
        return ", ".join(parts) + (f"; flagged: {gates}" if gates else "")

    def write(self, batch: Batch) -> Path:
        path = check_place(batch.out / NAME)
        pictures = [f"![{row['id']}]({_picture(batch, row)})" for row in self.pictured]
        with replaced(path) as place:
            place.write_text("\n".join([*self._lines(), *pictures]) + "\n", encoding="utf-8")
        return path

    def _lines(self) -> list[str]:
        lines = ["# Batch", "", self.summary() + ".", "", f"{self.size / 1e6:.1f} MB of sound.", ""]
        lines += ["## Quality gates", "", "| gate | rows |", "|---|---|"]
        lines += [f"| {name} | {self.gates[name]} |" for name in GATES]
        for title, unit, counted in (
            ("Loudness", "LUFS", self.levels),
            ("Loudness range", "LU", self.ranges),
        ):
            lines += ["", f"## {title}", "", f"| {unit} | rows |", "|---|---|"]
            lines += [f"| {low} to {low + 5} | {count} |" for low, count in sorted(counted.items())]
        for title, told in (("Flagged", self.flagged), ("Failed", self.errors)):
            lines += ["", f"## {title}", "", *(f"- {one}" for one in told)] if told else []
        return [*lines, *["", "## A few of them", ""] * bool(self.pictured)]


def _picture(batch: Batch, row: Mapping[str, Any]) -> str:
    """The mel spectrogram of a row, drawn; its place from the folder of the batch."""
    with batch.packs.sound(row["path"], row["id"]) as sound:
        wave, rate = read_audio(sound)
    mel = log_mel(stereo(resample(wave, rate, SAMPLE_RATE)), VocoderConfig())
    title = f"{row['id']}  {row['loudness']} LUFS"
    place = Path("pictures") / f"{row['id']}.png"
    save_png(mel_picture(mel, wave.shape[-1] / rate, title), batch.out / place)
    return place.as_posix()
