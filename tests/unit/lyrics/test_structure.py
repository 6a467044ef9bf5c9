"""The frame of a lyric, which needs no vocabulary file."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from acestep_core.lyrics import Vocabulary, tokenise
from acestep_core.lyrics.structure import MARKS, is_tagged, mark_ids, pieces_of

NAMES = [mark.strip("[]") for mark in MARKS]


def ids(text: str | None, vocabulary: Vocabulary) -> list[int]:
    return tokenise(text, vocabulary=vocabulary).ids[0].tolist()


def test_twelve_marks_have_consecutive_ids() -> None:
    assert list(MARKS.values()) == list(range(6681, 6693))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_a_mark_is_two_tokens_in_any_case(name: str, spell, no_vocabulary: Vocabulary) -> None:
    expected = [261, 259, MARKS[f"[{name}]"], 2]
    assert ids(spell(f" [{name}]\t"), no_vocabulary) == expected


@pytest.mark.parametrize("line", ["[verse 1]", "[instrumental]", "verse", "[verse] go", "[]", ""])
def test_other_lines_are_no_mark(line: str) -> None:
    assert mark_ids(line) is None


@pytest.mark.parametrize("text", ["", None])
def test_no_lyric_is_one_masked_zero(text: str | None, no_vocabulary: Vocabulary) -> None:
    lyrics = tokenise(text, vocabulary=no_vocabulary)
    assert lyrics.ids.tolist() == [[0]]
    assert lyrics.mask.tolist() == [[0]]
    assert lyrics.lines == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("   ", [261, 2]),
        ("\n", [261, 2, 2]),
        ("[verse]\n\n\n[chorus]\n", [261, 259, 6683, 2, 2, 2, 259, 6684, 2, 2]),
        ("[verse]\r\n[end]\r", [261, 259, 6683, 2, 259, 6687, 2]),
    ],
)
def test_every_line_feed_is_a_break(
    text: str, expected: list[int], no_vocabulary: Vocabulary
) -> None:
    assert ids(text, no_vocabulary) == expected


def test_ids_and_mask_are_rows_of_int64(no_vocabulary: Vocabulary) -> None:
    lyrics = tokenise("[verse]\n[chorus]", vocabulary=no_vocabulary)
    assert lyrics.ids.dtype == torch.int64
    assert lyrics.ids.shape == lyrics.mask.shape == (1, 7)
    assert lyrics.mask.all()


def test_lines_carry_what_was_sent(no_vocabulary: Vocabulary) -> None:
    lyrics = tokenise("[Verse]\n", vocabulary=no_vocabulary)
    assert [(line.text, line.language, line.normalised) for line in lyrics.lines] == [
        ("[Verse]", "en", "[verse]"),
        ("", "", ""),
    ]
    assert (261, *(i for line in lyrics.lines for i in line.ids)) == tuple(lyrics.ids[0].tolist())


def test_only_line_feeds_part_lines() -> None:
    assert pieces_of("a\x0bb\u2028c\n d\r") == ["a\x0bb\u2028c", "d"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [("[x] la", True), ("[]", True), ("[x", False), ("la [x]", False), ("x]", False)],
)
def test_a_tag_opens_the_line(line: str, expected: bool) -> None:
    assert is_tagged(line) is expected


def test_marks_load_no_language_package() -> None:
    program = (
        "import sys; from acestep_core.lyrics import tokenise; tokenise('[verse]\\n\\n[chorus]');"
        "heavy = {'tokenizers', 'py3langid', 'num2words', 'pypinyin', 'cutlet', 'fugashi'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
