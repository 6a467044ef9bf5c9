"""Old lyrics against new ones, before an edit: what changed, and can flow-edit carry it.

    old, new -> lines aligned -> changed words, syllables per section -> n_min to try

Flow-edit keeps what both lyrics share and finds new sound for the rest. It works for a line
at a time: the more words change, and the more their number of syllables, the lower n_min must
be, and the less of the old performance is left. The thresholds are rules of thumb.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from .estimate import syllables
from .sections import Section, is_sung, sections_of
from .structure import pieces_of

# Share of changed words up to which -> n_min to try; n_max is 1. The preset is 0.6.
STEPS = ((0.1, 0.8), (0.25, 0.7), (0.5, 0.6))
STOP = 1.0
SYLLABLES_OF_A_LINE = 3  # a line that much longer or shorter no longer fits its melody
MOST_PAIRS = 10_000  # of lines that are compared with one another; beyond, they go in step
RULE = (
    "Rule of thumb: up to a tenth of the words n_min 0.8, a quarter 0.7, half 0.6 (the preset);"
    " more is a new song. Line counts must stay."
)


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
    syllables: int


@dataclass(frozen=True)
class Comparison:
    lines: tuple[LineChange, ...]
    sections: tuple[SectionChange, ...]
    share: float  # of the words, 0 nothing changed, 1 everything
    can_carry: bool
    n_min: float | None  # to try first; None where an edit is not the way
    n_max: float
    advice: tuple[str, ...]

    def as_data(self) -> dict[str, object]:
        return dataclasses.asdict(self)


def compare(old: str, new: str, *, language: str = "") -> Comparison:
    """What changed between two lyrics; `language` of lines in Latin letters, "" English."""
    lines = tuple(_aligned(pieces_of(old), pieces_of(new), language))
    sections = tuple(_sections(sections_of(old), sections_of(new), language))
    share = _share(lines)
    n_min = next((start for limit, start in STEPS if share <= limit), None)
    problems = _problems(lines, sections, share)
    can_carry = n_min is not None and not problems
    advice = _advice(share, can_carry, problems)
    return Comparison(lines, sections, share, can_carry, n_min, STOP, tuple(advice))


def _words(text: str) -> list[str]:
    """Words; each character of a script that puts no spaces between them."""
    return re.findall(
        "[\u3040-\u30ff\u3400-\u9fff]|[^\\W\u3040-\u30ff\u3400-\u9fff]+['\u2019]?", text
    )


def _aligned(old: list[str], new: list[str], language: str) -> list[LineChange]:
    folded = [[piece.casefold() for piece in pieces] for pieces in (old, new)]
    changes: list[LineChange] = []
    for kind, a, b, c, d in SequenceMatcher(None, *folded, autojunk=False).get_opcodes():
        first = list(enumerate(old[a:b], start=a + 1))
        second = list(enumerate(new[c:d], start=c + 1))
        pairs = _paired(first, second) if kind == "replace" else _in_step(first, second)
        changes += [_change(one, two, language) for one, two in pairs]
    return [change for change in changes if change.old or change.new]


Numbered = tuple[int, str]
NOTHING: Numbered = (0, "")


def _in_step(first: list[Numbered], second: list[Numbered]) -> list[tuple[Numbered, Numbered]]:
    size = max(len(first), len(second))
    first, second = (x + [NOTHING] * (size - len(x)) for x in (first, second))
    return list(zip(first, second, strict=True))


def _paired(first: list[Numbered], second: list[Numbered]) -> list[tuple[Numbered, Numbered]]:
    """Unequal blocks: the most alike lines stand beside each other, in order."""
    if len(first) == len(second) or not 0 < len(first) * len(second) <= MOST_PAIRS:
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
    return SequenceMatcher(None, _words(one.casefold()), _words(two.casefold())).ratio()


def _change(one: Numbered, two: Numbered, language: str) -> LineChange:
    (old_number, old), (new_number, new) = one, two
    before, after = _words(old), _words(new)
    removed, added = _word_changes(before, after)
    difference = _sung_syllables(new, language) - _sung_syllables(old, language)
    if not old_number or not old:
        kind = "added"
    elif not new_number or not new:
        kind = "removed"
    else:
        kind = "changed" if old.casefold() != new.casefold() else "same"
    return LineChange(kind, old_number, new_number, old, new, removed, added, difference)


def _word_changes(before: list[str], after: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    folded = [[word.casefold() for word in words] for words in (before, after)]
    removed: list[str] = []
    added: list[str] = []
    for kind, a, b, c, d in SequenceMatcher(None, *folded, autojunk=False).get_opcodes():
        if kind != "equal":
            removed += before[a:b]
            added += after[c:d]
    return tuple(removed), tuple(added)


def _sung_syllables(piece: str, language: str) -> int:
    return syllables(piece, language) if is_sung(piece) else 0


def _share(lines: tuple[LineChange, ...]) -> float:
    sung = [line for line in lines if is_sung(line.old) or is_sung(line.new)]
    total = sum(max(len(_words(line.old)), len(_words(line.new))) for line in sung)
    changed = sum(max(len(line.removed_words), len(line.added_words)) for line in sung)
    return round(changed / total, 3) if total else float(any(x.kind != "same" for x in lines))


def _sections(
    old: tuple[Section, ...], new: tuple[Section, ...], language: str
) -> list[SectionChange]:
    nothing = Section("", 0, ())
    size = max(len(old), len(new))
    pairs = zip(
        [*old, *[nothing] * (size - len(old))], [*new, *[nothing] * (size - len(new))], strict=True
    )
    return [
        SectionChange(
            one.mark,
            two.mark,
            len(two.lines) - len(one.lines),
            _count(two, language) - _count(one, language),
        )
        for one, two in pairs
    ]


def _count(section: Section, language: str) -> int:
    return sum(syllables(line.text, language) for line in section.lines)


def _problems(
    lines: tuple[LineChange, ...], sections: tuple[SectionChange, ...], share: float
) -> list[str]:
    """What flow-edit cannot do; empty for a change it may carry."""
    problems = []
    if share > STEPS[-1][0]:
        problems.append(
            f"{share:.0%} of the words change. Edit a line or two at a time and go on from each"
            " result, or make a new song."
        )
    if any(section.lines for section in sections):
        problems.append(
            "Lines are added or removed; the melody has no place for them. Keep the number of"
            " lines, or use Extend or Inpaint."
        )
    if any(x.old_mark.lower() != x.new_mark.lower() for x in sections):
        problems.append("Structure marks change; the form of the song stays in an edit.")
    return problems + [
        f"Line {line.new_number} has {abs(line.syllables)} syllables"
        f" {'more' if line.syllables > 0 else 'less'} than before; keep within"
        f" {SYLLABLES_OF_A_LINE}."
        for line in lines
        if line.kind == "changed" and abs(line.syllables) > SYLLABLES_OF_A_LINE
    ]


def _advice(share: float, can_carry: bool, problems: list[str]) -> list[str]:
    if not share and can_carry:
        return ["Nothing changed that is sung."]
    return [*problems, RULE]


def as_text(found: Comparison) -> str:
    """One line for each that changed, and what to try."""
    signs = {"same": " ", "changed": "~", "added": "+", "removed": "-"}
    rows = []
    for line in found.lines:
        number = line.new_number or line.old_number
        shown = line.new if line.kind != "removed" else line.old
        rows.append(f"{signs[line.kind]} {number:>3}  {shown}")
        if line.kind == "changed":
            was = " ".join(line.removed_words) or "-"
            now = " ".join(line.added_words) or "-"
            rows.append(f"       {was} -> {now} ({line.syllables:+d} syllables)")
    start = "none" if found.n_min is None else f"{found.n_min:g} to {found.n_max:g}"
    carried = "can carry this" if found.can_carry else "will hardly carry this"
    rows.append(f"{found.share:.0%} of the words change; flow-edit {carried}; n_min {start}")
    return "\n".join([*rows, *found.advice]) + "\n"
