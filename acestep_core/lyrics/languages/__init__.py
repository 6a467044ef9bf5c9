"""The seventeen languages of the model: prefix token and the way each is spoken.

    code -> Language.normalise(text, warn) -> text the vocabulary covers

A new language is one entry here and one file beside this one: a table in rules/ where the
shared cleaner does, a module where it does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..fallbacks import Warn
from . import chinese, hindi, japanese, korean
from .cleaner import clean


@dataclass(frozen=True)
class Language:
    code: str
    name: str
    token: int  # the id every line in this language starts with
    normalise: Callable[[str, Warn], str]

    @property
    def prefix(self) -> str:
        """The prefix token as the vocabulary spells it."""
        return "[zh-cn]" if self.code == "zh" else f"[{self.code}]"


def _cleaned(code: str, name: str, token: int) -> Language:
    return Language(code, name, token, partial(clean, code))


LANGUAGES = {
    language.code: language
    for language in (
        _cleaned("en", "English", 259),
        _cleaned("ar", "Arabic", 5022),
        _cleaned("cs", "Czech", 293),
        _cleaned("de", "German", 260),
        _cleaned("es", "Spanish", 284),
        _cleaned("fr", "French", 262),
        Language("hi", "Hindi", 6680, hindi.normalise),
        _cleaned("hu", "Hungarian", 5753),
        _cleaned("it", "Italian", 285),
        Language("ja", "Japanese", 5412, japanese.normalise),
        Language("ko", "Korean", 6152, korean.normalise),
        _cleaned("nl", "Dutch", 297),
        _cleaned("pl", "Polish", 294),
        _cleaned("pt", "Portuguese", 286),
        _cleaned("ru", "Russian", 267),
        _cleaned("tr", "Turkish", 295),
        Language("zh", "Chinese", 5023, chinese.normalise),
    )
}
