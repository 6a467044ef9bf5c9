"""Written to spoken, language by language; the examples lie in tables beside this file."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acestep_core.lyrics.fallbacks import Fallbacks
from acestep_core.lyrics.languages import LANGUAGES
from acestep_core.lyrics.languages.chinese import cardinal
from acestep_core.lyrics.languages.japanese import spell_kana
from acestep_core.lyrics.languages.korean import romanise
from acestep_core.lyrics.normalise import normalise
from tests.unit.lyrics.tables import rows

JAPANESE = [row for row in rows("detection") if row[0] == "ja"]


def spoken(text: str, code: str) -> str:
    """As normalised, and nothing may have been left to a fallback."""
    fallbacks = Fallbacks()
    normalised = normalise(text, code, fallbacks)
    assert fallbacks.messages == ()
    return normalised


@pytest.mark.parametrize(("code", "written", "expected"), rows("normalised"))
def test_numbers_abbreviations_and_symbols(code: str, written: str, expected: str) -> None:
    assert spoken(written, code) == expected


@pytest.mark.parametrize(("number", "expected"), rows("numerals"))
def test_chinese_cardinals(number: str, expected: str) -> None:
    assert cardinal(number) == expected


@pytest.mark.parametrize(("hangul", "expected"), rows("hangul"))
def test_hangul(hangul: str, expected: str) -> None:
    assert romanise(hangul) == expected


def test_hangul_agrees_with_the_package_of_the_original() -> None:
    package = pytest.importorskip("hangul_romanize")
    rule = pytest.importorskip("hangul_romanize.rule")
    theirs = package.Transliter(rule.academic).translit
    syllables = [chr(code) for code in range(0xAC00, 0xD7A4)]
    assert [romanise(syllable) for syllable in syllables] == list(map(theirs, syllables))
    choose = random.Random(0)
    for _ in range(3000):
        word = "".join(choose.choices(syllables + list("a 1-") * 500, k=8))
        assert romanise(word) == theirs(word)


@pytest.mark.parametrize(("kana", "expected"), rows("kana"))
def test_kana_table(kana: str, expected: str, without) -> None:
    without("cutlet", "fugashi")
    assert normalise(kana, "ja", Fallbacks()) == expected


def test_our_readings_agree_with_cutlet(without) -> None:
    """On at least three lines of four; where cutlet knows better it is the one that is used."""
    pytest.importorskip("cutlet")
    theirs = [spoken(line, "ja") for _, line in JAPANESE]
    without("cutlet")
    ours = [normalise(line, "ja", Fallbacks()) for _, line in JAPANESE]
    assert sum(map(str.__eq__, ours, theirs)) >= 0.75 * len(ours), dict(
        zip(theirs, ours, strict=True)
    )


def test_long_vowels_do_not_take_quadratic_time() -> None:
    assert spell_kana("\u30a2" + "\u30fc" * 20_000) == "a" * 20_001


@pytest.mark.parametrize("code", LANGUAGES)
@settings(max_examples=30, deadline=None)
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_becomes_one_line_of_words(code: str, text: str) -> None:
    assert not re.search(r"[\n\t]|  ", spoken(text, code)) or code in ("zh", "ja")


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code not in ("ja", "zh", "ko")])
def test_a_long_row_of_digits_is_quick(code: str) -> None:
    normalise("5" * 20_000, code, Fallbacks())
