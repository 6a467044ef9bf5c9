"""What missing packages cost: a fallback said once, or an error where there is none.

language code -> Fallbacks -> Lyrics.warnings and the log
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..settings import SettingError

log = logging.getLogger(__name__)

Warn = Callable[[str], None]


class PackageError(SettingError):
    """A package is missing that nothing can stand in for."""


class Fallbacks:
    """Collects messages, each once, in the order they came; itself the `Warn` to pass on."""

    def __init__(self) -> None:
        self._messages: dict[str, None] = {}

    def __call__(self, message: str) -> None:
        if message not in self._messages:
            self._messages[message] = None
            log.warning(message)

    @property
    def messages(self) -> tuple[str, ...]:
        return tuple(self._messages)
