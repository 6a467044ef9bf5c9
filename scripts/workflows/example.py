"""The clip that workflows change where nobody has a song yet: python -m scripts.workflows.example

small model, STYLE, one seed -> 15 s -> web/examples/EXAMPLE

It lies where ComfyUI serves it from; the page puts it into input/ when a workflow asks for it.
"""

from __future__ import annotations

from pathlib import Path

from acestep_core import ACEStep, Recipe, TextToMusic, write_audio
from acestep_core.weights import small
from scripts.workflows.words import EXAMPLE, STYLE

PLACE = Path(__file__).resolve().parents[2] / "web" / "examples" / EXAMPLE
SECONDS, SEED, RATE, KILOBITS = 15.0, 11, 44_100, 160


def main() -> None:
    pipe = ACEStep.load(small.FOLDER, device="cpu")
    own = small.card().recommended
    recipe = Recipe(
        STYLE,
        "[inst]",
        TextToMusic(SECONDS),
        guidance=own.guidance,
        sampling=own.sampling,
        seeds=(SEED,),
    )
    wave = pipe.decode(pipe.generate(recipe).latent, RATE)[0]
    PLACE.parent.mkdir(exist_ok=True)
    loudest = float(wave.abs().max())
    # Two decibels below full scale: MP3 overshoots, and a source over -1 dBTP would be told of.
    write_audio(PLACE, wave * (0.8 / max(loudest, 0.8)), RATE, kilobits=KILOBITS)
    print(f"{PLACE.name}: {wave.shape[-1] / RATE:.2f} s, {PLACE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
