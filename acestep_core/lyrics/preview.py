"""What the model will really hear, line by line, before anything is generated.

    lyrics -> tokens, marks, unknown characters, estimated seconds -> Preview -> text, HTML

Nothing is rewritten here: a mark the model does not know is shown with its cost and with the
mark that was probably meant. Seconds are an estimate and are called one everywhere.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from ..config import MAX_LYRIC_TOKENS
from ..types import LyricLine, Lyrics
from .encode import fixed_language, tokenise
from .estimate import (
    TURN,
    WORDLESS_SECONDS,
    Estimate,
    SectionTime,
    line_seconds,
    syllables,
)
from .foreign import foreign_note
from .languages import LANGUAGES
from .sections import bracket_of, is_sung, known_mark, sections_of, suggested_mark
from .structure import UNKNOWN, is_tagged
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class MarkNote:
    """A structure mark: whether the model knows it, and what it costs if not."""

    text: str
    is_known: bool
    tokens: int
    unknown: int
    suggestion: str  # what to write instead; "" where nothing needs to change


@dataclass(frozen=True)
class LineNote:
    """One line as the model will hear it."""

    number: int
    text: str
    language: str
    normalised: str
    tokens: tuple[int, ...]  # without the line break
    unknown: tuple[str, ...]  # characters that are not in the vocabulary, each once
    unknown_count: int
    syllables: int
    seconds: float  # an estimate
    mark: MarkNote | None


@dataclass(frozen=True)
class Preview:
    lines: tuple[LineNote, ...]
    sections: tuple[SectionTime, ...]
    tokens: int
    token_limit: int
    seconds: float  # of singing and marks, an estimate
    duration: float | None
    notes: tuple[str, ...]  # about the whole song

    def as_data(self) -> dict[str, object]:
        """Nothing but lists, dictionaries, text and numbers, for JSON."""
        return dataclasses.asdict(self)


def preview(
    text: str | None,
    *,
    language: str = "auto",
    detector: str = "corrected",
    vocabulary: Vocabulary | None = None,
    duration: float | None = None,
) -> Preview:
    """Everything that can be said of lyrics before singing; settings as in `tokenise`."""
    vocabulary = vocabulary or Vocabulary.find()
    lyrics = tokenise(text, language=language, detector=detector, vocabulary=vocabulary)
    return heard(lyrics, vocabulary, duration)


def heard(lyrics: Lyrics, vocabulary: Vocabulary, duration: float | None = None) -> Preview:
    """The same of lyrics that are tokens already."""
    known = _Known(vocabulary)
    lines = tuple(_note(i, line, known) for i, line in enumerate(lyrics.lines, start=1))
    times = _times(lyrics.text if lines else "", lines)
    tokens = int(lyrics.mask.sum())
    notes = [*lyrics.warnings, *_notes(lyrics, times, duration)]
    if not fixed_language(lyrics.language):
        notes += foreign_note([line.text for line in lyrics.lines])
    return Preview(
        lines, times.sections, tokens, MAX_LYRIC_TOKENS, times.seconds, duration, tuple(notes)
    )


class _Known:
    """Which characters the vocabulary has, asked once for each."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._answers: dict[str, bool] = {}

    def __call__(self, char: str) -> bool:
        if char not in self._answers:
            self._answers[char] = UNKNOWN not in self._vocabulary.encode(char)
        return self._answers[char]


def _note(number: int, line: LyricLine, known: _Known) -> LineNote:
    ids = line.ids[:-1]
    count = ids.count(UNKNOWN)
    chars = dict.fromkeys(line.normalised) if count else {}
    unknown = tuple(char for char in chars if not char.isspace() and not known(char))
    sung = is_sung(line.text)
    return LineNote(
        number,
        line.text,
        line.language,
        line.normalised,
        ids,
        unknown,
        count,
        syllables(_spoken(line), line.language) if sung else 0,
        round(_seconds(line), 2) if sung else 0.0,
        _mark(line) if line.text and is_tagged(line.text) else None,
    )


def _spoken(line: LyricLine) -> str:
    """Where a script hides its sounds, the letters they are sung by."""
    if line.language in ("zh", "ko") or not line.normalised:
        return line.text  # a character or a block is a syllable
    return line.normalised


