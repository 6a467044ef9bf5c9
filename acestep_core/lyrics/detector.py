"""The language detector the model's lyrics were made with, flaws included.

    line -> carving: placeholders for what one rule recognises
         -> walk: words with a language each
         -> characters counted per language -> winner

English loses to any other language that was counted at all, and text without letters counts
as Chinese: that is why "99 lanterns" comes out as Chinese. The model was trained on lines read
this way, so nothing is put right here; see corrected.py.
"""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from .languages.chinese import spell_numbers

Classify = Callable[[str], tuple[str, float]]  # a text's most likely language and how likely

# Placeholders are three Anatolian hieroglyphs: word characters that no rule knows.
MARKER = "\U00014600"
FIRST_DIGIT, RADIX = 0x14400, 512
PLACEHOLDER = f"({MARKER}[\U00014400-\U000145ff]{{2}})"
HIEROGLYPHS = re.compile("[\U00014400-\U00014646]")
OTHER_HIEROGLYPH = "\U00013000"

HAN = re.compile("[\u4e00-\u9fff]")
KANA = re.compile("[\u3040-\u30ff]")
AMBIGUOUS = ("zh|ja", "ja|zh")
NUMERAL_MARKUP = ("telephone", "number", "currency", "date")
JUDGED = 2000  # characters of a line; the time for text without words grows as their square
COUNTED_MARKUP = ("", "a", "f")  # names of no language that are counted all the same


@dataclass(frozen=True)
class Rule:
    """What is carved out of a line, and how the walk takes it."""

    kind: str  # "script", "number", "latin", "quote" or "markup"
    pattern: re.Pattern[str]
    code: str = ""
    skips_whole_line: bool = False


@dataclass(frozen=True)
class Carved:
    """What a placeholder stands for."""

    rule: Rule
    text: str
    name: str = ""
    inner: str = ""


@dataclass
class Word:
    code: str
    text: str
    tagged: bool


@functools.cache
def characters() -> dict[str, str]:
    path = Path(__file__).with_name("detector.json")
    return json.loads(path.read_text(encoding="utf-8"))


@functools.cache
def rules() -> tuple[Rule, ...]:
    """In the order they are applied."""
    known = characters()
    opens, closes = re.escape(known["quote_open"]), re.escape(known["quote_close"])
    name = "[a-zA-Z|-]*"

    def run_of(letters: str) -> re.Pattern[str]:
        opening = f"[{re.escape(known['opening'])}]"
        # Looking back changes no match; without it long rows of brackets take quadratic time.
        return re.compile(rf"(?<!{opening})(?:{opening}*[{letters}]+\W*)+")

    return (
        Rule("markup", re.compile(rf"<(?P<name>{name})>(?P<inner>.*?)</*{name}>")),
        Rule("script", run_of("\uac00-\ud7a3"), "ko"),
        Rule("script", run_of("\u0e00-\u0e7f"), "th"),
        Rule("script", run_of(known["cyrillic"]), "ru"),
        Rule("number", re.compile(r"(?<!\W)(?:\W+|(?<!\d))\d+\W+\d*\W*\d*"), skips_whole_line=True),
        Rule("latin", run_of("a-zA-Z" + known["latin"])),
        Rule("quote", re.compile(r"""(["'])(?P<inner>.*?)\1"""), skips_whole_line=True),
        Rule(
            "quote",
            re.compile(rf"[{opens}](?P<inner>[^{opens}{closes}]{{3,}})[{closes}]\W*"),
            skips_whole_line=True,
        ),
    )


def original(line: str, classify: Classify, codes: Collection[str]) -> str:
    """Language of a non-blank line: one of `codes`, or the name of a markup in it."""
    carved: list[Carved] = []
    try:
        line = HIEROGLYPHS.sub(OTHER_HIEROGLYPH, line[:JUDGED])
        for rule in rules():
            line = _carve(line, rule, carved)
        walk = Walk(carved, classify, codes)
        walk.visit(line, at_end=True)
    except Exception:  # a line the detector fails on was taken for English
        return "en"
    return walk.winner()


def _carve(line: str, rule: Rule, carved: list[Carved]) -> str:
    matches = [*rule.pattern.finditer(line)]
    if rule.skips_whole_line and len(matches) == 1 and matches[0][0] == line:
        return line

    def keep(match: re.Match[str]) -> str:
        high, low = divmod(len(carved), RADIX)
        carved.append(Carved(rule, match[0], **match.groupdict()))
        return MARKER + chr(FIRST_DIGIT + high) + chr(FIRST_DIGIT + low)

    return rule.pattern.sub(keep, line)


