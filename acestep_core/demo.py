"""A clip on any computer without a download: `python3 dev.py demo`.

Until a small trained model comes with the project, the networks are tiny and their weights
computed: every part runs for real, and what comes out is noise.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

TAGS = "lofi, piano, drums, calm, 90 bpm"
LYRICS = "[inst]"
WARNING = (
    "It is noise: this model's weights are computed, not trained."
    " For music: python -m acestep_core download"
)


def main(words: list[str] | None = None) -> int:
    from .cli import reported

    options = arguments(words)
    return reported(lambda: demonstrate(options))


def demonstrate(options: argparse.Namespace) -> int:
    from .atomic import check_place
    from .cli import save, sounded, watched
    from .files import check_writable
    from .noise import parsed_seeds
    from .picture import mel_picture, save_png
    from .pipeline import ACEStep
    from .tiny import write_folder
    from .types import Recipe, Sampling, TextToMusic

    picture = options.output.with_suffix(".png")
    check_writable(options.output)
    check_place(picture)
    began = time.perf_counter()
    task, sampling = TextToMusic(options.seconds), Sampling(options.steps)
    recipe = Recipe(TAGS, LYRICS, task, sampling=sampling, seeds=parsed_seeds(options.seed))
    with tempfile.TemporaryDirectory() as folder:
        pipe = ACEStep.load(write_folder(Path(folder)))
    print(f"Model: {pipe.model.name}")
    with watched("sampling", pipe.evaluations(recipe)) as see:
        made = pipe.generate(recipe, see)
    save(pipe, *sounded(pipe, made, 48_000), [options.output])
    mel = pipe.codec.decode_mel(made.latent)[0]
    title = f"{TAGS} (seed {recipe.seeds[0]})"
    print(f"{save_png(mel_picture(mel, made.latent.seconds, title), picture)}  its spectrogram")
    took = time.perf_counter() - began
    print(f"Made {made.latent.seconds:.1f} s in {took:.1f} s on the CPU. {WARNING}")
    return 0


def arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="demo", description="Make a short clip on the CPU.")
    parser.add_argument("--output", "-o", type=Path, default=Path("demo.flac"))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--steps", type=int, default=27)
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args(words)


if __name__ == "__main__":
    raise SystemExit(main())
