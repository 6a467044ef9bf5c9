"""Square pictures for the template browser: large words on a colour, and sound below.

Workflow -> workflows/FILE.jpg

The browser shows them some 200 pixels wide, so a picture of the graph could not be read.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from scripts import jpeg
from scripts.workflows.model import Workflow

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

SIDE, EDGE = 512, 40
LARGEST = 30_000  # bytes
APP, GRAPH = ((20, 110, 98), (10, 56, 66)), ((62, 72, 140), (28, 30, 70))  # top, bottom
WORDS, BARS = (255, 255, 255), (255, 255, 255, 120)
LARGE, SMALL = 72, 28  # pixels of letters
COUNT = 36  # bars of sound


def write(workflow: Workflow, path: Path) -> None:
    from PIL import Image, ImageDraw

    top, bottom = APP if workflow.form else GRAPH
    picture = Image.new("RGB", (SIDE, SIDE))
    draw = ImageDraw.Draw(picture, "RGBA")
    for y in range(SIDE):
        part = y / SIDE
        colour = tuple(round(a + (b - a) * part) for a, b in zip(top, bottom, strict=True))
        draw.line([(0, y), (SIDE, y)], fill=colour)
    _sound(draw, seed=sum(map(ord, workflow.name)))
    _words(draw, workflow)
    jpeg.write(picture, path, LARGEST)


def _sound(draw: ImageDraw, seed: int) -> None:
    width, middle = (SIDE - 2 * EDGE) / COUNT, SIDE - 120
    for bar in range(COUNT):
        swing = abs(math.sin(seed + bar * 0.61)) * abs(math.sin(seed * 0.3 + bar * 0.17))
        height = 8 + 56 * swing
        x = EDGE + bar * width
        draw.rounded_rectangle(
            (x, middle - height, x + width * 0.6, middle + height), radius=4, fill=BARS
        )


def _words(draw: ImageDraw, workflow: Workflow) -> None:
    from PIL import ImageFont

    lines = workflow.card.split("\n")
    size = LARGE
    while size > SMALL:
        font = ImageFont.load_default(size)  # Pillow's own: the same on every machine
        if max(draw.textlength(line, font=font) for line in lines) <= SIDE - 2 * EDGE:
            break
        size -= 2
    y = EDGE + SMALL + 36
    small = ImageFont.load_default(SMALL)
    draw.text((EDGE, EDGE), "ACE-Step v1", font=small, fill=BARS)
    for line in lines:
        draw.text((EDGE, y), line, font=ImageFont.load_default(size), fill=WORDS)
        y += round(size * 1.15)
    kind = "App" if workflow.form else "Graph"
    draw.text((SIDE - EDGE, EDGE), kind, font=small, fill=BARS, anchor="ra")
