"""What a prompt asks for in sound: genres, moods, instruments, tempo, voice, and what not.

    prompt -> known words, longest first -> asked for or ruled out -> Style

Words of six and more languages lead to the same English tags, for those the model knows best.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

LETTER = "[a-zA-Z\u00c0-\u024f\u0400-\u04ff]"
CONJUNCTIONS = r"\s*(?:,?\s*\b(?:or|and|nor|und|oder|noch|et|ou|ni|y|o|e)\b|[\u3001\u548c])\s*"
INSTRUMENTAL_WORDS = (
    r"\binstrumental\w*|\u7eaf\u97f3\u4e50|\u7d14\u97f3\u6a02|\u30a4\u30f3\u30b9\u30c8"
    r"|\u0438\u043d\u0441\u0442\u0440\u0443\u043c\u0435\u043d\u0442\u0430\u043b\w*"
)


@dataclass(frozen=True)
class PromptWords:
    """Small words, most of them by language, parted by spaces or bars."""

    articles: dict[str, str]
    about: dict[str, dict[str, str]]  # words before a topic -> the article that they swallow
    weak: dict[str, str]
    split: dict[str, str]
    without: dict[str, str]
    without_after: list[str]
    pronouns: str
    filler: str
    filler_cjk: list[str]
    cjk_about: list[str]
    cjk_about_end: list[str]
    cjk_about_after: list[str]


@dataclass(frozen=True)
class Found:
    """A known word of the prompt."""

    start: int
    end: int
    kind: str  # "genre", "mood", "instrument", "tempo" or "voice"
    tag: str
    is_absent: bool = False


@dataclass(frozen=True)
class Style:
    found: tuple[Found, ...]  # by place
    bpm: int | None
    is_instrumental: bool  # the prompt says so, or rules voices out

    def tags(self, kind: str) -> list[str]:
        return list(dict.fromkeys(f.tag for f in self.found if f.kind == kind and not f.is_absent))

    @property
    def absent(self) -> list[str]:
        return list(dict.fromkeys(f.tag for f in self.found if f.is_absent))


@functools.cache
def prompt_words() -> PromptWords:
    """prompts.json: the small words that show what a prompt is about."""
    path = Path(__file__).with_name("prompts.json")
    return PromptWords(**json.loads(path.read_text(encoding="utf-8")))


@functools.cache
def _terms() -> list[tuple[str, str, re.Pattern[str]]]:
    path = Path(__file__).with_name("vocabulary.json")
    table = json.loads(path.read_text(encoding="utf-8"))
    return [
        (kind, tag, re.compile("|".join(_term(word) for word in words.split("|")), re.IGNORECASE))
        for kind, entries in table.items()
        for tag, words in entries.items()
    ]


def _term(word: str) -> str:
    """Whole words where words are parted by spaces; "*" stands for any ending."""
    stem = re.escape(word.rstrip("*")).replace("\\ ", "[-\\s]?").replace("\\-", "[-\\s]?")
    ending = f"{LETTER}*" if word.endswith("*") else ""
    before = f"(?<!{LETTER})" if re.match(f"{LETTER}|\\d", word) else ""
    after = f"(?!{LETTER})" if re.search(f"(?:{LETTER}|\\d|\\*)$", word) else ""
    return f"{before}{stem}{ending}{after}"


def read_style(prompt: str) -> Style:
    matches = [
        Found(match.start(), match.end(), kind, tag)
        for kind, tag, expression in _terms()
        for match in expression.finditer(prompt)
        if match.end() > match.start()
    ]
    matches.sort(key=lambda f: (f.start - f.end, f.start))
    kept: list[Found] = []
    for match in matches:
        if all(match.end <= other.start or match.start >= other.end for other in kept):
            kept.append(match)
    found = _with_absence(prompt, sorted(kept, key=lambda f: f.start))
    bpm = re.search(r"(?<!\d)(\d{2,3})\s*bpm", prompt, re.IGNORECASE)
    no_voice = any(f.is_absent and f.kind == "voice" for f in found)
    says_so = bool(re.search(INSTRUMENTAL_WORDS, prompt, re.IGNORECASE))
    return Style(tuple(found), _tempo(bpm), says_so or no_voice)


def _tempo(bpm: re.Match[str] | None) -> int | None:
    return min(max(int(bpm[1]), 40), 240) if bpm else None


def _with_absence(prompt: str, found: list[Found]) -> list[Found]:
    """Marks what a prompt rules out: "no drums or bass", "ohne Gesang"."""
    before = _negations()
    after = prompt_words().without_after
    marked: list[Found] = []
    for one in found:
        head = prompt[marked[-1].end if marked else 0 : one.start]
        joined = bool(marked and marked[-1].is_absent and re.fullmatch(CONJUNCTIONS, head))
        follows = prompt[one.end :].lstrip().startswith(tuple(after))
        is_absent = joined or follows or bool(before.search(prompt[: one.start]))
        marked.append(Found(one.start, one.end, one.kind, one.tag, is_absent))
    return marked


@functools.cache
def _negations() -> re.Pattern[str]:
    """A word of absence right before, or one other word between."""
    words = [w for listed in prompt_words().without.values() for w in listed.split("|") if w]
    spaced = sorted((re.escape(w) for w in words if w.isascii() or w[0].isalpha()), key=len)
    joined = "|".join(reversed(spaced))
    return re.compile(rf"(?:(?<!{LETTER})(?:{joined})\s*(?:{LETTER}+\s+)?)$", re.IGNORECASE)


def masked(prompt: str, style: Style) -> str:
    """The prompt with every known word blanked, all places kept."""
    chars = list(prompt)
    for one in style.found:
        chars[one.start : one.end] = " " * (one.end - one.start)
    blank = re.sub(r"(?i)\d{2,3}\s*bpm", lambda m: " " * len(m[0]), "".join(chars))
    return re.sub(INSTRUMENTAL_WORDS, lambda m: " " * len(m[0]), blank, flags=re.IGNORECASE)
