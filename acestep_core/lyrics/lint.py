"""What the model's authors advise about lyrics, as findings; the text itself stays as it is.

    lyrics, duration -> rules, one function each -> findings with line, severity, suggestion

About one line in eight is skipped or sung wrong; marks, groups of four lines, lines of like
length and no more text than fits are what makes that rarer. A "warning" is worth changing,
a "note" worth knowing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from .encode import fixed_language, prefixed
from .estimate import Estimate, estimate, syllables
from .sections import (
    Section,
    bracket_of,
    is_sung,
    known_mark,
    sections_of,
    suggested_mark,
)
from .structure import is_tagged, pieces_of

LONG_LINE = 18  # syllables that one breath hardly carries
UNEVEN = 2.5  # longest line of a section against its shortest
LINES_OF_SECTION = 8
ROW = 3  # equal lines one after another
BLANK_ROW = 2
STAMP = r"\[\d{1,3}:\d\d(?:[.:]\d{1,3})?\]"  # of .lrc files


@dataclass(frozen=True)
class Finding:
    line: int  # from 1; 0 for the song as a whole
    severity: str
    rule: str
    message: str
    suggestion: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.severity}: {self.message} {self.suggestion}"


@dataclass(frozen=True)
class Song:
    """A lyric as the rules see it."""

    pieces: list[str]
    sections: tuple[Section, ...]
    times: Estimate
    language: str
    duration: float | None

    @property
    def sung(self) -> list[tuple[int, str]]:
        return [(i, p) for i, p in enumerate(self.pieces, start=1) if is_sung(p)]


def lint(
    text: str | None, *, language: str = "auto", duration: float | None = None
) -> list[Finding]:
    """Findings in the order of their lines; `language` as in `tokenise`."""
    text = text or ""
    code = fixed_language(language)
    song = Song(pieces_of(text), sections_of(text), estimate(text, code), code, duration)
    found = [finding for rule in RULES for finding in rule(song)]
    return sorted(found, key=lambda finding: finding.line)


def _empty(song: Song) -> Iterator[Finding]:
    if not any(song.pieces):
        yield Finding(
            0,
            "note",
            "empty",
            "Without lyrics the model may sing words of its own.",
            "For music without singing write [inst].",
        )


def _marks(song: Song) -> Iterator[Finding]:
    if song.sung and not any(is_tagged(p) and known_mark(bracket_of(p)) for p in song.pieces):
        yield Finding(
            song.sung[0][0],
            "warning",
            "no-marks",
            "No structure mark is known to the model.",
            "Begin each part with one, such as [verse] or [chorus].",
        )
    for number, piece in enumerate(song.pieces, start=1):
        if re.match(STAMP, piece):
            yield Finding(
                number,
                "warning",
                "timestamp",
                "A time in brackets is read as words, not kept.",
                "Take the times out.",
            )
        elif is_tagged(piece) and not prefixed(piece)[0]:
            yield from _mark(number, piece)


def _mark(number: int, piece: str) -> Iterator[Finding]:
    mark = bracket_of(piece)
    if not known_mark(mark):
        meant = suggested_mark(mark)
        suggestion = f"Write {meant}." if meant else "Leave it out, or use a mark from the list."
        yield Finding(
            number,
            "warning",
            "unknown-mark",
            f"{mark} is not a mark of the model; it is read as words between unknown characters.",
            suggestion,
        )
    rest = piece[len(mark) :].strip()
    if rest:
        lost = "are lost" if re.search("[^\x00-\u024f]", rest) else "are read as English"
        yield Finding(
            number,
            "warning",
            "mark-with-text",
            f"Words after {mark} on its line {lost}.",
            "Put them on the next line.",
        )


def _brackets(song: Song) -> Iterator[Finding]:
    for number, piece in enumerate(song.pieces, start=1):
        rest = prefixed(piece)[1]
        inside = rest[len(bracket_of(rest)) :] if is_tagged(rest) else rest
        if any(piece.count(a) != piece.count(b) for a, b in ("[]", "()", "{}")):
            yield Finding(
                number,
                "warning",
                "open-bracket",
                "A bracket is not closed or not opened.",
                "Complete or remove it.",
            )
        elif "[" in inside:
            yield Finding(
                number,
                "warning",
                "mark-in-line",
                "A mark inside a line is read as words.",
                "Give it a line of its own, before the words.",
            )
        elif "(" in inside:
            yield Finding(
                number,
                "note",
                "round-brackets",
                "Words in round brackets are sung; often, not always, by a second voice.",
                "Remove them if they are a remark.",
            )


def _foreign_text(song: Song) -> Iterator[Finding]:
    for number, piece in song.sung:
        if re.search(r"</?\w[^>]*>|https?://|\bwww\.", piece):
            yield Finding(
                number, "warning", "markup", "Code or an address is sung as words.", "Remove it."
            )
        elif not re.search(r"[^\W\d_]", piece):
            yield Finding(
                number,
                "note",
                "no-letters",
                "A line without letters is mostly passed over.",
                "Write numbers in words; leave signs out.",
            )


def _lengths(song: Song) -> Iterator[Finding]:
    for section in song.sections:
        counts = [syllables(line.text, song.language) for line in section.lines]
        for line, count in zip(section.lines, counts, strict=True):
            if count > LONG_LINE:
                yield Finding(
                    line.number,
                    "warning",
                    "long-line",
                    f"About {count} syllables in one line; the end may be hurried or left out.",
                    "Break it in two.",
                )
        sung = [count for count in counts if count]  # the model passes over the others
        if len(sung) > 1 and max(sung) > UNEVEN * max(2, min(sung)):
            yield Finding(
                section.number,
                "note",
                "uneven-lines",
                f"Lines of {min(sung)} to {max(sung)} syllables stand in one part.",
                "Lines of like length keep to the melody better.",
            )


def _groups(song: Song) -> Iterator[Finding]:
    for section in song.sections:
        count = len(section.lines)
        if count > LINES_OF_SECTION:
            yield Finding(
                section.number,
                "warning",
                "long-section",
                f"{count} lines in one part; lines get lost in long ones.",
                "Make groups of four lines, each under its mark.",
            )
        elif count > 4 and count % 4:
            yield Finding(
                section.number,
                "note",
                "group",
                f"{count} lines in one part.",
                "Groups of four lines work best.",
            )
        elif not count and known_mark(section.mark) in ("[verse]", "[chorus]", "[bridge]"):
            yield Finding(
                section.number,
                "note",
                "empty-section",
                f"{section.mark} has no lines.",
                "Write some, or make it [inst].",
            )


def _blanks(song: Song) -> Iterator[Finding]:
    pieces = song.pieces
    for i, piece in enumerate(pieces):
        before = pieces[i - 1] if i else ""
        if is_tagged(piece) and not prefixed(piece)[0] and is_sung(before):
            yield Finding(
                i + 1,
                "note",
                "no-blank-line",
                f"No empty line stands before {bracket_of(piece)}.",
                "One between parts helps the model to pause.",
            )
        row = pieces[max(0, i - BLANK_ROW + 1) : i + 1]
        is_end = not any(pieces[i:])
        if i >= BLANK_ROW - 1 and not any(row) and not is_end and pieces[i + 1]:
            yield Finding(
                i + 1,
                "note",
                "blank-lines",
                "Several empty lines follow one another.",
                "One is enough.",
            )


def _repeats(song: Song) -> Iterator[Finding]:
    row = 1
    sung = song.sung
    for (_, before), (number, piece) in pairwise(sung):
        row = row + 1 if piece.casefold() == before.casefold() else 1
        if row == ROW:
            yield Finding(
                number,
                "warning",
                "repeated-line",
                f"The same line {ROW} times in a row; the model loses count.",
                "Vary it, or repeat the part instead.",
            )


def _duration(song: Song) -> Iterator[Finding]:
    if song.duration is None or not song.sung:
        return
    seconds, given = song.times.seconds, song.duration
    if not song.times.fits(given):
        yield Finding(
            0,
            "warning",
            "too-much-text",
            f"Estimate: the words take about {seconds:.0f} s, the clip is {given:g} s long.",
            "Shorten the words, or make the clip longer.",
        )
    elif seconds < given / 2:
        yield Finding(
            0,
            "note",
            "too-little-text",
            f"Estimate: the words take about {seconds:.0f} s of {given:g} s; the rest may repeat.",
            "Shorten the clip, or add [inst] where nobody sings.",
        )


RULES: tuple[Callable[[Song], Iterator[Finding]], ...] = (
    _empty,
    _marks,
    _brackets,
    _foreign_text,
    _lengths,
    _groups,
    _blanks,
    _repeats,
    _duration,
)
