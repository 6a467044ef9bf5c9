"""What the model will hear, shown before it is heard."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from acestep_core.lyrics import Vocabulary, tokenise
from acestep_core.lyrics.estimate import english_syllables, estimate, syllables
from acestep_core.lyrics.preview import as_text, preview
from acestep_core.lyrics.preview_html import as_html
from acestep_core.lyrics.sections import hosted_lyrics, sections_of, suggested_mark

SONG = "[Verse 1]\nHello my 2 friends\nDie Sterne schlafen\n\n[chorus]\nLa la la\n[instrumental]\n"


def test_lines_are_what_tokenise_makes(vocabulary: Vocabulary) -> None:
    seen = preview(SONG, vocabulary=vocabulary, duration=30)
    lyrics = tokenise(SONG, vocabulary=vocabulary)
    assert [line.normalised for line in seen.lines] == [line.normalised for line in lyrics.lines]
    assert [line.tokens for line in seen.lines] == [line.ids[:-1] for line in lyrics.lines]
    assert seen.tokens == lyrics.ids.shape[1]
    assert seen.token_limit == 4096
    assert [line.number for line in seen.lines] == list(range(1, 9))
    assert seen.lines[1].normalised == "hello my two friends"
    assert seen.lines[2].language == "de"


@pytest.mark.parametrize(
    ("mark", "is_known", "unknown", "suggestion"),
    [
        ("[verse]", True, 0, ""),
        ("[Chorus]", True, 0, ""),
        ("[instrumental]", False, 2, "[inst]"),
        ("[Verse 1]", False, 2, "[verse]"),
        ("[post-chorus]", False, 2, "[chorus]"),
        ("[Intro: piano]", False, 2, "[intro]"),
        ("[chorus] sing it", True, 0, "a line of its own"),
        ("[blah]", False, 2, "leave it out"),
    ],
)
def test_marks(
    mark: str, is_known: bool, unknown: int, suggestion: str, vocabulary: Vocabulary
) -> None:
    note = preview(mark, vocabulary=vocabulary).lines[0].mark
    assert note
    assert (note.is_known, note.unknown) == (is_known, unknown)
    assert suggestion in note.suggestion
    assert bool(note.suggestion) == bool(suggestion)
    assert note.tokens == 2 or unknown or suggestion


def test_unknown_characters_are_named(vocabulary: Vocabulary) -> None:
    line = preview("hi <\u20bf> \U0001f3b8", vocabulary=vocabulary, language="en").lines[0]
    assert set(line.unknown) >= {"<", ">", "\U0001f3b8"}
    assert line.unknown_count == line.tokens.count(1)


def test_nothing_is_rewritten(vocabulary: Vocabulary) -> None:
    assert "\n".join(line.text for line in preview(SONG, vocabulary=vocabulary).lines) == SONG


def test_data_is_json(vocabulary: Vocabulary) -> None:
    seen = preview(SONG, vocabulary=vocabulary, duration=30)
    data = json.loads(json.dumps(seen.as_data()))
    assert data["lines"][0]["mark"]["suggestion"] == "write [verse]"
    assert data["duration"] == 30


def test_text_shows_language_tokens_and_estimate(vocabulary: Vocabulary) -> None:
    text = as_text(preview(SONG, vocabulary=vocabulary, duration=30))
    for words in ("heard as: hello my two friends", "de", "write [inst]", "4096", "(estimate)"):
        assert words in text


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '[<img src=x onerror="alert(1)">]',
        "[verse] </table><svg/onload=alert(1)>",
        "' onmouseover='x' \" & &lt;",
        "\u202eabc\x1b[31m\x00 x",
    ],
)
def test_html_is_escaped(text: str, vocabulary: Vocabulary) -> None:
    page = as_html(preview(text, vocabulary=vocabulary, language="en", duration=10))
    tags = Tags()
    tags.feed(page)
    assert tags.found <= {"section", "table", "tr", "td", "th", "ul", "li", "p"}
    assert tags.attributes <= {"class"}
    assert not re.search("[\x00-\x1f\u202e]", page)


def test_empty_lyrics_are_explained(vocabulary: Vocabulary) -> None:
    seen = preview("", vocabulary=vocabulary)
    assert seen.lines == ()
    assert seen.tokens == 0
    assert "[inst]" in seen.notes[0]


def test_marks_alone_need_no_vocabulary(no_vocabulary: Vocabulary) -> None:
    assert preview("[verse]\n\n[inst]", vocabulary=no_vocabulary).tokens == 8


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Tak ada yang bisa memisahkan kita berdua\nAku selalu mencintaimu sayangku", "Indonesian"),
        ("\u03b1\u03b3\u03ac\u03c0\u03b7 \u03bc\u03bf\u03c5", "Greek"),
        ("\u0986\u09ae\u09bf \u09a4\u09cb\u09ae\u09be\u0995\u09c7", "Bengali"),
    ],
)
def test_languages_outside_the_table_are_said(
    text: str, words: str, vocabulary: Vocabulary
) -> None:
    assert any(words in note for note in preview(text, vocabulary=vocabulary).notes)


@pytest.mark.parametrize(
    "text", ["I will never let you go", "Quiero bailar contigo", "La la la", "Ich liebe dich"]
)
def test_languages_of_the_table_need_no_note(text: str, vocabulary: Vocabulary) -> None:
    assert not any("not among" in note for note in preview(text, vocabulary=vocabulary).notes)


def test_seconds_against_the_duration(vocabulary: Vocabulary) -> None:
    song = "[verse]\n" + "I walked along the empty road tonight\n" * 8
    long, short = (preview(song, vocabulary=vocabulary, duration=s).notes[-1] for s in (10, 200))
    assert "Shorten" in long
    assert "repeat" in short
    assert "Estimate" in long


def test_sections() -> None:
    found = sections_of("intro words\n\nmore\n[verse]\na\nb\n\nc\n[chorus] d\n[en] e")
    assert [(s.mark, s.number, len(s.lines)) for s in found] == [
        ("", 1, 1),
        ("", 3, 1),
        ("[verse]", 4, 3),
        ("[chorus]", 9, 2),
    ]


@pytest.mark.parametrize(("lyrics", "expected"), [("", "[inst]"), (None, "[inst]")])
def test_hosted_lyrics_of_nothing(lyrics: str | None, expected: str) -> None:
    assert hosted_lyrics(lyrics) == expected


@pytest.mark.parametrize("lyrics", [" \n", "[INST]", " [Instrumental]\n", "[inst]"])
def test_hosted_names_of_no_singing(lyrics: str) -> None:
    assert hosted_lyrics(lyrics) == "[inst]"


def test_other_lyrics_are_only_trimmed() -> None:
    assert hosted_lyrics(" [verse]\nla ") == "[verse]\nla"


@pytest.mark.parametrize(
    ("mark", "meant"),
    [
        ("[Chorus x2]", "[chorus]"),
        ("[Guitar Solo]", "[solo]"),
        ("[\u526f\u6b4c]", "[chorus]"),
        ("[\u30b5\u30d3]", "[chorus]"),
        ("[Strophe 2]", "[verse]"),
        ("[VERSE II]", "[verse]"),
        ("[xyz]", ""),
    ],
)
def test_suggested_marks(mark: str, meant: str) -> None:
    assert suggested_mark(mark) == meant


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("stone walked smiles love", 4),
        ("little table candles wanted", 8),
        ("memories piano radio", 9),
        ("something everything", 5),
        ("quiet idea going beautiful", 10),
    ],
)
def test_english_syllables(words: str, count: int) -> None:
    assert sum(map(english_syllables, words.split())) == count


@pytest.mark.parametrize(
    ("text", "code", "count"),
    [
        ("Die Sterne schlafen \u00fcber der Stadt", "de", 9),
        ("Quiero bailar contigo", "es", 7),
        ("Je t'attends sous la pluie", "fr", 6),
        ("\u6211\u7231\u4f60", "zh", 3),
        ("\u304d\u3087\u3046\u306f", "ja", 3),
        ("\ubcf4\uace0 \uc2f6\uc5b4", "ko", 4),
    ],
)
def test_syllables_of_other_languages(text: str, code: str, count: int) -> None:
    assert syllables(text, code) == count


def test_marks_without_words_take_time() -> None:
    assert estimate("[intro]\n\n[inst]").seconds == 16
    assert estimate("").seconds == 0
