"""Loss curves as a picture.

losses.jsonl -> one line per figure, steps across, values on a logarithmic scale up -> PNG
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from acestep_core.pictures.sound import BACKGROUND, FAINT, INK, coloured, save_png

SIZE = (900, 420)
LEFT, RIGHT, TOP, BOTTOM = 60, 190, 34, 34
TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
NOT_DRAWN = ("step", "seconds")

Points = list[tuple[int, float]]


def draw(journal: Path, path: Path, title: str) -> None:
    """Draw the journal's figures that are above zero; nothing if there are none."""
    from PIL import Image, ImageDraw

    lines = series(journal)
    if not lines:
        return
    last = max(step for points in lines.values() for step, _ in points)
    values = [value for points in lines.values() for _, value in points]
    low, high = math.log(min(values) / 1.1), math.log(max(values) * 1.1)
    image = Image.new("RGB", SIZE, BACKGROUND)
    canvas = ImageDraw.Draw(image)

    def place(step: float, value: float) -> tuple[float, float]:
        across = (SIZE[0] - LEFT - RIGHT) * step / max(last, 1)
        up = (SIZE[1] - TOP - BOTTOM) * (math.log(value) - low) / (high - low)
        return LEFT + across, SIZE[1] - BOTTOM - up

    for tick in (tick for tick in TICKS if low <= math.log(tick) <= high):
        y = place(0, tick)[1]
        canvas.line([(LEFT, y), (SIZE[0] - RIGHT, y)], fill=FAINT)
        canvas.text((8, y - 6), f"{tick:g}", fill=INK)
    for quarter in range(5):
        step = last * quarter // 4
        x = place(step, 1.0)[0]
        canvas.text((x - 10, SIZE[1] - BOTTOM + 8), str(step), fill=INK)
    canvas.text((LEFT, 10), f"{title}: {last} steps", fill=INK)
    colours = coloured(np.linspace(0.4, 1.0, len(lines)))
    for number, (name, points) in enumerate(lines.items()):
        red, green, blue = (int(value) for value in colours[number])
        canvas.line([place(*point) for point in points], fill=(red, green, blue), width=2)
        y = TOP + 18 * number
        label = f"{name} {points[-1][1]:.3g}"
        canvas.text((SIZE[0] - RIGHT + 12, y), label, fill=(red, green, blue))
    save_png(image, path)


def series(journal: Path) -> dict[str, Points]:
    """Figure -> its points (step, value above zero)."""
    found: dict[str, Points] = {}
    for line in journal.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        for name, value in entry.items():
            if name not in NOT_DRAWN and value > 0 and math.isfinite(value):
                found.setdefault(name, []).append((entry["step"], value))
    return found
