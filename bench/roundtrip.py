"""A real song through generate, encode and decode, and every length on the way.

    n samples decoded -> resampled -> T = ceil(length / 4096) -> 4096 T samples out, exactly

The networks are the tiny ones: lengths do not depend on the weights.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

import torch

from acestep_core.config import FRAME, SAMPLE_RATE
from acestep_core.pipeline import ACEStep
from acestep_core.sound.audio import resample
from acestep_core.sound.files import read_audio
from acestep_core.types import Recipe, Sampling, TextToMusic
from acestep_core.weights.tiny import write_folder

from .measure import last_line

UNKNOWN = 1  # the token of a character that is not in the vocabulary


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="bench roundtrip", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("audio", type=Path)
    parser.add_argument("--tags", type=Path, help="text file")
    parser.add_argument("--lyrics", type=Path, help="text file")
    parser.add_argument("--steps", type=int, default=2)
    options = parser.parse_args(words)

    wave, rate = read_audio(options.audio)
    at_44 = resample(wave, rate, SAMPLE_RATE).shape[-1]
    frames = math.ceil(at_44 / FRAME)
    with tempfile.TemporaryDirectory() as folder:
        pipe = ACEStep.load(write_folder(Path(folder)))
    latent = pipe.encode(wave, rate)
    decoded = pipe.decode(latent, SAMPLE_RATE)
    print(f"{wave.shape[-1]} samples at {rate} Hz, {wave.shape[0]} channels")
    print(f"{at_44} samples at {SAMPLE_RATE} Hz -> {latent.frames} frames (expected {frames})")
    print(f"{decoded.shape[-1]} samples decoded (expected {FRAME * frames})")
    assert latent.frames == frames
    assert decoded.shape == (1, 2, FRAME * frames), decoded.shape
    figures: dict[str, object] = {"samples": wave.shape[-1], "rate": rate, "T": latent.frames}
    if options.tags:
        figures |= generated(pipe, options)
    last_line("roundtrip", **figures, out=decoded.shape[-1])
    return 0


def generated(pipe: ACEStep, options: argparse.Namespace) -> dict[str, object]:
    """The song's own tags and lyrics through the sampler."""
    tags = options.tags.read_text(encoding="utf-8").strip()
    lyrics = options.lyrics.read_text(encoding="utf-8") if options.lyrics else ""
    task, sampling = TextToMusic(60.0), Sampling(options.steps)
    made = pipe.generate(Recipe(tags, lyrics, task, sampling=sampling, seeds=(1,)))
    assert bool(torch.isfinite(made.latent.z).all())
    lines = made.lyrics.lines
    languages = sorted({line.language for line in lines if line.language})
    unknown = sum(line.ids.count(UNKNOWN) for line in lines)
    tokens = made.lyrics.ids.shape[-1]
    print(f"{len(lines)} lyric lines in {', '.join(languages)}: {tokens} tokens, {unknown} unknown")
    for warning in made.warnings:
        print(f"warning: {warning}")
    print(f"generated {made.latent.frames} frames ({made.latent.seconds:.3f} s of 60 asked)")
    return {"lyric_tokens": tokens, "unknown_tokens": unknown, "generated_T": made.latent.frames}
