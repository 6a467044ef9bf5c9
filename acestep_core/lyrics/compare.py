"""Old lyrics against new ones, before an edit: what changed, and can flow-edit carry it.

    old, new -> lines aligned -> changed words, syllables per line -> n_min to try, problems

Flow-edit keeps what both lyrics share and finds new sound for the rest. It works for a line
at a time: the more words change, and the more their number of syllables, the lower n_min must
be, and the less of the old performance is left. The thresholds are rules of thumb.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest

from .encode import fixed_language
from .estimate import syllables
from .sections import Section, sections_of
from .structure import pieces_of

# Share of changed words up to which -> n_min to try; n_max is 1. 0.6 is the authors' preset, made
# for a line at a time, which even of a verse of four lines alone is hardly more than a third.
STEPS = ((0.1, 0.8), (0.25, 0.7), (1 / 3, 0.6))
SYLLABLES_OF_A_LINE = 3  # a line that much longer or shorter no longer fits its melody
LINES_NAMED = 5  # in one warning
MOST_PAIRS = 1_000_000  # of lines, or of words of a line, that are aligned; beyond, in step
MOST_LIKENESSES = 10_000  # of lines that are compared word by word with one another

# Scripts written without spaces: each character counts as a word.
SPACELESS = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff"
WORD = re.compile(rf"[{SPACELESS}]|[^\W_{SPACELESS}]+(?:'[^\W_{SPACELESS}]+)*")


@dataclass(frozen=True)
class LineChange:
    kind: str  # "same", "changed", "added" or "removed"
    old_number: int  # 0 for an added line
    new_number: int  # 0 for a removed one
    old: str
    new: str
    removed_words: tuple[str, ...]
    added_words: tuple[str, ...]
    syllables: int  # of the new line minus the old one


@dataclass(frozen=True)
class SectionChange:
    old_mark: str
    new_mark: str
    lines: int  # new minus old


@dataclass(frozen=True)
class Comparison:
    lines: tuple[LineChange, ...]
    sections: tuple[SectionChange, ...]
    share: float  # of the words, 0 nothing changed, 1 everything
    n_min: float | None  # to try first; None where an edit is not the way
    problems: tuple[str, ...]  # what flow-edit cannot do; empty for a change it may carry


def compare(old: str, new: str, *, language: str = "auto") -> Comparison:
    """What changed between two lyrics; `language` as in `tokenise`."""
    code = fixed_language(language)
    lines = tuple(_aligned(pieces_of(old), pieces_of(new), code))
    sections = tuple(_sections(sections_of(old), sections_of(new)))
    share = _share(lines)
    n_min = next((start for limit, start in STEPS if share <= limit), None)
    return Comparison(lines, sections, share, n_min, tuple(_problems(lines, sections, share)))


def _words(piece: str) -> list[str]:
    """Words that are sung, as they are spelled: marks like [verse] are none."""
    plain = re.sub(r"\[[^\]]*\]", " ", piece).replace("\u2019", "'")
    return WORD.findall(plain.casefold())


def _aligned(old: list[str], new: list[str], language: str) -> list[LineChange]:
    changes: list[LineChange] = []
    folded = [[piece.casefold() for piece in pieces] for pieces in (old, new)]
    for kind, a, b, c, d in _opcodes(*folded):
        first = list(enumerate(old[a:b], start=a + 1))
        second = list(enumerate(new[c:d], start=c + 1))
        pairs = _paired(first, second) if kind == "replace" else _in_step(first, second)
        changes += [_change(one, two, language) for one, two in pairs]
    return [change for change in changes if change.old or change.new]


def _opcodes(first: list[str], second: list[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """What difflib says; where that took long, what is at another place counts as changed."""
    if len(first) * len(second) <= MOST_PAIRS:
        return SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    both = min(len(first), len(second))
    same = ("equal" if first[i] == second[i] else "replace" for i in range(both))
    rest = [("replace", both, len(first), both, len(second))] * (len(first) != len(second))
    return [*((kind, i, i + 1, i, i + 1) for i, kind in enumerate(same)), *rest]


Numbered = tuple[int, str]
NOTHING: Numbered = (0, "")


def _in_step(first: list[Numbered], second: list[Numbered]) -> list[tuple[Numbered, Numbered]]:
    return list(zip_longest(first, second, fillvalue=NOTHING))


def _paired(first: list[Numbered], second: list[Numbered]) -> list[tuple[Numbered, Numbered]]:
    """Unequal blocks: the most alike lines stand beside each other, in order."""
    if len(first) == len(second) or not 0 < len(first) * len(second) <= MOST_LIKENESSES:
        return _in_step(first, second)
    best = max(
        (
            (_alike(one[1], two[1]), -abs(i - j), i, j)
            for i, one in enumerate(first)
            for j, two in enumerate(second)
        ),
    )
    i, j = best[2], best[3]
    before = _paired(first[:i], second[:j])
    return [*before, (first[i], second[j]), *_paired(first[i + 1 :], second[j + 1 :])]


@functools.lru_cache(maxsize=8192)
def _alike(one: str, two: str) -> float:
    return SequenceMatcher(None, _words(one), _words(two)).ratio()


def _change(one: Numbered, two: Numbered, language: str) -> LineChange:
    (old_number, old), (new_number, new) = one, two
    removed, added = _word_changes(_words(old), _words(new))
    difference = _sung_syllables(new, language) - _sung_syllables(old, language)
    if not old_number or not old:
        kind = "added"
    elif not new_number or not new:
        kind = "removed"
    else:
        kind = "changed" if old.casefold() != new.casefold() else "same"
    return LineChange(kind, old_number, new_number, old, new, removed, added, difference)


def _word_changes(before: list[str], after: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    changes = [spans for kind, *spans in _opcodes(before, after) if kind != "equal"]
    removed = tuple(word for a, b, _, _ in changes for word in before[a:b])
    added = tuple(word for _, _, c, d in changes for word in after[c:d])
    return removed, added


def _sung_syllables(piece: str, language: str) -> int:
    return syllables(" ".join(_words(piece)), language)


def _share(lines: tuple[LineChange, ...]) -> float:
    total = sum(max(len(_words(line.old)), len(_words(line.new))) for line in lines)
    changed = sum(max(len(line.removed_words), len(line.added_words)) for line in lines)
    return round(changed / total, 3) if total else 0.0


def _sections(old: tuple[Section, ...], new: tuple[Section, ...]) -> list[SectionChange]:
    pairs = zip_longest(old, new, fillvalue=Section("", 0, ()))
    return [SectionChange(a.mark, b.mark, len(b.lines) - len(a.lines)) for a, b in pairs]


def _problems(
    lines: tuple[LineChange, ...], sections: tuple[SectionChange, ...], share: float
) -> list[str]:
    problems: list[str] = []
    most = STEPS[-1][0]
    if share > most:
        problems.append(
            f"{share:.0%} of the words change; beyond {most:.0%} lines are often skipped or"
            " repeated. Change a line at a time and go on from each result, or use Inpaint."
        )
    if any(section.lines for section in sections):
        problems.append(
            "Lines are added or removed; the melody has no place for them. Keep the number of"
            " lines, or use Extend or Inpaint."
        )
    if any(x.old_mark.lower() != x.new_mark.lower() for x in sections):
        problems.append("Structure marks change; the form of the song stays in an edit.")
    uneven = [
        f"line {line.new_number} {line.syllables:+d}"
        for line in lines
        if line.kind == "changed" and abs(line.syllables) > SYLLABLES_OF_A_LINE
    ]
    if uneven:
        problems.append(
            f"More than {SYLLABLES_OF_A_LINE} syllables more or less no longer fit a line's melody:"
            f" {', '.join(uneven[:LINES_NAMED])}{' and more' * (len(uneven) > LINES_NAMED)}."
        )
    return problems
