"""Pictures for the pages, as JPEG of at most so many bytes.

image, largest -> the best quality that fits -> file
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST = 140_000  # bytes of a picture: all of them together stay under 2.5 MB
BEST, WORST, STEP = 88, 22, 6  # quality


def write(image: Image, path: Path, largest: int = LARGEST) -> int:
    """Write a picture and return its quality."""
    for quality in range(BEST, WORST - 1, -STEP):
        content = io.BytesIO()
        image.save(content, "JPEG", quality=quality, optimize=True, progressive=True)
        if content.tell() <= largest:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.getvalue())
            return quality
    raise SystemExit(f"{path.name} does not fit into {largest} bytes.")
