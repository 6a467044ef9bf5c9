"""A lyric's parts: which lines belong together, and what a mark should have been called.

    text -> numbered lines -> sections (mark + sung lines)
    "[Verse 1: piano]" -> "[verse]"      "[instrumental]" -> "[inst]"

Nothing here changes a lyric; `suggested_mark` only says what the model would understand.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

from .encode import prefixed
from .structure import MARKS, is_tagged, pieces_of

INSTRUMENTAL = "[inst]"


@dataclass(frozen=True)
class NumberedLine:
    number: int  # from 1, as an editor counts
    text: str


@dataclass(frozen=True)
class Section:
    """One part of a song; mark "" for lines that stand before any mark."""

    mark: str  # as it is written
    number: int  # line of the mark, or of the first line
    lines: tuple[NumberedLine, ...]  # sung lines only

    @property
    def name(self) -> str:
        """The known mark it is, or the one it was meant to be; "" where there is none."""
        return known_mark(self.mark) or suggested_mark(self.mark)


def is_sung(piece: str) -> bool:
    """True for a line with words: neither blank nor in brackets from its first character."""
    return bool(piece) and not is_tagged(prefixed(piece)[1])


def sections_of(text: str) -> tuple[Section, ...]:
    """Sections in order; a blank line begins a new one only where no mark has been given."""
    found: list[Section] = []
    mark, number, lines = "", 1, list[NumberedLine]()

    def close() -> None:
        if mark or lines:
            found.append(Section(mark, number, tuple(lines)))

    for i, piece in enumerate(pieces_of(text), start=1):
        rest = prefixed(piece)[1]
        if rest and is_tagged(rest):
            close()
            mark, number, lines = bracket_of(rest), i, list[NumberedLine]()
            after = rest[len(mark) :].strip()
            if after:
                lines.append(NumberedLine(i, after))
        elif rest:
            if not lines and not mark:
                number = i
            lines.append(NumberedLine(i, rest))
        elif lines and not mark:
            close()
            mark, number, lines = "", i + 1, []
    close()
    return tuple(found)


def bracket_of(line: str) -> str:
    """The bracketed text that opens a line."""
    return line[: line.index("]") + 1]


def known_mark(mark: str) -> str:
    """The mark as the model knows it, "" for one it does not."""
    return mark.lower() if mark.lower() in MARKS else ""


def suggested_mark(mark: str) -> str:
    """The known mark that was meant: numbers and remarks aside; "" where none is near."""
    inner = re.split(r"[:,|(\uff1a-]\s|[:,|(\uff1a]", mark.strip("[] ").lower())[0]
    name = re.sub(r"[\s#_.]*(\d+|[ivx]+)?[\s.]*(x\s*\d+)?$", "", inner).strip()
    for candidate in (inner.strip(), name, name.replace("_", " "), name.replace("-", " ")):
        if candidate in _names():
            return _names()[candidate]
    words = set(re.findall(r"\w+", name))
    single = {_names()[word] for word in words if word in _names()}
    return single.pop() if len(single) == 1 else ""


@functools.cache
def _names() -> dict[str, str]:
    path = Path(__file__).with_name("marks.json")
    table = json.loads(path.read_text(encoding="utf-8"))
    names = {mark.strip("[]"): mark for mark in MARKS}
    names.update({name: mark for mark, listed in table.items() for name in listed})
    return names


def hosted_lyrics(lyrics: str | None) -> str:
    """Lyrics as the hosted services take them: nothing, "[inst]" and "[instrumental]" are one."""
    trimmed = (lyrics or "").strip()
    is_none = trimmed.lower() in ("", INSTRUMENTAL, "[instrumental]")
    return INSTRUMENTAL if is_none else trimmed