class Walk:
    """Visits a carved line from left to right and counts the characters of each language.

    Chinese and Japanese cannot be told apart in a few characters: such words have a code like
    "zh|ja" and wait in `pending` until a later word settles them. What still waits at the end
    is not counted.
    """

    def __init__(self, carved: list[Carved], classify: Classify, codes: Collection[str]) -> None:
        self._carved = carved
        self._classify = classify
        self._codes = codes
        self._words: list[Word] = []
        self._pending: list[Word] = []
        self._counts: Counter[str] = Counter()

    def winner(self) -> str:
        ranked = [code for code, _ in self._counts.most_common()]
        if not ranked:
            return "zh"
        return ranked[1] if ranked[0] == "en" and len(ranked) > 1 else ranked[0]

    def visit(self, line: str, at_end: bool) -> None:
        pieces = re.split(PLACEHOLDER, line)
        for i, piece in enumerate(pieces):
            if i % 2:
                high, low = (ord(char) - FIRST_DIGIT for char in piece[1:])
                self._visit_carved(self._carved[high * RADIX + low])
            else:
                self._visit_text(piece, at_end and i == len(pieces) - 1)

    def _visit_carved(self, carved: Carved) -> None:
        kind, text = carved.rule.kind, carved.text
        if kind == "script":
            self._add(carved.rule.code, text)
        elif kind == "number":
            self._add(self._words[0].code if self._words else "zh", text)
        elif kind == "latin":
            for part in _sentences(text):
                self._add(self._guess(cleaned(part))[0], part)
        elif kind == "markup":
            self._visit_markup(carved.name, carved.inner)
        elif MARKER in text:
            self.visit(text, at_end=False)
        elif len(cleaned(carved.inner)) <= 5:
            self._visit_text(text, at_end=False)
        else:
            self._add(self._guess(cleaned(carved.inner))[0], text)

    def _visit_markup(self, name: str, inner: str) -> None:
        if name in NUMERAL_MARKUP:
            self._add("zh", spell_numbers(inner), tagged=True)
        else:
            self._add(name, inner, tagged=True)

    def _visit_text(self, piece: str, at_end: bool) -> None:
        """Text that no rule carved out; what is too short to judge goes to its neighbour."""
        items = re.findall(r"[^\w\s]+|[\w\s]+", piece)
        carried = ""
        for i, item in enumerate(items):
            text, is_last = carried + item, i == len(items) - 1
            letters = cleaned(without_digits(text))
            if not is_last and (
                len(letters) <= 2
                or not without_punctuation(text)
                or not without_punctuation(items[i + 1])
            ):
                carried = text
                continue
            carried = ""
            self._add(self._judge(letters, text, is_last and at_end), text)

    def _judge(self, letters: str, text: str, at_end: bool) -> str:
        code, likelihood = self._guess(letters)
        previous = self._words[-1].code if self._words else ""
        if code != "zh" and all(HAN.match(char) for char in letters.replace(" ", "")):
            code, likelihood = "zh", 1.0
        if len(letters) > 5 or not HAN.search(letters):
            return code
        if likelihood < 0.89:
            code = "ja"
        if KANA.search(letters):
            return "ja"
        if len(letters) > 2 and likelihood > 0.90:
            return code
        if at_end:
            return "zh" if len(letters) <= 1 else code
        if text.rstrip().endswith(tuple(characters()["full_stops"])):
            return previous if previous in ("zh", "ja") else code
        chinese_first = code == "zh" or (len(letters) <= 2 and previous == "zh")
        return "zh|ja" if chinese_first else "ja|zh"

    def _add(self, code: str, text: str, tagged: bool = False) -> None:
        if not text.strip():
            return
        if code == "en":  # changes the length alone, and the length is what is counted
            text = re.sub(r"(?<=\w)([A-Z])", r" \1", text).strip("-") + " "
        word = Word(code, text, tagged)
        if self._pending:
            waiting = self._pending.pop()
            options = waiting.code.split("|")
            if word.code in (*options, waiting.code):
                waiting.code = word.code = word.code.split("|")[0]
            else:
                waiting.code = options[0]
            self._store(waiting)
        if word.code in AMBIGUOUS:
            self._pending.append(word)
        else:
            self._store(word)

    def _store(self, word: Word) -> None:
        previous = self._words[-1] if self._words else None
        if previous and not word.tagged and not previous.tagged:
            if _is_numeric(word.text):
                word.code = previous.code
            if word.code == previous.code:
                previous.text += word.text
                self._count(word.code, word.text)
                return
            if _is_numeric(previous.text):
                word.text = previous.text + word.text
                self._words.pop()
        if word.code in self._codes or word.code in COUNTED_MARKUP:
            self._words.append(word)
            self._count(word.code, word.text)

    def _count(self, code: str, text: str) -> None:
        self._counts[code] += len(text) * (2 if code == "zh" else 1)

    def _guess(self, text: str) -> tuple[str, float]:
        code, likelihood = self._classify(text)
        return code, round(likelihood, 3)


def cleaned(text: str) -> str:
    """Words alone, single spaces, no doubled letters: what the classifier is asked about."""
    return re.sub(r"(.)\1+", r"\1", re.sub(r"\W+", " ", text)).strip()


def without_punctuation(text: str) -> str:
    return re.sub(r"[^\w\s]|\n", "", text).strip()


def without_digits(text: str) -> str:
    return re.sub(r"\d", "", text)


def _is_numeric(text: str) -> bool:
    """True for digits and punctuation alone."""
    return not without_digits(without_punctuation(text))


def _sentences(text: str) -> list[str]:
    ends = re.escape(characters()["enders"])
    parts = re.findall(f"[^{ends}]*[{ends}]+|[^{ends}]+", text)
    return [part for part in parts if part.strip()]
