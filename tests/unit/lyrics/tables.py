"""Tables of expected values; other scripts stay out of the test modules."""

from __future__ import annotations

from pathlib import Path


def rows(name: str) -> list[list[str]]:
    text = Path(__file__).with_name(f"{name}.tsv").read_text(encoding="utf-8")
    return [row.split("\t") for row in text.rstrip("\n").split("\n")]
