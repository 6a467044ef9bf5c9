"""A picture of what the model hears of lyrics: a row for each line, a band for each mark.

    Preview -> rows, wrapped to the width -> height -> image

Letters come from the fonts that are on this computer; nothing is fetched. One that none of them
has becomes an empty box, and the foot of the picture says so: the preview's text has them all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..lyrics.estimate import SectionTime
from ..lyrics.preview import LineNote, Preview
from .sound import BACKGROUND, INK, OVER, REGION, WIDTH

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

Colour = tuple[int, int, int]

MOST_HEIGHT = 4000  # pixels; lines beyond are counted, not drawn
MOST_ROWS = 40  # of one line
MOST_LETTERS = 1000  # that are looked at for one row
NUMBER, LANGUAGE, WORDS, END = 40, 54, 96, WIDTH - 14  # pixels from the left
COSTS = 170  # pixels for tokens and seconds, at the right
LARGE, SMALL = 16, 13
LEADING = 1.4  # height of a row, in font sizes
MUTED, BAND, ADVICE = (132, 136, 156), (24, 46, 52), (250, 190, 90)
LETTERS = {"ARABIC": "\u0628", "DEVANAGARI": "\u0915"}  # one of each script that joins letters
BOX = 0.6  # width of an empty box, in font sizes
BOXES = (
    "Empty boxes are letters that no font of this computer has. That is about this picture alone:"
    " the preview's text shows them, and what the model does not know is red."
)

# Looked for in this order, the widest first: Linux, Windows, macOS, then single scripts.
FONTS = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "segoeui.ttf",
    "Arial Unicode.ttf",
    "arial.ttf",
    "LiberationSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "wqy-microhei.ttc",
    "msyh.ttc",
    "malgun.ttf",
    "YuGothM.ttc",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "AppleSDGothicNeo.ttc",
    "Nirmala.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansArabic-Regular.ttf",
)


def preview_picture(seen: Preview, advice: Sequence[str] = ()) -> Image:
    """The lines as they are heard, what they cost, what is unknown; then totals and advice."""
    sheet = _Sheet()
    sheet.text("What the model hears", INK, LARGE)
    sheet.text(_totals(seen), MUTED, SMALL)
    sheet.skip(8)
    times = {time.number: time for time in seen.sections}
    for drawn, line in enumerate(seen.lines):
        if sheet.height > MOST_HEIGHT:
            sheet.text(f"{len(seen.lines) - drawn} more lines are in the text.", ADVICE, SMALL)
            break
        _draw_line(sheet, line, times.get(line.number))
    sheet.skip(8)
    for note in [*seen.notes, *advice]:
        sheet.text(note, ADVICE, SMALL)
    if sheet.has_boxes:
        sheet.text(BOXES, MUTED, SMALL)
    return sheet.image()


def _totals(seen: Preview) -> str:
    length = f" of a song of {seen.duration:g} s" if seen.duration else ""
    return (
        f"{seen.tokens} tokens of at most {seen.token_limit}; about {seen.seconds:.0f} s"
        f" (estimate){length}"
    )


def _draw_line(sheet: _Sheet, line: LineNote, time: SectionTime | None) -> None:
    if not line.text:
        sheet.skip(SMALL // 2)
        return
    cost = f"{len(line.tokens)} tokens"
    if line.mark is None:
        cost, language, colour = f"{cost}, {line.seconds:.1f} s", line.language, INK
    else:
        sheet.band()
        language, colour = "mark", REGION if line.mark.is_known else ADVICE
        cost = f"{time.lines} lines, {time.seconds:.0f} s" if time and time.lines else cost
    sheet.beside(NUMBER, str(line.number), MUTED, at_end=True)
    sheet.beside(LANGUAGE, language, REGION if line.mark is None else MUTED)
    sheet.beside(END, cost, MUTED, at_end=True)
    heard = line.normalised if line.mark is None else line.text
    sheet.text(heard, colour, LARGE, frozenset(line.unknown), WORDS, END - COSTS)
    if line.mark is None and line.normalised != line.text.lower():
        sheet.text(f"written: {line.text}", MUTED, SMALL, left=WORDS)
    if line.unknown_count:
        named = f"{line.unknown_count} unknown to the model: {' '.join(line.unknown)}"
        sheet.text(named, OVER, SMALL, left=WORDS)
    if line.mark and line.mark.suggestion:
        sheet.text(line.mark.suggestion, ADVICE, SMALL, left=WORDS)


class _Sheet:
    """Rows from top to bottom; drawn when their height is known."""

    def __init__(self) -> None:
        self.height, self.has_boxes = 12, False
        self._strokes: list[Callable[[ImageDraw], None]] = []

    def skip(self, pixels: int) -> None:
        self.height += pixels

    def band(self) -> None:
        """Colour behind the row that comes next."""
        top, below = self.height, self.height + round(LARGE * LEADING)
        edge = [(NUMBER + 8, top), (WIDTH - 6, below - 1)]
        self._strokes.append(lambda draw: draw.rectangle(edge, fill=BAND))

    def beside(self, x: int, text: str, colour: Colour, at_end: bool = False) -> None:
        """A word in the row that comes next."""
        start = x - _length(text, _font_for(text, SMALL), SMALL) if at_end else x
        self._put(start, self.height + 3, text, colour, SMALL)

    def text(
        self,
        text: str,
        colour: Colour,
        size: int,
        marked: frozenset[str] = frozenset(),
        left: int = 14,
        right: int = END,
    ) -> None:
        """Rows of text; characters that are marked stand out."""
        for count, row in enumerate(_wrapped(_printable(text), size, right - left)):
            row = "..." if count == MOST_ROWS else row
            self._put(left, self.height, row, colour, size, marked)
            self.height += round(size * LEADING)
            if count == MOST_ROWS:
                break

    def _put(
        self,
        x: float,
        y: int,
        text: str,
        colour: Colour,
        size: int,
        marked: frozenset[str] = frozenset(),
    ) -> None:
        font = _font_for(text, size)
        for part, is_marked, is_there in _parts(text, font, marked):
            width = _length(part, font, size)
            paint = OVER if is_marked else colour
            if is_there:
                self._strokes.append(_letters((x, y), part, paint, font))
            else:
                self.has_boxes = True
                for index in range(len(part)):
                    self._strokes.append(_box(x + index * size * BOX, y, size, paint))
            x += width

    def image(self) -> Image:
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (WIDTH, self.height + 12), BACKGROUND)
        draw = ImageDraw.Draw(image)
        for stroke in self._strokes:
            stroke(draw)
        return image


def _letters(
    at: tuple[float, float], text: str, colour: Colour, font: Any
) -> Callable[[ImageDraw], None]:
    return lambda draw: draw.text(at, text, fill=colour, font=font)


def _box(x: float, y: int, size: int, colour: Colour) -> Callable[[ImageDraw], None]:
    edge = [(x + 1, y + size * 0.2), (x + size * BOX - 2, y + size)]
    return lambda draw: draw.rectangle(edge, outline=colour)


def _parts(text: str, font: Any, marked: frozenset[str]) -> Iterator[tuple[str, bool, bool]]:
    """(text, is marked, is in the font): as long as may be, since letters join their neighbours."""
    if any(map(_runs_leftwards, text)) and all(_has(font, char) for char in text):
        yield text, False, True  # in parts its words would stand in the wrong order
        return

    def kind(char: str) -> tuple[bool, bool]:
        return char in marked, _has(font, char)

    for (is_marked, is_there), run in groupby(text, kind):
        yield "".join(run), is_marked, is_there


def _wrapped(text: str, size: int, width: int) -> Iterator[str]:
    """Rows that fit, parted at spaces where there are any."""
    font = _font_for(text, size)
    while _length(text[:MOST_LETTERS], font, size) > width:
        fits = 1
        while _length(text[: fits + 1], font, size) <= width:
            fits += 1
        parted = text.rfind(" ", 0, fits + 1)
        fits = parted if parted > 0 else fits
        yield text[:fits]
        text = text[fits:].lstrip()
    yield text


def _length(text: str, font: Any, size: int) -> float:
    there = "".join(char for char in text if _has(font, char))
    return font.getlength(there) + (len(text) - len(there)) * size * BOX


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _runs_leftwards(char: str) -> bool:
    return unicodedata.bidirectional(char) in ("R", "AL")


def _font_for(text: str, size: int) -> Any:
    """The first font that has every letter, or else the one that lacks fewest."""
    letters = frozenset(text)
    return min(_fonts(size), key=lambda font: sum(not _has(font, char) for char in letters))


@cache
def _fonts(size: int) -> tuple[Any, ...]:
    """Those of FONTS that are here, then the one that Pillow brings along."""
    from PIL import ImageFont

    return (*_installed(FONTS, size), *_own(ImageFont, size))


def _installed(names: Iterable[str], size: int) -> Iterator[Any]:
    from PIL import ImageFont

    for name in names:
        try:
            yield ImageFont.truetype(name, size)
        except OSError:  # not on this computer, or Pillow without FreeType
            continue


def _own(fonts: Any, size: int) -> Iterator[Any]:
    try:
        yield fonts.load_default(size)
    except TypeError:  # before Pillow 10.1 there is only the bitmap font
        yield fonts.load_default()


@cache
def _has(font: Any, char: str) -> bool:
    """Whether a font can draw a letter as it is read."""
    from PIL import features

    if char.isspace():
        return True
    script = LETTERS.get(unicodedata.name(char, "").partition(" ")[0])
    if (script or _runs_leftwards(char)) and not features.check("raqm"):
        return False  # without it letters are not joined
    if script and unicodedata.category(char).startswith("M"):
        char = script  # alone a mark is drawn on a circle, in every font
    if not hasattr(font, "path"):  # the bitmap font of a Pillow without FreeType
        return ord(char) < 256
    return bytes(font.getmask(char)) != bytes(font.getmask("\uffff"))
