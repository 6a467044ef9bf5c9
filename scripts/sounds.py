"""Makes the clips that the readme lets you hear, with the small model that comes with the project.

CLIPS -> the small model, at its own settings -> docs/sound/NAME.mp3, tagged like any song
"""

from __future__ import annotations

from pathlib import Path

from acestep_core.config import OUTPUT_RATE
from acestep_core.pipeline import ACEStep, delivered
from acestep_core.records.labels import shown
from acestep_core.sound.files import write_audio
from acestep_core.types import Recipe, TextToMusic
from acestep_core.weights.small import FOLDER, GUIDANCE, LYRICS, SAMPLING

PLACE = Path(__file__).resolve().parent.parent / "docs" / "sound"
SECONDS = 20.0
KILOBITS = 112  # a second, so that all clips stay under a megabyte together
# name -> tags of the model's card, seed
CLIPS = {
    "lofi": ("lofi, electric piano, vibraphone, bass, drums, medium tempo", 7),
    "jazz": ("jazz, saxophone, piano, double bass, brushes, fast", 3),
    "chiptune": ("chiptune, square wave, retro, fast, busy", 5),
}


def main() -> int:
    pipe = ACEStep.load(FOLDER)
    PLACE.mkdir(parents=True, exist_ok=True)
    for name, (tags, seed) in CLIPS.items():
        recipe = Recipe(tags, LYRICS, TextToMusic(SECONDS), GUIDANCE, SAMPLING, seeds=(seed,))
        wave, notes = delivered(pipe.decode(pipe.generate(recipe).latent, OUTPUT_RATE))
        labels = shown(tags, LYRICS, f"ACE-Step small model: {name}")
        written = write_audio(
            PLACE / f"{name}.mp3", wave[0], OUTPUT_RATE, tags=labels, kilobits=KILOBITS
        )
        print(PLACE / f"{name}.mp3", f"{float(wave.abs().max()):.2f}", *notes, *written.notes)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
