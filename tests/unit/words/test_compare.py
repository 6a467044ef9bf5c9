"""Old lyrics against new ones."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acestep_core.lyrics import compare as comparing
from acestep_core.lyrics.compare import compare

OLD = (
    "[verse]\nI love the summer rain\nYou come and go again\n\n"
    "[chorus]\nStay with me tonight\nHold me in the light"
)
VERSE = "[verse]\nSun goes down on me\nI walk along the sea\n"


def test_one_word_is_a_small_change() -> None:
    change = compare(OLD, OLD.replace("summer", "winter"))
    (line,) = [line for line in change.lines if line.kind == "changed"]
    assert (line.removed_words, line.added_words) == (("summer",), ("winter",))
    assert (line.old_number, line.new_number, line.syllables) == (2, 2, 0)
    assert change.share == pytest.approx(1 / 19, abs=0.002)
    assert (change.n_min, change.problems) == (0.8, ())


def test_the_more_changes_the_lower_n_min() -> None:
    swaps = ["summer", "love", "again", "come", "tonight", "light", "stay"]
    starts = []
    for count in (1, 3, 6, 7):
        new = OLD.lower()
        for word in swaps[:count]:
            new = new.replace(word, "dada")
        starts.append(compare(OLD, new).n_min)
    assert starts == [0.8, 0.7, 0.6, None]


def test_a_line_of_a_verse_of_four_is_what_the_authors_advise() -> None:
    verse = "Sun goes down on me\nI walk along the sea\nNo one is free\nThat is how it must be"
    new = verse.replace("That is how it must be", "And so they say it had to go")
    change = compare(verse, new)
    assert change.share == pytest.approx(7 / 22, abs=0.001)
    assert change.problems == ()


def test_another_song_is_not_an_edit() -> None:
    change = compare(
        OLD, "[verse]\nEvery word is new\nNothing stays at all\n\n[chorus]\nZ z z\nQ q q"
    )
    assert change.n_min is None
    assert "100% of the words change; beyond 33%" in change.problems[0]


def test_an_added_line_is_not_carried() -> None:
    change = compare(OLD, OLD.replace("You come", "A line between\nYou come"))
    assert [line.new for line in change.lines if line.kind == "added"] == ["A line between"]
    assert change.sections[0].lines == 1
    assert [problem.split(";")[0] for problem in change.problems] == ["Lines are added or removed"]


def test_a_removed_line_and_another_mark() -> None:
    change = compare(OLD, OLD.replace("\nHold me in the light", "").replace("[chorus]", "[hook]"))
    assert [line.old for line in change.lines if line.kind == "removed"] == ["Hold me in the light"]
    assert any("marks change" in problem for problem in change.problems)


def test_lines_that_outgrow_their_melody_are_named_in_one_sentence() -> None:
    new = OLD.replace("Stay with me tonight", "Stay with me tonight and every other night")
    (problem,) = compare(OLD, new).problems
    assert "line 6 +6" in problem
    old = "\n".join(f"we sing line {word}" for word in ("one", "two", "six", "ten") * 2)
    (problem,) = compare(old, old.replace("sing", "unconditionally", 8)).problems
    assert problem.count("line ") == comparing.LINES_NAMED
    assert problem.endswith(" and more.")


def test_syllables_are_those_of_the_language() -> None:
    """The e at a line's end is heard in German, not in English."""
    old, new = "die Nacht", "die Nacht vergaße meine Reise"
    german, english = (compare(old, new, language=code).lines[0] for code in ("de", "auto"))
    assert german.syllables > english.syllables


def test_nothing_changed() -> None:
    change = compare(OLD, OLD)
    assert (change.share, change.problems) == (0, ())
    assert {line.kind for line in change.lines} == {"same"}


@pytest.mark.parametrize(
    ("old", "new", "share"),
    [
        ("", "", 0.0),
        ("[inst]", "[instrumental]", 0.0),
        (VERSE, VERSE.upper(), 0.0),
        (VERSE, VERSE.replace("[verse]", "[chorus]"), 0.0),
        (VERSE, VERSE.replace("sea", "tree"), 0.1),
        (VERSE, "", 1.0),
        ("", VERSE, 1.0),
        ("[verse] one two", "[verse] one three", 0.5),
        ("one two", "one two three four", 0.5),
        ("don't stop", "don\u2019t stop", 0.0),
        ("\u6211\u7231\u4f60", "\u6211\u7231\u5979", 1 / 3),
        ("\u0e23\u0e31\u0e01", "\u0e23\u0e31\u0e14", 1 / 3),
        (
            "\u043b\u044e\u0431\u043e\u0432\u044c \u0438 \u043c\u0438\u0440",
            "\u043b\u044e\u0431\u043e\u0432\u044c",
            2 / 3,
        ),
    ],
)
def test_share_of_changed_words(old: str, new: str, share: float) -> None:
    assert compare(old, new).share == pytest.approx(share, abs=0.001)


@settings(max_examples=60, deadline=None)
@given(st.text(), st.text())
def test_shares_are_shares(old: str, new: str) -> None:
    assert 0 <= compare(old, new).share <= 1
    assert compare(old, old).share == 0


def test_what_is_too_long_to_align_is_compared_in_step() -> None:
    """A word in front moves all others: aligned it is one change, in step it is every word."""
    word, more = "a b " * 40, "z " + "a b " * 40
    assert compare(word, more).share == pytest.approx(1 / 81, abs=0.001)
    long, longer = "a b " * 4000, "z " + "a b " * 4000
    assert compare(long, longer).share == 1
    assert compare(long, long).share == 0
    lines = "\n".join(str(number) for number in range(2000))
    assert compare(lines, lines.replace("7\n", "8\n")).share == pytest.approx(0.1)
    assert compare(lines, f"0\n{lines}").share > 0.9
