"""What a line's letters say about its language, without any package.

line -> "ko", "ja", "zh", "ru", "ar", "hi", or None for letters that many languages share
"""

from __future__ import annotations

import re

# The first that occurs decides, so kana make a line Japanese however many ideographs it has.
SCRIPTS = {
    "ko": "[\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f]",
    "ja": "[\u3040-\u30ff\uff66-\uff9d]",
    "zh": "[\u3400-\u9fff]",
    "ru": "[\u0400-\u04ff]",
    "ar": "[\u0600-\u06ff]",
    "hi": "[\u0900-\u097f]",
}


def by_script(line: str) -> str | None:
    return next((code for code, letters in SCRIPTS.items() if re.search(letters, line)), None)
