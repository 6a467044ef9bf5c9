"""Every optional package taken away in turn: what is said, what is lost, and never a line.

A song of lines that need all of them goes through; for pypinyin and tokenizers, which nothing
can stand in for, the error names line or package and the command that helps.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from acestep_core.lyrics import PackageError, Vocabulary, tokenise
from acestep_core.lyrics import vocabulary as vocabulary_module
from acestep_core.lyrics.preview import preview
from acestep_core.writer import write_song

SONG = (
    "[verse]\n24 roses for you\n\uc0ac\ub791\ud574 \ub108\ub97c\n"
    "\u5915\u65e5\u304c\u6c88\u3080 \u3042\u306e\u6d77\u3067\n\nIch liebe dich so sehr\n[inst]"
)
WITH_CHINESE = SONG + "\n\u6211\u7231\u4f60"
LANGUAGES = ["en", "en", "ko", "ja", "", "de", "en"]

Without = Callable[..., None]

# package -> what the warning holds; "" where our own code does the same without it
FALLBACKS = {
    "py3langid": 'pip install "py3langid>=0.2.2,<0.3"',
    "num2words": "pip install num2words",
    "hangul_romanize": "",
    "cutlet": "pip install cutlet fugashi unidic-lite",
}


@pytest.mark.parametrize(("package", "command"), FALLBACKS.items(), ids=FALLBACKS)
def test_a_fallback_is_said_once_and_loses_no_line(
    package: str, command: str, vocabulary: Vocabulary, without: Without
) -> None:
    whole = tokenise(SONG, vocabulary=vocabulary)
    without(package)
    lyrics = tokenise(SONG, vocabulary=vocabulary)
    assert [line.text for line in lyrics.lines] == SONG.split("\n")
    assert len(lyrics.warnings) == bool(command)
    assert all(command in warning for warning in lyrics.warnings)
    if package != "py3langid":
        assert [line.language for line in lyrics.lines] == LANGUAGES
    if not command:
        assert lyrics.ids.tolist() == whole.ids.tolist()


def test_without_any_reader_of_japanese(vocabulary: Vocabulary, without: Without) -> None:
    without("cutlet", "fugashi")
    seen = preview(SONG, vocabulary=vocabulary)
    assert len(seen.lines) == SONG.count("\n") + 1
    assert seen.lines[3].unknown
    assert any("kanji are lost" in note for note in seen.notes)


def test_without_pypinyin_the_line_is_named(vocabulary: Vocabulary, without: Without) -> None:
    without("pypinyin")
    assert len(tokenise(SONG, vocabulary=vocabulary).lines) == 7
    with pytest.raises(PackageError, match=r"line 8 .*pip install pypinyin"):
        tokenise(WITH_CHINESE, vocabulary=vocabulary)


def test_without_tokenizers_the_package_is_named(vocabulary: Vocabulary, without: Without) -> None:
    vocabulary_module._opened.cache_clear()
    without("tokenizers")
    with pytest.raises(PackageError, match=r"line 2 .*pip install tokenizers"):
        tokenise(SONG, vocabulary=vocabulary)
    assert len(tokenise("[verse]\n\n[inst]", vocabulary=vocabulary).lines) == 3


def test_all_that_has_a_fallback_at_once(vocabulary: Vocabulary, without: Without) -> None:
    without(*FALLBACKS, "fugashi")
    lyrics = tokenise(SONG, vocabulary=vocabulary)
    assert [line.text for line in lyrics.lines] == SONG.split("\n")
    assert len(lyrics.warnings) == 3
    assert len(set(lyrics.warnings)) == 3


def test_the_writer_needs_none_of_them(without: Without) -> None:
    without(*FALLBACKS, "fugashi", "pypinyin", "tokenizers")
    for prompt in ("A pop song about rain", "\u96e8\u591c\u7684\u7235\u58eb\u4e50"):
        song = write_song(prompt, seed=1, duration=30)
        assert song.lyrics
        assert song.warnings == ()
