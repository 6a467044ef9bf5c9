"""Songs from one sentence: what was asked for is in them, and they can be sung."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from acestep_core.lyrics.estimate import estimate, syllables
from acestep_core.lyrics.fallbacks import Fallbacks
from acestep_core.lyrics.lint import Finding, lint
from acestep_core.settings import SettingError
from acestep_core.writer import Song, metre, write_song
from acestep_core.writer.builtin import language_of
from acestep_core.writer.lines import LANGUAGES, lines_of
from acestep_core.writer.style import read_style
from acestep_core.writer.subject import read_subjects
from acestep_core.writer.tags import palettes

# Nouns and tags were listed by hand before the writer was run.
PROMPTS = json.loads(Path(__file__).with_name("prompts.json").read_text(encoding="utf-8"))
SEEDS = range(5)
SECONDS = 60.0

each_prompt = pytest.mark.parametrize("case", PROMPTS, ids=[c["language"] for c in PROMPTS])


@cache
def written(prompt: str, seed: int, instrumental: bool) -> Song:
    return write_song(prompt, seed=seed, instrumental=instrumental, duration=SECONDS)


def check_tags(song: Song, case: dict) -> None:
    tags = song.tags.split(", ")
    assert all(tag and tag == tag.strip() for tag in tags), tags
    assert len(set(tags)) == len(tags)
    assert 4 <= len(tags) <= 20
    assert len(song.tags) <= 400
    assert song.tags.isprintable()
    assert re.search(r"\d+ bpm", song.tags)
    for tag in case["tags"]:
        assert tag in song.tags, (tag, song.tags)
    for tag in case.get("absent", ()):
        assert tag not in song.tags, (tag, song.tags)


def warnings_of(findings: list[Finding]) -> list[Finding]:
    """Notes are no reason to change a song."""
    return [finding for finding in findings if finding.severity == "warning"]


@each_prompt
def test_songs(case: dict) -> None:
    songs = [written(case["prompt"], seed, False) for seed in SEEDS]
    for song in songs:
        check_tags(song, case)
        assert "vocals" in song.tags
        assert warnings_of(lint(song.lyrics, language=song.language, duration=SECONDS)) == []
        seconds = estimate(song.lyrics, song.language).seconds
        assert abs(seconds - SECONDS) <= 0.2 * SECONDS
        sung = case["language"] in LANGUAGES
        assert song.language == (case["language"] if sung else "en")
        where = song.lyrics if sung else song.tags
        for noun in case["nouns"]:
            assert noun.lower() in where.lower(), (noun, where)
    assert len({song.lyrics for song in songs}) == len(songs)
    assert len({song.tags for song in songs}) == len(songs)


@each_prompt
def test_instrumental(case: dict) -> None:
    songs = [written(case["prompt"], seed, True) for seed in SEEDS]
    for song in songs:
        check_tags(song, case)
        assert song.lyrics == "[inst]"
        assert "instrumental" in song.tags.split(", ")
        assert "vocals" not in song.tags
        for noun in case["nouns"]:
            assert noun.lower() in song.tags.lower(), (noun, song.tags)
    assert len({song.tags for song in songs}) == len(songs)


@pytest.mark.parametrize("seconds", [12, 30, 120, 240])
@pytest.mark.parametrize("case", PROMPTS[::3], ids=[c["language"] for c in PROMPTS[::3]])
def test_other_durations(case: dict, seconds: float) -> None:
    song = write_song(case["prompt"], seed=1, duration=seconds)
    assert abs(estimate(song.lyrics, song.language).seconds - seconds) <= 0.2 * seconds
    assert warnings_of(lint(song.lyrics, language=song.language, duration=seconds)) == []
    verses = [c for c in re.findall(r"\[verse\]\n((?:.+\n){4})", song.lyrics)]
    assert len(set(verses)) == len(verses)


def test_the_same_request_gives_the_same_song() -> None:
    first, second = (write_song(PROMPTS[0]["prompt"], seed=7) for _ in range(2))
    assert first == second
    assert first.seed == 7


def test_a_drawn_seed_is_told() -> None:
    song = write_song("rain", duration=20)
    assert write_song("rain", duration=20, seed=song.seed) == song


def test_a_language_without_lines_is_told() -> None:
    song = written(PROMPTS[14]["prompt"], 0, False)
    (warning,) = song.warnings
    assert "Italian" in warning
    assert "English" in warning


def test_a_foreign_prompt_survives_the_missing_detector(without) -> None:
    without("py3langid")
    for case in PROMPTS:
        assert language_of(case["prompt"], Fallbacks()) == case["language"]


@pytest.mark.parametrize(
    ("prompt", "gone"),
    [
        ("A rock song without drums", ["drum"]),
        ("Jazz, no saxophone or piano", ["saxophone", "piano"]),
        ("Ein Popsong ohne Gitarre", ["guitar"]),
        ("Une chanson rock sans batterie", ["drum"]),
        ("Una canción de rock sin guitarra", ["guitar", "riffs"]),
    ],
)
def test_what_is_ruled_out_stays_out(prompt: str, gone: list[str]) -> None:
    for seed in SEEDS:
        tags = write_song(prompt, seed=seed, duration=20).tags.replace("drumless", "")
        assert not [word for word in gone if word in tags], tags


@pytest.mark.parametrize(
    "prompt", ["Calm piano without vocals", "An instrumental waltz", "Techno ohne Gesang"]
)
def test_a_prompt_may_ask_for_no_singing(prompt: str) -> None:
    song = write_song(prompt, seed=1)
    assert song.lyrics == "[inst]"
    assert song.warnings


def test_tempo_in_words_and_numbers() -> None:
    assert "93 bpm" in write_song("a song about rain, 93 bpm", seed=0, duration=20).tags
    slow, fast = (
        int(re.findall(r"(\d+) bpm", write_song(f"{word} pop", seed=0, duration=20).tags)[0])
        for word in ("slow", "fast")
    )
    assert slow < fast


@pytest.mark.parametrize(
    "prompt",
    [
        "<script>alert(1)</script> [verse] {0} rain",
        "a\x00b\ud83d",
        "!!!",
        "7",
        "\U0001f3b8",
        "x" * 4000,
    ],
)
def test_strange_prompts_make_plain_songs(prompt: str) -> None:
    song = write_song(prompt, seed=0, duration=30)
    assert not re.search(r"[<>{}]", song.lyrics + song.tags)
    assert set(re.findall(r"\[.*?\]", song.lyrics)) <= {
        "[verse]",
        "[chorus]",
        "[bridge]",
        "[intro]",
    }
    song.lyrics.encode()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"prompt": " "}, "prompt is empty"),
        ({"prompt": "x" * 4001}, "at most 4000"),
        ({"prompt": "x", "duration": 300.0}, "between 5 and 240"),
        ({"prompt": "x", "seed": -2}, "Seed"),
        ({"prompt": "x", "back_end": "gpt"}, "builtin, openai"),
    ],
)
def test_mistakes_are_named(settings: dict, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        write_song(**settings)


def english_couplets() -> list[tuple[str, str]]:
    lines = lines_of("en")
    return [*lines.couplets, *lines.bridges, *(c for t in lines.themes for c in t.couplets)]


def test_english_couplets_rhyme_and_keep_the_beat() -> None:
    for couplet in english_couplets():
        first, second = map(metre.rhyme, couplet)
        assert first == second != "", couplet
        for line in couplet:
            assert metre.unevenness(line) < 1, (line, metre.pattern(line))
            assert 7 <= len(metre.pattern(line)) <= 9, line


def test_every_english_frame_has_an_answer_that_rhymes() -> None:
    lines = lines_of("en")
    for frames in (lines.calls, lines.tells):
        assert len({first for first, _ in frames}) >= 20
        assert all(metre.rhyme(a) == metre.rhyme(b) != "" for a, b in frames)


@pytest.mark.parametrize("code", [code for code in LANGUAGES if code != "en"])
def test_other_lines_keep_their_length(code: str) -> None:
    lines = lines_of(code)
    couplets = [*lines.couplets, *lines.bridges, *(c for t in lines.themes for c in t.couplets)]
    for line in (line for couplet in couplets for line in couplet):
        assert abs(syllables(line, code) - lines.beat) <= (3 if code == "ja" else 2), line


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_stock_has_no_line_twice(code: str) -> None:
    lines = lines_of(code)
    couplets = [*lines.couplets, *lines.bridges, *(c for t in lines.themes for c in t.couplets)]
    assert len({line for c in couplets for line in c}) == 2 * len(couplets)
    assert len(lines.bridges) >= 3
    assert all(theme.about for theme in lines.themes)


def test_every_genre_has_a_palette() -> None:
    path = Path(metre.__file__).with_name("vocabulary.json")
    genres = set(json.loads(path.read_text(encoding="utf-8"))["genre"])
    assert genres == set(palettes()) - {""}


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("A song about love, loss and rain on the mountains, slow piano", ["love", "loss", "rain"]),
        ("sad song, my dog died last week", ["my dog died last week"]),
        ("A song about you and me", ["you and me"]),
        ("gothic vampire waltz", ["gothic vampire"]),
        ("A gothic vampire waltz", ["a gothic vampire"]),
        ("A song for my mother's birthday", ["my mother's birthday"]),
        ("Country about a truck driver far from home", ["a truck driver far from home"]),
        ("Jazz piano, 90 bpm", []),
    ],
)
def test_subjects(prompt: str, expected: list[str]) -> None:
    found = [s.text for s in read_subjects(prompt, read_style(prompt), "en")]
    assert found[: len(expected)] == expected
    assert found or not expected
