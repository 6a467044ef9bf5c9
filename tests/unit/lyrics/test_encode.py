"""From text to tokens: languages by hand, limits, errors that name their line."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acestep_core.config import MAX_LYRIC_TOKENS, REFUSED_LYRIC_TOKENS
from acestep_core.lyrics import LANGUAGES, LyricError, PackageError, Vocabulary, tokenise
from acestep_core.settings import SettingError
from acestep_core.types import Lyrics
from tests.unit.lyrics.tables import rows


def languages(lyrics: Lyrics) -> list[str]:
    return [line.language for line in lyrics.lines]


def test_hello(vocabulary: Vocabulary) -> None:
    lyrics = tokenise("[verse]\nHello\n", language="en", vocabulary=vocabulary)
    assert lyrics.ids.tolist() == [[261, 259, 6683, 2, 259, 62, 84, 28, 2, 2]]
    assert lyrics.mask.tolist() == [[1] * 10]
    assert lyrics.lines[1].normalised == "hello"
    assert lyrics.warnings == ()


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_fixed_language_prefixes_every_line_of_words(code: str, vocabulary: Vocabulary) -> None:
    lyrics = tokenise("[verse]\nla 2\n\nda", language=code, vocabulary=vocabulary)
    assert languages(lyrics) == ["en", code, "", code]
    assert lyrics.lines[1].ids[0] == LANGUAGES[code].token


@pytest.mark.parametrize("language", ["xx", "EN", "zh-cn", ""])
def test_an_unknown_language_is_refused_with_the_choices(language: str) -> None:
    with pytest.raises(SettingError, match="auto, prefix, en, ar, cs"):
        tokenise("hello", language=language)


def test_an_unknown_detector_is_refused_with_the_choices() -> None:
    with pytest.raises(SettingError, match="corrected, original"):
        tokenise("hello", detector="best")


def test_prefixes_are_read_only_when_asked_for(vocabulary: Vocabulary) -> None:
    text = "[de] Guten Morgen\n[ZH-CN]Baby\n[en]\n[fr] [verse]\n[xx] la\nIch und du"
    asked = tokenise(text, language="prefix", vocabulary=vocabulary)
    assert languages(asked) == ["de", "zh", "", "en", "en", "de"]
    assert [line.text for line in asked.lines][:4] == ["Guten Morgen", "Baby", "", "[verse]"]
    assert asked.lines[0].ids[0] == 260
    plain = tokenise(text, vocabulary=vocabulary)
    assert languages(plain)[:5] == ["en"] * 5
    assert plain.lines[0].ids[:2] == (259, 260)


def test_a_tagged_line_is_english_whatever_follows(vocabulary: Vocabulary) -> None:
    (line,) = tokenise("[chorus] \u6211\u4eec", vocabulary=vocabulary).lines
    assert line.ids == (259, 6684, 2, 1, 1, 2)


def test_more_tokens_than_in_training_are_warned_about(
    no_vocabulary: Vocabulary, caplog: pytest.LogCaptureFixture
) -> None:
    longest = tokenise("\n" * (MAX_LYRIC_TOKENS - 2), vocabulary=no_vocabulary)
    assert longest.ids.shape[1] == MAX_LYRIC_TOKENS
    assert longest.warnings == ()
    longer = tokenise("\n" * (MAX_LYRIC_TOKENS - 1), vocabulary=no_vocabulary)
    (warning,) = longer.warnings
    assert f"{MAX_LYRIC_TOKENS + 1} tokens" in warning
    assert warning in caplog.text


def test_far_more_tokens_are_refused(no_vocabulary: Vocabulary) -> None:
    at_most = "\n" * (REFUSED_LYRIC_TOKENS - 2)
    assert tokenise(at_most, vocabulary=no_vocabulary).ids.shape[1] == REFUSED_LYRIC_TOKENS
    with pytest.raises(SettingError, match=f"more than {REFUSED_LYRIC_TOKENS} tokens"):
        tokenise(at_most + "\n", vocabulary=no_vocabulary)


@pytest.mark.parametrize("unit", ["x", "la ", "words and\n", "5", "-", "\u6708"])
def test_a_hundred_thousand_characters_fail_before_any_is_read(
    unit: str, no_vocabulary: Vocabulary
) -> None:
    text = (unit * 100_000)[:100_000]
    with pytest.raises(SettingError, match=r"The lyrics have \d+ characters, more than 8192"):
        tokenise(text, vocabulary=no_vocabulary)


@pytest.mark.parametrize("unit", ["- ", "5", "5- ", "(", '"', "a1 ", "<a>", "5\u5143", "\u30a2"])
def test_a_line_as_long_as_is_let_through_is_refused_for_its_tokens(
    unit: str, vocabulary: Vocabulary
) -> None:
    with pytest.raises(SettingError, match="more than 8192 tokens"):
        tokenise((unit * 40_000)[:40_000] + "x -" * 3000, vocabulary=vocabulary)


def test_half_a_character_is_named(no_vocabulary: Vocabulary) -> None:
    with pytest.raises(LyricError, match=r"line 2 .*half of a character"):
        tokenise("[verse]\nbroken \ud83d", vocabulary=no_vocabulary)


def test_a_line_that_fails_is_named_not_dropped(
    vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise KeyError("reading")

    monkeypatch.setattr("acestep_core.lyrics.encode.normalise", fail)
    with pytest.raises(LyricError, match=r"line 3 .'two'. could not be read as English.*reading"):
        tokenise("[verse]\n\ntwo", language="en", vocabulary=vocabulary)


def test_without_num2words_digits_stay(vocabulary: Vocabulary, without) -> None:
    without("num2words")
    lyrics = tokenise("24 roses\n7 days", language="en", vocabulary=vocabulary)
    assert [line.normalised for line in lyrics.lines] == ["24 roses", "7 days"]
    (warning,) = lyrics.warnings
    assert "pip install num2words" in warning


def test_without_pypinyin_chinese_names_line_and_package(vocabulary: Vocabulary, without) -> None:
    without("pypinyin")
    with pytest.raises(PackageError, match=r"line 2 .*pip install pypinyin"):
        tokenise("hello\n\u6708\u4eae", vocabulary=vocabulary)


@pytest.mark.parametrize(
    ("missing", "normalised"),
    [(["cutlet"], "yoru"), (["cutlet", "fugashi"], "\u591c")],
)
def test_japanese_without_its_readers(
    missing: list[str], normalised: str, vocabulary: Vocabulary, without
) -> None:
    pytest.importorskip("fugashi")
    without(*missing)
    lyrics = tokenise("\u591c\n\u591c\n", language="ja", vocabulary=vocabulary)
    assert [line.normalised for line in lyrics.lines] == [normalised, normalised, ""]
    (warning,) = lyrics.warnings
    assert "pip install cutlet fugashi unidic-lite" in warning


@pytest.mark.parametrize("package", ["py3langid", "num2words", "cutlet", "fugashi"])
def test_no_line_is_lost_without(package: str, vocabulary: Vocabulary, without) -> None:
    without(package)
    text = "\n".join(line for _, line in rows("detection"))
    lyrics = tokenise(text, vocabulary=vocabulary)
    assert len(lyrics.lines) == text.count("\n") + 1
    assert all(len(line.ids) > 2 for line in lyrics.lines)
    if package != "fugashi":  # which cutlet has in its hands already
        assert len(lyrics.warnings) == 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_keeps_all_its_lines(text: str, vocabulary: Vocabulary) -> None:
    for detector in ("original", "corrected"):
        lyrics = tokenise(text, detector=detector, vocabulary=vocabulary)
        assert len(lyrics.lines) == (text.count("\n") + 1 if text else 0)
        assert all(line.ids[-1] == 2 for line in lyrics.lines)
        assert lyrics.ids.max() < 6693
