"""What a lyric lost because an optional package is missing, each thing said once.

language code -> Fallbacks -> Lyrics.warnings and the log
"""

from __future__ import annotations

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

Warn = Callable[[str], None]


class Fallbacks:
    """Collects messages in the order they first came; calling it is the `Warn` that is passed on."""

    def __init__(self) -> None:
        self._messages: dict[str, None] = {}

    def __call__(self, message: str) -> None:
        if message not in self._messages:
            self._messages[message] = None
            log.warning(message)

    @property
    def messages(self) -> tuple[str, ...]:
        return tuple(self._messages)
