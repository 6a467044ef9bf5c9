"""Which language each line of a lyric is in.

    lines -> language code per line

`by_script` needs no package and knows only what the letters show.
"""

from __future__ import annotations

import re

_SCRIPTS = (
    ("ko", "[\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f]"),
    ("ja", "[\u3040-\u30ff]"),
    ("zh", "[\u3400-\u9fff]"),
    ("ru", "[\u0400-\u04ff]"),
    ("ar", "[\u0600-\u06ff]"),
    ("hi", "[\u0900-\u097f]"),
)


def by_script(line: str) -> str:
    """The language of the first of these scripts that occurs; English when none does."""
    return next((code for code, letters in _SCRIPTS if re.search(letters, line)), "en")
