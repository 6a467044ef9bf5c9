"""The frame around the words: line breaks, structure marks and the empty lyric.

    text -> pieces -> [START] + (tokens of a line + BREAK) per piece

Everything here comes from constants, so a lyric of structure marks alone needs no vocabulary
file. There is no end token: a line break closes every line, blank ones included.
"""

from __future__ import annotations

STOP = 0  # also the single id of "no lyric"
UNKNOWN = 1  # one per character that is not in the vocabulary
BREAK = 2  # between words as well as at the end of a line
START = 261
ENGLISH = 259  # every structure mark is spoken in English, whatever the song's language

MARKS = {
    "[start]": 6681,
    "[intro]": 6682,
    "[verse]": 6683,
    "[chorus]": 6684,
    "[bridge]": 6685,
    "[outro]": 6686,
    "[end]": 6687,
    "[inst]": 6688,
    "[solo]": 6689,
    "[hook]": 6690,
    "[pre-chorus]": 6691,
    "[break]": 6692,
}


def pieces_of(text: str) -> list[str]:
    """Lines as the model sees them: cut at line feeds only, trimmed; blank lines count."""
    return [piece.strip() for piece in text.split("\n")]


def is_tagged(line: str) -> bool:
    """True for a line that starts with something in square brackets, known mark or not."""
    return line.startswith("[") and "]" in line


def mark_ids(line: str) -> tuple[int, ...] | None:
    """Tokens of a line that is nothing but a structure mark; None for any other line."""
    mark = MARKS.get(line.lower())
    return None if mark is None else (ENGLISH, mark)
