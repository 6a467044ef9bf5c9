"""The linter, rule by rule; the text it reads stays as it is."""

from __future__ import annotations

import pytest

from acestep_core.lyrics.lint import lint

GOOD = """[verse]
I walk along the empty street
The rain is falling at my feet
I know the way, I know the door
I have been standing here before

[chorus]
Stay with me, stay with me
You are the place I long to be
Stay with me through the night
And leave a little light
"""
LONG = "and on and on and on and on and on and on and on and on and on and on and on"


def test_a_good_song_has_no_finding() -> None:
    assert lint(GOOD, duration=35) == []


@pytest.mark.parametrize(
    ("text", "rule", "line", "severity"),
    [
        ("", "empty", 0, "note"),
        ("la la\nlu lu", "no-marks", 1, "warning"),
        ("[verse]\nla\n\n[Verse 2]\nlu", "unknown-mark", 4, "warning"),
        ("[verse]\nla\n\n[instrumental]", "unknown-mark", 4, "warning"),
        ("[verse] la la", "mark-with-text", 1, "warning"),
        ("[verse]\nla (oh", "open-bracket", 2, "warning"),
        ("[verse]\nla [chorus] la", "mark-in-line", 2, "warning"),
        ("[verse]\nla (oh yeah)", "round-brackets", 2, "note"),
        ("[verse]\n[00:12.50] la", "timestamp", 2, "warning"),
        ("[verse]\n<b>la</b>", "markup", 2, "warning"),
        ("[verse]\nsee www.example.com", "markup", 2, "warning"),
        ("[verse]\n1234", "no-letters", 2, "note"),
        (f"[verse]\n{LONG}", "long-line", 2, "warning"),
        ("[verse]\nla\nla lu la lu la lu la lu la lu", "uneven-lines", 1, "note"),
        ("[verse]\n" + "\n".join(f"line {c}" for c in "abcdefghi"), "long-section", 1, "warning"),
        ("[verse]\n" + "\n".join(f"line {c}" for c in "abcde"), "group", 1, "note"),
        ("[chorus]\n\n[verse]\nla", "empty-section", 1, "note"),
        ("[verse]\nla\n[chorus]\nlu", "no-blank-line", 3, "note"),
        ("[verse]\nla\n\n\nlu", "blank-lines", 4, "note"),
        ("[verse]\nla\nla\nLA", "repeated-line", 4, "warning"),
    ],
)
def test_each_rule(text: str, rule: str, line: int, severity: str) -> None:
    found = {f.rule: f for f in lint(text)}
    assert rule in found, found
    assert (found[rule].line, found[rule].severity) == (line, severity)
    assert found[rule].suggestion
    assert str(found[rule]).count(":") >= 1


def test_lines_that_are_passed_over_make_no_uneven_part() -> None:
    found = lint("[verse]\nMorning comes in over the water\n1234\nLight upon the windows")
    rules = {one.rule for one in found}
    assert "uneven-lines" not in rules


@pytest.mark.parametrize(
    ("duration", "rule"), [(10, "too-much-text"), (35, None), (200, "too-little-text")]
)
def test_words_against_the_duration(duration: float, rule: str | None) -> None:
    assert [f.rule for f in lint(GOOD, duration=duration)] == ([rule] if rule else [])


def test_prefixes_of_a_language_are_no_marks() -> None:
    rules = {f.rule for f in lint("[verse]\n[de] Guten Morgen\n[fr] Bonjour")}
    assert not rules & {"unknown-mark", "mark-with-text"}


def test_findings_are_in_the_order_of_lines() -> None:
    found = lint("x (\n[Verse 9]\n1\n\n\n[chorus] y")
    assert [f.line for f in found] == sorted(f.line for f in found)
    assert {f.severity for f in found} == {"warning", "note"}


@pytest.mark.parametrize("text", ["[", "]", "[]", "[\n]", "\n" * 50, "(" * 500, "a" * 5000])
def test_any_text_is_read(text: str) -> None:
    lint(text, duration=60)
