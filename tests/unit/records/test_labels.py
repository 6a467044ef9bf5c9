"""What players and folders show of a song."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acestep_core.records.labels import FORBIDDEN, MOST_BYTES, file_name, genre_of, shown, title_of

LYRICS = "[intro]\n\n[verse]\n[de] Guten Morgen, Meer,\nein Zug geht aus\n"


@pytest.mark.parametrize(
    ("tags", "lyrics", "title"),
    [
        ("folk, guitar", LYRICS, "Guten Morgen, Meer"),
        ("lofi, electric piano, 77 bpm", "[inst]", "Lofi, electric piano"),
        ("lofi", "", "Lofi"),
        ("", "", ""),
        ("pop", "la " * 40, "la " * 19 + "la"),
        ("pop", "x" * 90, "x" * 60),
    ],
)
def test_title(tags: str, lyrics: str, title: str) -> None:
    assert title_of(tags, lyrics) == title


@pytest.mark.parametrize(
    ("tags", "genre"),
    [
        ("warm, modern pop, guitar", "pop"),
        ("female voice, 100 bpm", ""),
        ("a calm piece of jazz for the night", "jazz"),
        ("no rock, jazz", "jazz"),
    ],
)
def test_genre(tags: str, genre: str) -> None:
    assert genre_of(tags) == genre


def test_only_what_there_is() -> None:
    assert shown("", "") == {}
    assert shown("warm", "[inst]") == {"title": "Warm", "comment": "warm"}
    assert shown("warm", LYRICS, " Mine ")["title"] == "Mine"
    assert shown("warm", LYRICS)["lyrics"] == LYRICS.strip()


def test_name_of_a_file() -> None:
    assert file_name("What's \u4f60: a/b\\c? 100% ...") == "What's \u4f60 a b c 100"


@given(st.text())
def test_every_system_takes_the_name(title: str) -> None:
    name = file_name(title)
    assert not FORBIDDEN.search(name)
    assert len(name.encode("utf-8", "replace")) <= MOST_BYTES
    assert name == name.strip(" .")
