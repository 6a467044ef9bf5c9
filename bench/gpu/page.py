"""docs/benchmarks-gpu.md: what was printed, one section for each card."""

from __future__ import annotations

from pathlib import Path

from acestep_core.atomic import replaced

HEAD = """# Measured on cards

`python3 dev.py gpu` writes the section of the card it runs on; the others stay as they are.
"""
MARK = "\n## "


def write(path: Path, card: str, text: str) -> None:
    """Put a card's text in place of what was there of it."""
    old = path.read_text(encoding="utf-8") if path.is_file() else HEAD
    head, *sections = old.split(MARK)
    others = [section for section in sections if section.splitlines()[0] != card]
    own = f"{card}\n\n```text\n{text.strip()}\n```\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    pages = sorted([*(section.rstrip() + "\n" for section in others), own])
    with replaced(path) as temporary:
        temporary.write_text(MARK.join([head.rstrip() + "\n", *pages]), encoding="utf-8")
