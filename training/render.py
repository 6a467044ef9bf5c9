"""Pieces to sound: FluidSynth for the sound font's ensembles, plain synthesis for the rest.

    pieces -> one MIDI file -> one FluidSynth process -> cut -> waves (2, N), peak 0.9

A process loads 148 MB of sound font, so many pieces share one. Each process has a limit on
its time and on the size of its file, and only the frames that are needed are read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np

from acestep_core.config import FRAME, SAMPLE_RATE

from . import midi, synthesis
from .compose import Piece

FONT = "ACESTEP_SOUNDFONT"
USUAL_FONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
PEAK = 0.9
GAIN = "0.35"  # leaves headroom: a clipped render cannot be repaired
SHARED_MEMORY = 256_000_000  # bytes; sound servers map files of this size, which count too
SLOWEST = 2.0  # times real time; a render that takes longer hangs


class RenderError(RuntimeError):
    """FluidSynth is missing or did not do its work: says which and what to do."""


def sound_font() -> Path:
    return Path(os.environ.get(FONT, USUAL_FONT))


def can_render() -> bool:
    """Whether FluidSynth, its sound font and mido are here."""
    import importlib.util

    has_mido = importlib.util.find_spec("mido") is not None
    return has_mido and shutil.which("fluidsynth") is not None and sound_font().is_file()


def is_plain(piece: Piece) -> bool:
    return isinstance(piece.ensemble.lead.sound, str)


def rendered(pieces: list[Piece], frames: int) -> np.ndarray:
    """Waves (pieces, 2, 4096 frames) int16 at 44.1 kHz, each with its peak at 0.9."""
    result = np.zeros((len(pieces), 2, frames * FRAME), np.int16)
    by_font = [number for number, piece in enumerate(pieces) if not is_plain(piece)]
    if by_font:
        waves = _by_font([pieces[number] for number in by_font], frames * FRAME)
        for number, sound in zip(by_font, waves, strict=True):
            result[number] = levelled(sound)
    for number, piece in enumerate(pieces):
        if is_plain(piece):
            result[number] = levelled(synthesis.sound(piece, frames * FRAME))
    return result


def levelled(sound: np.ndarray) -> np.ndarray:
    """(2, N) with its peak at 0.9, as 16-bit whole numbers."""
    peak = float(np.abs(sound).max())
    if peak < 1e-3:
        raise RenderError("A piece came out silent; is the sound font a whole one?")
    return np.rint(sound * (PEAK * 32767 / peak)).astype(np.int16)


def _by_font(pieces: list[Piece], samples: int) -> list[np.ndarray]:
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder, "pieces.mid"), Path(folder, "pieces.wav")
        midi.write(pieces, score)
        _run(score, sound, midi.length(pieces))
        with wave.open(str(sound)) as file:
            assert file.getframerate() == SAMPLE_RATE
            whole = np.frombuffer(file.readframes(_samples(midi.length(pieces))), "<i2")
    both = whole.reshape(-1, 2).T.astype(np.float32)
    places = [_samples(start) for start in midi.starts(pieces)]
    cut = [both[:, place : place + samples] for place in places]
    return [np.pad(part, ((0, 0), (0, samples - part.shape[1]))) for part in cut]


def _samples(seconds: float) -> int:
    return round(seconds * SAMPLE_RATE)


def _run(score: Path, sound: Path, seconds: float) -> None:
    """FluidSynth without reverb and chorus: dry sounds are the ones a small codec can learn."""
    if not can_render():
        raise RenderError(
            "FluidSynth, its sound font FluidR3 or the package mido is missing. On Debian:"
            f" apt install fluidsynth fluid-soundfont-gm; pip install mido. {FONT} names a font."
        )
    command = ["fluidsynth", "-n", "-i", "-q", "-R", "0", "-C", "0", "-g", GAIN]
    command += ["-r", str(SAMPLE_RATE), "-O", "s16", "-T", "wav", "-F", str(sound)]
    limit = SHARED_MEMORY + _samples(seconds + 60) * 4  # bytes
    try:
        done = subprocess.run(
            [*command, str(sound_font()), str(score)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60 + SLOWEST * seconds,
            preexec_fn=_limited(limit),
        )
    except subprocess.TimeoutExpired as error:
        raise RenderError(f"FluidSynth ran for {error.timeout:.0f} s: a note hangs.") from error
    if done.returncode or not sound.is_file():
        raise RenderError(f"FluidSynth failed ({done.returncode}): {done.stderr[-500:]}")


def _limited(most: int) -> Callable[[], None] | None:
    """Sets the largest file the child may write, where the system can do that."""
    try:
        import resource
    except ImportError:
        return None
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
