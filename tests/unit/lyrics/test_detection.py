"""Language of lines: both detectors, and what is left without py3langid."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from acestep_core.lyrics import LANGUAGES
from acestep_core.lyrics.detector import rules
from acestep_core.lyrics.fallbacks import Fallbacks
from acestep_core.lyrics.language import languages_of
from tests.unit.lyrics.tables import rows

LINES = rows("detection")
SHOWN_BY_SCRIPT = ("ko", "ja", "zh", "ru", "ar", "hi")

needs_identifier = pytest.mark.skipif(
    bool(languages_of(["x"], "original", said := Fallbacks()) and said.messages),
    reason=" ".join(said.messages),
)


def detected(lines: list[str], detector: str) -> list[str]:
    fallbacks = Fallbacks()
    codes = languages_of(lines, detector, fallbacks)
    assert fallbacks.messages == ()
    return codes


def right_answers(detector: str) -> int:
    """Of every line on its own; a language the model does not have is sung as English."""
    answers = [detected([line], detector)[0] for _, line in LINES]
    sung = [code if code in LANGUAGES else "en" for code in answers]
    return sum(code == expected for code, (expected, _) in zip(sung, LINES, strict=True))


def test_every_language_has_eight_lines() -> None:
    counts = Counter(code for code, _ in LINES)
    assert set(counts) == set(LANGUAGES)
    assert min(counts.values()) >= 8


@needs_identifier
def test_accuracy_of_both_detectors_line_by_line() -> None:
    assert right_answers("original") == 168  # of 221; fixed, for it repeats another program
    assert right_answers("corrected") >= 217


@needs_identifier
@pytest.mark.parametrize("code", LANGUAGES)
def test_a_song_settles_its_short_lines(code: str) -> None:
    song = [line for expected, line in LINES if expected == code]
    assert Counter(detected(song, "corrected"))[code] >= len(song) - 1


@needs_identifier
@pytest.mark.parametrize(
    ("line", "original", "corrected"),
    [
        ("99 lanterns on the water", "zh", "en"),
        ("...and then the lights went out", "zh", "en"),
        ("- one more time -", "zh", "en"),
        ("7", "zh", "en"),
        ("\U0001f3b8", "zh", "en"),
        ("La la la la", "es", "en"),
        ("Ciao bella", "pt", "it"),
        ("Perché non torni più da me", "br", "it"),
        ("Mr. Brown met Dr. Lee on St. Mary's road", "fr", "en"),
    ],
)
def test_known_mistakes(line: str, original: str, corrected: str) -> None:
    assert detected([line], "original") == [original]
    assert detected([line], "corrected") == [corrected]


@needs_identifier
def test_lines_without_words_follow_the_song() -> None:
    song = ["Die Sterne schlafen über der Stadt", "1, 2, 3, 4", "\U0001f3b5", "La la la"]
    assert detected(song, "corrected") == ["de"] * 4


@needs_identifier
def test_an_english_line_stays_english_in_a_spanish_song() -> None:
    song = ["Quiero bailar contigo", "I will never let you go", "Bajo la lluvia", "Mi amor"]
    assert detected(song, "corrected") == ["es", "en", "es", "es"]


@needs_identifier
@pytest.mark.parametrize(
    "line", ["Jag sjunger för dig", "\u03b1\u03b3\u03ac\u03c0\u03b7 \u03bc\u03bf\u03c5"]
)
def test_a_language_the_model_lacks_is_sung_as_english(line: str) -> None:
    assert detected([line], "corrected") == ["en"]


@needs_identifier
def test_hieroglyphs_are_not_taken_for_placeholders() -> None:
    line = "\U00014600\U00014400\U00014400 hello (oh yeah)"
    other = "\U00013000\U00013000\U00013000 hello (oh yeah)"
    assert detected([line], "original") == detected([other], "original")


@pytest.mark.parametrize("version", [None, "0.2.1", "0.3.0", "0.4.0", "1.0", "unknown"], ids=str)
@pytest.mark.parametrize("detector", ["original", "corrected"])
def test_another_py3langid_leaves_the_script(
    version: str | None, detector: str, without, monkeypatch: pytest.MonkeyPatch
) -> None:
    if version is None:
        without("py3langid")
    else:
        monkeypatch.setattr("importlib.metadata.version", lambda name: version)
    fallbacks = Fallbacks()
    codes = languages_of([line for _, line in LINES], detector, fallbacks)
    for found, (expected, line) in zip(codes, LINES, strict=True):
        assert found == (expected if expected in SHOWN_BY_SCRIPT else "en"), line
    (warning,) = fallbacks.messages
    assert 'pip install "py3langid>=0.2.2,<0.3"' in warning
    assert version is None or version in warning


def test_no_lines_need_no_detector(without) -> None:
    without("py3langid")
    fallbacks = Fallbacks()
    assert languages_of([], "original", fallbacks) == []
    assert fallbacks.messages == ()


def test_looking_back_changes_no_match() -> None:
    """The patterns that were made quick find what their plain forms find."""
    plain = {"number": r"\W*\d+\W+\d*\W*\d*", "latin": None, "script": None}
    choose = random.Random(0)
    for rule in rules():
        if rule.kind not in plain:
            continue
        pattern = plain[rule.kind] or rule.pattern.pattern.partition(")")[2]
        for _ in range(5000):
            line = "".join(choose.choices("a\u044fA\uac001\uff12(\"' .,-_", k=12))
            assert re.findall(pattern, line) == rule.pattern.findall(line), line
