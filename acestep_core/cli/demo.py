"""A clip on any computer without a download: `python3 dev.py demo`.

The small trained model that comes with the project makes ten seconds of music, its parameter
file and a picture of it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

NOTE = (
    "This is the small demonstration model; for music worth keeping:"
    " python -m acestep_core download"
)


def main(words: list[str] | None = None) -> int:
    from .running import reported

    # Within: importing torch takes a second in which a user may think better of it.
    return reported(lambda: demonstrate(arguments(words)))


def demonstrate(options: argparse.Namespace) -> int:
    from ..atomic import check_place
    from ..config import OUTPUT_RATE
    from ..editing.request import Request
    from ..pictures.sound import mel_picture, save_png
    from ..pipeline import ACEStep
    from ..records.latents import Keeper
    from ..sampling.noise import parsed_seeds
    from ..sound.files import check_writable
    from ..types import Recipe, Sampling, TextToMusic
    from ..weights import small
    from .options import Asked
    from .takes import generated, save

    picture = options.output.with_suffix(".png")
    check_writable(options.output)
    check_place(picture)
    began = time.perf_counter()
    recipe = Recipe(
        options.tags,
        small.LYRICS,
        TextToMusic(options.seconds),
        small.GUIDANCE,
        Sampling(options.steps, granularity=small.SAMPLING.granularity),
        parsed_seeds(options.seed),
    )
    pipe = ACEStep.load(small.FOLDER)
    print(f"Model: {pipe.model.name}")
    asked = Asked(Request(recipe))
    lyrics = pipe.lyrics(recipe.lyrics)
    takes = generated(pipe, asked, OUTPUT_RATE, lyrics, Keeper())
    save(pipe, asked, takes, [options.output])
    assert takes.latent is not None
    mel = pipe.codec.decode_mel(takes.latent)[0]
    title = f"{options.tags} (seed {recipe.seeds[0]})"
    print(f"{save_png(mel_picture(mel, takes.seconds, title), picture)}  its spectrogram")
    took = time.perf_counter() - began
    print(f"Made {takes.seconds:.1f} s in {took:.1f} s on the CPU. {NOTE}")
    return 0


def arguments(words: list[str] | None) -> argparse.Namespace:
    from ..weights import small

    parser = argparse.ArgumentParser(prog="demo", description="Make a short clip on the CPU.")
    parser.add_argument("--output", "-o", type=Path, default=Path("demo.flac"))
    parser.add_argument("--tags", default=small.TAGS, help="the model knows those in its card")
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--steps", type=int, default=small.SAMPLING.steps)
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args(words)


if __name__ == "__main__":
    from .running import end_as_interrupt

    end_as_interrupt()
    raise SystemExit(main())
