"""Makes the readme's pictures, from music that is made here as well.

    own chords and bells -> bench seams -> docs/inpaint.png

Nothing recorded goes into the repository.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from acestep_core.files import write_audio  # noqa: E402 - the project is not installed
from bench import seams  # noqa: E402

RATE, SECONDS, BEAT = 44_100, 48, 0.5
CHORDS = ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62))  # MIDI notes, four beats each


def note(pitch: int, seconds: float, overtones: int) -> np.ndarray:
    """A plucked tone with so many overtones."""
    t = np.arange(int(seconds * RATE)) / RATE
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    waves = (np.sin(2 * np.pi * hertz * k * t) / k**1.5 for k in range(1, overtones + 1))
    return sum(waves) * np.exp(-3 * t) * np.minimum(t * 200, 1)


def song() -> torch.Tensor:
    """(2, N): an arpeggio over a bass, with quiet noise as a hi-hat."""
    draw = np.random.default_rng(0)
    wave = np.zeros(SECONDS * RATE + 2 * RATE)
    for beat in range(int(SECONDS / BEAT)):
        chord, start = CHORDS[beat // 4 % 4], int(beat * BEAT * RATE)
        sounds = [note(chord[beat % 3] + 12 * (1 + beat // 16 % 2), 1.5, 8)]
        if beat % 4 == 0:
            sounds.append(note(chord[0] - 24, 1.9, 4))
        hat = draw.standard_normal(RATE // 10) * np.exp(-np.arange(RATE // 10) / 600) * 0.15
        for sound in (*sounds, hat):
            wave[start : start + len(sound)] += sound
    wave = torch.from_numpy(wave[: SECONDS * RATE]).float()
    wave = 0.5 * wave / wave.abs().max()
    return torch.stack((wave, wave.roll(180)))


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_audio(place / "song.wav", song(), RATE)
        seams.main([str(place / "song.wav"), "--out", str(place)])
        (ROOT / "docs").mkdir(exist_ok=True)
        shutil.copy(place / "song.png", ROOT / "docs" / "inpaint.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
