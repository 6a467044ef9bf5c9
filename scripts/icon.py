"""Draws the pack's icon: a song that climbs like steps, in the colours of its spectrograms.

BARS -> rounded rectangles -> docs/icon.svg, docs/icon.png
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acestep_core.pictures.sound import BACKGROUND, coloured

PLACE = Path(__file__).resolve().parent.parent / "docs"
SIZE = 400  # pixels; the registry takes no more
CORNER = 72
BARS = (0.18, 0.34, 0.26, 0.5, 0.42, 0.7, 0.58)  # heights, as shares of the whole
WIDTH, GAP, FINE = 34, 14, 4  # pixels; drawn so many times larger, then made smaller

Shape = tuple[tuple[float, float, float, float], float, tuple[int, int, int]]


def shapes() -> list[Shape]:
    """(left, top, right, bottom), radius and colour; the ground first."""
    found: list[Shape] = [((0, 0, SIZE, SIZE), CORNER, BACKGROUND)]
    left = (SIZE - len(BARS) * WIDTH - (len(BARS) - 1) * GAP) / 2
    colours = coloured(np.linspace(0.35, 0.95, len(BARS)))
    for number, height in enumerate(BARS):
        x, half = left + number * (WIDTH + GAP), height * SIZE / 2
        red, green, blue = (int(value) for value in colours[number])
        box = (x, SIZE / 2 - half, x + WIDTH, SIZE / 2 + half)
        found.append((box, WIDTH / 2, (red, green, blue)))
    return found


def svg() -> str:
    lines = [
        f'  <rect x="{a:g}" y="{b:g}" width="{c - a:g}" height="{d - b:g}" rx="{radius:g}"'
        f' fill="#{red:02x}{green:02x}{blue:02x}"/>'
        for (a, b, c, d), radius, (red, green, blue) in shapes()
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">'
    return "\n".join([head, "  <title>ACE-Step Suite</title>", *lines, "</svg>", ""])


def main() -> int:
    from PIL import Image, ImageDraw

    image = Image.new("RGBA", (SIZE * FINE, SIZE * FINE))
    canvas = ImageDraw.Draw(image)
    for box, radius, colour in shapes():
        canvas.rounded_rectangle([side * FINE for side in box], radius * FINE, fill=colour)
    image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(PLACE / "icon.png", optimize=True)
    (PLACE / "icon.svg").write_text(svg(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