def _seconds(line: LyricLine) -> float:
    return line_seconds(_spoken(line), line.language)


def _mark(line: LyricLine) -> MarkNote:
    mark = bracket_of(line.text)
    rest = line.text[len(mark) :].strip()
    meant = known_mark(mark) or suggested_mark(mark)
    if known_mark(mark) and not rest:
        suggestion = ""
    elif rest:
        suggestion = f"write {meant or mark} on a line of its own, the words on the next"
    elif meant:
        suggestion = f"write {meant}"
    else:
        suggestion = "leave it out, or write one of the marks the model knows"
    ids = line.ids[:-1]
    return MarkNote(mark, bool(known_mark(mark)), len(ids), ids.count(UNKNOWN), suggestion)


def _times(text: str, lines: tuple[LineNote, ...]) -> Estimate:
    """As `estimate`, with what the lines' own languages say."""
    times: list[SectionTime] = []
    for part in sections_of(text):
        notes = [lines[line.number - 1] for line in part.lines]
        own = [(syllables(x.text), line_seconds(x.text)) for x in part.lines]
        spoken = [
            (note.syllables, note.seconds) if note.seconds else other
            for note, other in zip(notes, own, strict=True)
        ]
        seconds = sum(s for _, s in spoken) + (TURN if spoken else 0.0)
        if not spoken:
            seconds = WORDLESS_SECONDS.get(part.name, 0.0)
        count = sum(n for n, _ in spoken)
        times.append(SectionTime(part.mark, part.number, len(spoken), count, round(seconds, 2)))
    return Estimate(tuple(times), round(sum(time.seconds for time in times), 1))


def _notes(lyrics: Lyrics, times: Estimate, duration: float | None) -> list[str]:
    notes: list[str] = []
    if not lyrics.lines:
        notes.append(
            "No lyrics: the model may sing words of its own. For music without singing write"
            " [inst]."
        )
    if duration is not None and lyrics.lines:
        notes.append(_fit(times, duration))
    lost = sum(line.ids.count(UNKNOWN) for line in lyrics.lines if not is_tagged(line.text))
    if lost:
        notes.append(
            f"{lost} characters are unknown to the model and will not be sung. Check the language"
            " of their lines, or spell them otherwise."
        )
    return notes


def _fit(times: Estimate, duration: float) -> str:
    said = f"Estimate: the words take about {times.seconds:.0f} s of {duration:g} s"
    if not times.fits(duration):
        return f"{said}: some may be left out or hurried. Shorten them, or make the clip longer."
    if times.seconds < duration * 0.5 and any(time.lines for time in times.sections):
        return f"{said}: the model may repeat lines or hum. Shorten the clip, or add [inst]."
    return f"{said}; that fits."


def as_text(seen: Preview) -> str:
    """The preview for a terminal or a text widget."""
    rows: list[str] = []
    for line in seen.lines:
        rows.append(f"{line.number:>3}  {_language(line):<8} {line.text}".rstrip())
        if line.text and line.mark is None and line.normalised != line.text:
            rows.append(f"{'':14}heard as: {line.normalised}")
        if line.text:
            rows.append(f"{'':14}{_cost(line)}")
    rows.append("")
    for time in seen.sections:
        lines = f"{time.lines} line{'s' * (time.lines != 1)}"
        rows.append(
            f"{time.mark or '(no mark)'}  line {time.number}: {lines},"
            f" {time.syllables} syllables, about {time.seconds:.0f} s (estimate)"
        )
    rows.append(f"{seen.tokens} tokens of at most {seen.token_limit}; {_sung(seen)}")
    return "\n".join([*rows, *(f"note: {note}" for note in seen.notes)]) + "\n"


def _language(line: LineNote) -> str:
    if line.mark:
        return "mark"
    return LANGUAGES[line.language].code if line.language else ""


def _cost(line: LineNote) -> str:
    cost = f"{len(line.tokens)} tokens"
    if line.unknown_count:
        cost += f", {line.unknown_count} unknown ({' '.join(line.unknown)})"
    if line.mark and line.mark.suggestion:
        return f"{cost}; {line.mark.suggestion}"
    return cost if line.mark else f"{cost}, about {line.seconds:.1f} s"


def _sung(seen: Preview) -> str:
    return f"about {seen.seconds:.0f} s (estimate)"
