"""Digits to number words for every language but Chinese.

    grouping -> currency -> decimals -> ordinals -> what digits remain

The words come from num2words; without that package digits stay as they are, which the model
can read, though not as well. Patterns look back at the character before a number: that changes
no match, but without it a long row of digits takes quadratic time.
"""

# The package does not tell its types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol, cast

from ..fallbacks import Warn

CURRENCIES = (("\u00a3", "GBP"), ("$", "USD"), ("\u20ac", "EUR"))


@dataclass(frozen=True)
class NumberRules:
    """How one language writes numbers."""

    num2words: str  # the language code given to num2words
    thousands: str  # the mark between groups of three digits
    decimals: bool  # whether decimals are spelled at all
    cents_joiner: str  # what num2words puts between whole units and cents
    ordinal_suffixes: str  # alternatives of a regular expression, tried from left to right


class Words(Protocol):
    """num2words, as far as it is used here."""

    def __call__(
        self,
        number: int | float,
        ordinal: bool = False,
        lang: str = "en",
        to: str = "cardinal",
        *,
        currency: str = ...,
    ) -> str: ...


def spell_numbers(text: str, rules: NumberRules, warn: Warn) -> str:
    if not re.search("[0-9]", text):
        return text
    try:
        import num2words
    except ImportError:
        warn("num2words is missing, so numbers stay digits. Install it: pip install num2words")
        return text
    words = cast("Words", num2words.num2words)
    text = _ungroup(text, rules)
    text = _spell_currencies(text, rules, words)
    if rules.decimals:
        text = _spell_decimals(text, rules, words)
    text = _spell_ordinals(text, rules, words)
    return re.sub("[0-9]+", lambda m: words(int(m[0]), lang=rules.num2words), text)


def _ungroup(text: str, rules: NumberRules) -> str:
    if rules.thousands == ",":
        spans = r"\b\d{1,3}(?:,\d{3})*(?:\.\d+)?\b"
    else:
        # Any character may stand between the groups: "2 000" is one number here.
        spans = r"\b\d{1,3}(?:.\d{3})*(?:,\d+)?\b"
    return re.sub(spans, lambda m: m[0].replace(rules.thousands, ""), text)


def _spell_currencies(text: str, rules: NumberRules, words: Words) -> str:
    """Amounts with a sign before or after; the first one that fails ends the step."""
    try:
        for sign, currency in CURRENCIES:
            mark = re.escape(sign)
            amounts = rf"{mark}[0-9.,]*[0-9]|(?<![0-9.,])[0-9.,]*[0-9]{mark}"

            def spell(match: re.Match[str], currency: str = currency) -> str:
                return _amount(match[0], currency, rules, words)

            text = re.sub(amounts, spell, text)
    except Exception:  # a currency that num2words lacks in this language, or no number at all
        return text
    return text


def _amount(written: str, currency: str, rules: NumberRules, words: Words) -> str:
    value = float(re.sub("[^0-9.]", "", written.replace(",", ".")))
    spoken = words(value, lang=rules.num2words, to="currency", currency=currency)
    if value.is_integer() and rules.cents_joiner in spoken:
        return spoken[: spoken.rindex(rules.cents_joiner)]  # "twenty dollars, zero cents"
    return spoken


def _spell_decimals(text: str, rules: NumberRules, words: Words) -> str:
    def spell(match: re.Match[str]) -> str:
        return words(float(match[0].replace(",", ".")), lang=rules.num2words)

    return re.sub("(?<![0-9])[0-9]+[.,][0-9]+", spell, text)


def _spell_ordinals(text: str, rules: NumberRules, words: Words) -> str:
    def spell(match: re.Match[str]) -> str:
        return words(int(match[1]), ordinal=True, lang=rules.num2words)

    return re.sub(f"(?<![0-9])([0-9]+)(?:{rules.ordinal_suffixes})", spell, text)
