"""Makes the readme's picture of an inpaint, with the small model and from music it makes.

text -> 16 s of music -> inpaint of four of them -> docs/inpaint.jpg
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from acestep_core.config import SAMPLE_RATE
from acestep_core.editing.edits import SourceClip, inpaint
from acestep_core.pipeline import ACEStep
from acestep_core.types import Recipe, Region, TextToMusic
from acestep_core.weights.small import FOLDER, GUIDANCE, LYRICS, SAMPLING, TAGS
from bench import seams
from scripts import jpeg

ROOT = Path(__file__).resolve().parent.parent
SECONDS, REGION, VARIANCE = 16.0, Region(6.0, 10.0, feather=0.5), 0.8


def main() -> int:
    pipe = ACEStep.load(FOLDER)
    recipe = Recipe(TAGS, LYRICS, TextToMusic(SECONDS), GUIDANCE, SAMPLING, seeds=(1,))
    latent = pipe.generate(recipe).latent
    clip = SourceClip(pipe.decode(latent, SAMPLE_RATE)[0], SAMPLE_RATE, latent)
    edited = inpaint(pipe, clip, replace(recipe, seeds=(2,)), [REGION], VARIANCE)
    image = seams.drawn(clip, edited.waves[0], REGION, "inpaint")
    jpeg.write(image, ROOT / "docs" / "inpaint.jpg")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
