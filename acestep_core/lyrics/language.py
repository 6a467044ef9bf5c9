"""Which language each line of a song is in.

    lines -> "corrected" or "original" detector -> language codes
             without py3langid: what the script shows

py3langid before 0.3 is needed exactly: 0.3 forces numpy 2 on users, 0.4 answers otherwise.
"""

# The package does not tell its types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import Protocol, cast

from .corrected import corrected
from .detector import original
from .fallbacks import Warn
from .script import by_script

PACKAGE = "py3langid>=0.2.2,<0.3"


class Model(Protocol):
    """What we ask of py3langid, which does not tell its types."""

    def classify(self, text: str) -> tuple[str, float]: ...
    def rank(self, text: str) -> Sequence[tuple[str, float]]: ...


class Identifier:
    """py3langid's model: reading it takes longer than a song's lines, so it is kept."""

    def __init__(self) -> None:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier

        model = LanguageIdentifier.from_pickled_model(MODEL_FILE, norm_probs=True)
        self._model = cast("Model", model)
        self.codes = frozenset(self.ranking(""))

    def classify(self, text: str) -> tuple[str, float]:
        code, likelihood = self._model.classify(text)
        return code, float(likelihood)

    def ranking(self, text: str) -> Mapping[str, float]:
        return {code: float(likelihood) for code, likelihood in self._model.rank(text)}


def languages_of(lines: Sequence[str], detector: str, warn: Warn) -> list[str]:
    """Codes of non-blank lines; "original" may answer codes that the model does not sing."""
    if not lines:
        return []
    identifier = _identifier(warn)
    if identifier is None:
        return [by_script(line) or "en" for line in lines]
    return DETECTORS[detector](lines, identifier)


def _by_song(lines: Sequence[str], identifier: Identifier) -> list[str]:
    return corrected(lines, identifier.ranking)


def _by_line(lines: Sequence[str], identifier: Identifier) -> list[str]:
    return [original(line, identifier.classify, identifier.codes) for line in lines]


# By the mode that uses it.
DETECTORS = {"corrected": _by_song, "original": _by_line}


def _identifier(warn: Warn) -> Identifier | None:
    found = _installed()
    known = re.match(r"0\.2\.(\d+)", found)
    if known and int(known[1]) >= 2:
        try:
            return _loaded()
        except ImportError:  # its numpy is missing or broken
            found = ""
    state = f"{found} does not answer as the model expects" if found else "is missing"
    warn(
        f"py3langid {state}: languages are guessed from the script alone, so all lines in Latin "
        f'letters count as English. Install it: pip install "{PACKAGE}"'
    )
    return None


def _installed() -> str:
    """The version of py3langid; empty without it."""
    try:
        return metadata.version("py3langid")
    except metadata.PackageNotFoundError:
        return ""


@functools.cache
def _loaded() -> Identifier:
    return Identifier()
