"""Old lyrics against new ones."""

from __future__ import annotations

import json
import time

import pytest

from acestep_core.lyrics.compare import as_text, compare

OLD = (
    "[verse]\nI love the summer rain\nYou come and go again\n\n"
    "[chorus]\nStay with me tonight\nHold me in the light"
)


def test_one_word_is_a_small_change() -> None:
    found = compare(OLD, OLD.replace("summer", "winter"))
    (line,) = [line for line in found.lines if line.kind == "changed"]
    assert (line.removed_words, line.added_words) == (("summer",), ("winter",))
    assert (line.old_number, line.new_number, line.syllables) == (2, 2, 0)
    assert found.share == pytest.approx(1 / 19, abs=0.002)
    assert found.can_carry
    assert (found.n_min, found.n_max) == (0.8, 1.0)


def test_the_more_changes_the_lower_n_min() -> None:
    swaps = ["summer", "love", "again", "come", "tonight", "light"]
    starts = []
    for count in (1, 3, 6):
        new = OLD
        for word in swaps[:count]:
            new = new.replace(word, "dada")
        starts.append(compare(OLD, new).n_min or 0)
    assert starts == [0.8, 0.7, 0.6]


def test_another_song_is_not_an_edit() -> None:
    found = compare(
        OLD, "[verse]\nEvery word is new\nNothing stays at all\n\n[chorus]\nZ z z\nQ q q"
    )
    assert found.n_min is None
    assert not found.can_carry
    assert "new song" in found.advice[0]


def test_an_added_line_is_not_carried() -> None:
    found = compare(OLD, OLD.replace("You come", "A line between\nYou come"))
    assert [line.new for line in found.lines if line.kind == "added"] == ["A line between"]
    assert found.sections[0].lines == 1
    assert not found.can_carry


def test_a_removed_line_and_another_mark() -> None:
    found = compare(OLD, OLD.replace("\nHold me in the light", "").replace("[chorus]", "[hook]"))
    assert [line.old for line in found.lines if line.kind == "removed"] == ["Hold me in the light"]
    assert any("marks change" in words for words in found.advice)


def test_a_line_that_outgrows_its_melody() -> None:
    new = OLD.replace("Stay with me tonight", "Stay with me tonight and every other night")
    assert any("syllables more" in words for words in compare(OLD, new).advice)


def test_nothing_changed() -> None:
    found = compare(OLD, OLD)
    assert found.share == 0
    assert found.can_carry
    assert found.advice == ("Nothing changed that is sung.",)


def test_characters_count_where_no_spaces_are() -> None:
    found = compare("\u6211\u7231\u4f60\u4eec", "\u6211\u7231\u5979\u4eec")
    assert found.share == 0.25


def test_data_and_text() -> None:
    found = compare(OLD, OLD.replace("summer", "winter"))
    json.dumps(found.as_data())
    text = as_text(found)
    assert "summer -> winter" in text
    assert "Rule of thumb" in text


@pytest.mark.parametrize(("old", "new"), [("", ""), ("", OLD), (OLD, ""), ("[inst]", "[inst]")])
def test_empty_sides(old: str, new: str) -> None:
    assert 0 <= compare(old, new).share <= 1


def test_long_lyrics_take_no_long_time() -> None:
    old = "\n".join(f"one {i} two {i * 7}" for i in range(300))
    new = "\n".join(f"three {i} four {i * 3}" for i in range(250))
    begin = time.perf_counter()
    compare(old, new)
    assert time.perf_counter() - begin < 5
