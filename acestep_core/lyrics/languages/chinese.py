"""Chinese: numbers read aloud, punctuation to commas, then pinyin with tone digits.

    numbers (nine readings, in order) -> commas -> shared cleaner -> pypinyin

A reading collects what it finds first and then replaces the first occurrence of each, which
may be another one. The model was trained on text made that way, so it stays. Patterns begin
with a neighbour or look back at it: no match changes, but long lines take linear time.
"""

from __future__ import annotations

import functools
import json
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..fallbacks import PackageError, Warn
from .cleaner import cleaned

NUMBER = r"\d+(?:\.\d+)?"
MOBILE = r"\D((?:\+?86\s?)?1(?:[38]\d|5[0-35-9]|7[678]|9[89])\d{8})\D"
LANDLINE = r"\D((?:0(?:10|2[1-3]|[3-9]\d{2})-?)?[1-9]\d{6,7})\D"


@dataclass(frozen=True)
class Characters:
    """chinese.json: the characters and phrases that mean something to these rules."""

    digits: str
    units: dict[str, int]  # unit -> its power of ten, rising
    ten: str
    pair: str  # two, when a unit follows
    point: str
    year: str
    fraction: str
    percent: str
    patterns: dict[str, str]
    commas: str  # punctuation that becomes a comma, besides ASCII's


@functools.cache
def characters() -> Characters:
    path = Path(__file__).with_name("chinese.json")
    return Characters(**json.loads(path.read_text(encoding="utf-8")))


def normalise(text: str, warn: Warn) -> str:
    spoken = cleaned("zh", text, spell_numbers)
    try:
        from pypinyin import Style, pinyin
    except ImportError as error:
        raise PackageError(
            "Chinese needs the package pypinyin, and nothing can stand in for it. "
            "Install it: pip install pypinyin"
        ) from error
    readings = pinyin(spoken, style=Style.TONE3, heteronym=False, neutral_tone_with_five=True)
    return "".join(reading[0] for reading in readings)


def spell_numbers(text: str) -> str:
    """Digits as Chinese numerals, and every punctuation mark as a comma."""
    table = characters()
    patterns = table.patterns
    # Marks at both ends let a rule that asks for a neighbour work at the edges, too.
    text = f"^{text}$"
    text = _replace_each(patterns["date"], _date, text)
    text = _replace_each(patterns["money"], _amount, text)
    text = _replace_each(MOBILE, _digits, text)
    text = _replace_each(LANDLINE, _digits, text)
    text = _replace_each(r"(?<!\d)(\d+/\d+)", _fraction, text)
    text = text.replace("\uff05", "%")
    text = _replace_each(rf"(?<!\d)({NUMBER}%)", _percentage, text)
    text = _replace_each(patterns["measured"], cardinal, text)
    text = _replace_each(r"(\d{4,32})", _digits, text)
    text = _replace_each(f"({NUMBER})", cardinal, text)
    text = _replace_each(patterns["letters"], _two_between_letters, text)
    text = text.lstrip("^").rstrip("$")
    marks = set(table.commas + string.punctuation)
    return "".join("," if char in marks else char for char in text)


def _replace_each(pattern: str, read: Callable[[str], str], text: str) -> str:
    for match in [*re.finditer(pattern, text)]:
        if match[1]:
            text = text.replace(match[1], read(match[1]), 1)
    return text


def _digits(written: str) -> str:
    """One by one, as in a telephone number; other characters are dropped."""
    return "".join(characters().digits[int(char)] for char in written if char.isdecimal())


def _date(written: str) -> str:
    year = characters().year
    spoken = re.sub(rf"(\d+){year}", lambda m: _digits(m[1]) + year, written)
    return _amount(spoken)


def _amount(written: str) -> str:
    return re.sub(NUMBER, lambda m: cardinal(m[0]), written)


def _fraction(written: str) -> str:
    part, whole = written.split("/")
    return cardinal(whole) + characters().fraction + cardinal(part)


def _percentage(written: str) -> str:
    return characters().percent + cardinal(written.removesuffix("%"))


def _two_between_letters(written: str) -> str:
    return written.replace(characters().digits[2], "2")


def cardinal(written: str) -> str:
    """A number as a whole: "1020" -> one thousand, zero, two tens."""
    table = characters()
    whole, _, decimals = written.partition(".")
    spoken = _digits(whole) if len(whole) == 1 else _whole(whole)
    if decimals:
        spoken = (spoken or table.digits[0]) + table.point + _digits(decimals)
    return spoken


def _whole(written: str) -> str:
    table = characters()
    symbols = _symbols("".join(str(int(char)) for char in written))
    larger = set(table.units) - {table.ten}
    for i, symbol in enumerate(symbols[:-1]):
        begins = i == 0 or symbols[i - 1] in larger
        if symbol == table.digits[2] and begins and symbols[i + 1] in larger:
            symbols[i] = table.pair
    if symbols[:2] == [table.digits[1], table.ten]:
        del symbols[0]
    return "".join(symbols)


def _symbols(digits: str) -> list[str]:
    """Digits and units of a whole number, largest unit first."""
    table = characters()
    rest = digits.lstrip("0")
    if len(rest) <= 1:
        zero = [table.digits[0]] if rest and len(digits) > 1 else []
        return zero + [table.digits[int(digit)] for digit in rest]
    unit, power = max(
        ((unit, power) for unit, power in table.units.items() if power < len(rest)),
        key=lambda pair: pair[1],
    )
    return [*_symbols(digits[:-power]), unit, *_symbols(rest[-power:])]
