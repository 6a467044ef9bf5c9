"""The picture of what the model hears; what it says is read from what is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from acestep_core.lyrics.estimate import SectionTime
from acestep_core.lyrics.preview import LineNote, MarkNote, Preview
from acestep_core.pictures import lyrics as drawn
from acestep_core.pictures.sound import BACKGROUND, OVER, WIDTH

image_font = pytest.importorskip("PIL.ImageFont")

CHINESE = "\u4f60\u597d"
GREEK = "\u03b1\u03b2\u03b3"


@pytest.fixture(autouse=True)
def _fonts_are_looked_for_again() -> Iterator[None]:
    yield
    drawn._fonts.cache_clear()
    drawn._has.cache_clear()


@pytest.fixture
def no_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the one that Pillow brings along: ASCII."""
    monkeypatch.setattr(drawn, "FONTS", ("no such font.ttf",))
    drawn._fonts.cache_clear()


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every piece of text that reaches the picture, as the font gets it."""
    pieces, really = [], drawn._letters

    def noted(at: Any, text: str, colour: Any, font: Any) -> Any:
        pieces.append(text)
        return really(at, text, colour, font)

    monkeypatch.setattr(drawn, "_letters", noted)
    return pieces


def words(number: int, text: str, heard: str = "", unknown: str = "") -> LineNote:
    ids = tuple(range(2, 2 + len(text)))
    return LineNote(
        number, text, "en", heard or text, ids, tuple(unknown), len(unknown), 4, 2.5, None
    )


def mark(number: int, text: str, suggestion: str = "") -> LineNote:
    note = MarkNote(text, not suggestion, 2, 0, suggestion)
    return LineNote(number, text, "en", text, (259, 3), (), 0, 0, 0.0, note)


def seen(*lines: LineNote, notes: tuple[str, ...] = ()) -> Preview:
    times = (SectionTime("[verse]", 1, 2, 8, 7.0),)
    return Preview(lines, times, 99, 4096, 12.0, 30.0, notes)


def pixels(image: Any) -> np.ndarray:
    return np.asarray(image)


def has_colour(image: Any, colour: tuple[int, int, int]) -> bool:
    return bool((pixels(image) == np.array(colour)).all(-1).any())


@pytest.mark.usefixtures("no_fonts")
def test_everything_is_said(said: list[str]) -> None:
    lines = mark(1, "[verse]"), words(2, "12 friends", "twelve friends"), mark(3, "[ab]", "write x")
    image = drawn.preview_picture(seen(*lines, notes=("a note",)), ["some advice"])
    text = " | ".join(said)
    assert image.size[0] == WIDTH
    for part in (
        "99 tokens of at most 4096; about 12 s (estimate) of a song of 30 s",
        "[verse]",
        "2 lines, 7 s",
        "twelve friends",
        "written: 12 friends",
        "10 tokens, 2.5 s",
        "write x",
        "a note",
        "some advice",
    ):
        assert part in text, part
    assert drawn.BOXES not in text


@pytest.mark.usefixtures("no_fonts")
def test_unknown_letters_are_red_and_named(said: list[str]) -> None:
    plain = drawn.preview_picture(seen(words(1, "a < b")))
    assert not has_colour(plain, OVER)
    said.clear()
    image = drawn.preview_picture(seen(words(1, "a < b", unknown="<")))
    assert has_colour(image, OVER)
    assert said[said.index("a ") :][:3] == ["a ", "<", " b"]
    assert "1 unknown to the model: <" in said


@pytest.mark.usefixtures("no_fonts")
def test_letters_without_a_font_are_boxes_and_explained(said: list[str]) -> None:
    image = drawn.preview_picture(seen(words(1, CHINESE, "ni3hao3")))
    assert "ni3hao3" in said
    assert not any(CHINESE[0] in piece for piece in said)
    assert "written: " in said
    assert any(piece in drawn.BOXES for piece in said if piece.startswith("Empty boxes"))
    other = drawn.preview_picture(seen(words(1, CHINESE * 2, "ni3hao3")))
    assert (pixels(image) != BACKGROUND).sum() < (pixels(other) != BACKGROUND).sum()


def test_a_font_of_this_computer_is_taken_where_it_has_more(said: list[str]) -> None:
    fonts = drawn._fonts(drawn.LARGE)
    if len(fonts) == 1:
        pytest.skip("no known font on this computer")
    drawn.preview_picture(seen(words(1, GREEK)))
    assert GREEK in said


@pytest.mark.usefixtures("no_fonts")
@pytest.mark.parametrize("text", ["la " * 400, "a" * 1200, GREEK * 400, "", "\t\x07\u0301\u0627"])
def test_any_text_stays_within_the_picture(text: str) -> None:
    image = pixels(drawn.preview_picture(seen(words(1, text))))
    assert (image[:, -6:] == BACKGROUND).all()
    assert image.shape[0] < drawn.MOST_ROWS * 30 + 400


@pytest.mark.usefixtures("no_fonts")
def test_wrapping_loses_no_word() -> None:
    text = " ".join(f"word{i}" for i in range(300))
    rows = list(drawn._wrapped(text, drawn.LARGE, 700))
    assert " ".join(rows) == text
    font = drawn._font_for(text, drawn.LARGE)
    assert all(drawn._length(row, font, drawn.LARGE) <= 700 for row in rows)
    assert list(drawn._wrapped("b" * 500, drawn.LARGE, 300)) != ["b" * 500]


@pytest.mark.usefixtures("no_fonts")
def test_a_long_song_ends_and_says_so(said: list[str]) -> None:
    lines = [words(number, "la la") for number in range(1, 601)]
    image = drawn.preview_picture(seen(*lines))
    assert image.size[1] < drawn.MOST_HEIGHT + 200
    (rest,) = (piece for piece in said if piece.endswith("more lines are in the text."))
    assert int(rest.split()[0]) + said.count("la la") == 600


def test_letters_that_join_need_what_joins_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import features

    font = image_font.load_default(16)
    monkeypatch.setattr(features, "check", lambda name: False)
    assert not drawn._has(font, "\u0628")
    assert drawn._has(font, "b")


@pytest.mark.usefixtures("no_fonts")
def test_a_pillow_with_its_bitmap_font_alone_draws_too(
    monkeypatch: pytest.MonkeyPatch, said: list[str]
) -> None:
    old = getattr(image_font, "load_default_imagefont", image_font.load_default)()
    monkeypatch.setattr(drawn, "_own", lambda fonts, size: iter([old]))
    drawn._fonts.cache_clear()
    drawn.preview_picture(seen(words(1, f"caf\u00e9 {CHINESE}")))
    assert "caf\u00e9 " in said
