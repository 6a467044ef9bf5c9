"""Written text to spoken text, the steps that fifteen of the languages share.

    quotes -> lower case -> numbers -> abbreviations -> symbols -> single spaces

The order is the one the model was trained with, oddities included: numbers are spelled after
lower-casing, so German numbers keep their capitals. What differs between languages is data in
rules/, read when a language is first used.
"""

from __future__ import annotations

import functools
import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..fallbacks import Warn
from .numbers import NumberRules, spell_numbers

log = logging.getLogger(__name__)

Step = Callable[[str], str]


@dataclass(frozen=True)
class Rules:
    """What rules/<code>.json says about one language."""

    numbers: NumberRules | None  # None for Chinese, which reads numbers by its own rules
    abbreviations: tuple[tuple[re.Pattern[str], str], ...]
    symbols: Mapping[str, str]


@functools.cache
def rules_of(code: str) -> Rules:
    path = Path(__file__).with_name("rules") / f"{code}.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    numbers = NumberRules(**table["numbers"]) if "numbers" in table else None
    pairs = ((_abbreviation(short), full) for short, full in table["abbreviations"])
    return Rules(numbers, tuple(pairs), table["symbols"])


def clean(code: str, text: str, warn: Warn) -> str:
    """One line the way a language with ordinary number words says it."""
    numbers = rules_of(code).numbers
    assert numbers is not None, code
    return cleaned(code, text, lambda line: spell_numbers(line, numbers, warn))


def cleaned(code: str, text: str, spell: Step) -> str:
    """All steps, with `spell` in the place of the numbers."""
    rules = rules_of(code)
    text = text.replace('"', "")
    if code == "tr":
        text = text.replace("\u0130", "i")  # lower() would leave a combining dot behind
    text = _guarded(spell, text.lower())
    text = _guarded(lambda line: _expand_abbreviations(line, rules), text)
    text = _guarded(lambda line: _expand_symbols(line, rules), text)
    return single_spaced(text)


def single_spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def _guarded(step: Step, text: str) -> str:
    """A step that fails is left out whole: the model knows such lines with their digits.

    Czech depends on it, for num2words does not know the code the model was trained with.
    """
    try:
        return step(text)
    except Exception as error:  # whatever num2words raises
        log.debug("A step was left out for %r: %r", text, error)
        return text


def _abbreviation(short: str) -> re.Pattern[str]:
    end = "" if short.endswith(".") else r"\b"
    return re.compile(rf"\b{re.escape(short)}{end}", re.IGNORECASE)


def _expand_abbreviations(text: str, rules: Rules) -> str:
    for pattern, full in rules.abbreviations:
        text = pattern.sub(full, text)
    return text


def _expand_symbols(text: str, rules: Rules) -> str:
    for symbol, word in rules.symbols.items():
        text = text.replace(symbol, f" {word} ").replace("  ", " ")
    return text.strip()
