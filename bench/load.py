"""Loading a checkpoint of the released size from both layouts, and one short generation.

    write -> load in a fresh process -> generate 5 s in 2 steps -> delete; next layout

Peak = highest anonymous memory (every 10 ms, from a process that has only imported torch)
minus the bytes kept; the memory map itself is not anonymous.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from acestep_core.config import ModelConfig
from acestep_core.pipeline import ACEStep
from acestep_core.types import Recipe, Sampling, TextToMusic
from acestep_core.weights.model import Precision

from .measure import Memory, anonymous, last_line
from .synthetic import check_space, write_folder, write_single_file

NEED = 10e9  # bytes of disk for one layout
LAYOUTS = ("folder", "single file")


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--layout", choices=LAYOUTS, nargs="*", default=LAYOUTS)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.measure:
        print(json.dumps(measured(options.measure)))
        return 0
    results = {}
    for layout in options.layout:
        check_space(options.folder, NEED)
        place = Path(tempfile.mkdtemp(dir=options.folder))
        try:
            results[layout] = result = _of_layout(layout, place)
        finally:
            shutil.rmtree(place)
        share = result["extra_bytes"] / result["bytes_kept"]
        print(
            f"{layout}: {result['bytes_on_disk'] / 1e9:.2f} GB on disk, loaded in"
            f" {result['load_s']:.1f} s, {result['bytes_kept'] / 1e9:.3f} GB kept, peak beyond"
            f" that {result['extra_bytes'] / 1e6:.0f} MB ({share:.1%});"
            f" 5 s in 2 steps: sampling {result['sample_s']:.1f} s,"
            f" decoding {result['decode_s']:.1f} s",
            flush=True,
        )
    last_line("load", layouts=results)
    return 0


def _of_layout(layout: str, place: Path) -> dict[str, float]:
    config = ModelConfig()
    if layout == "folder":
        path, size = place / "model", write_folder(place / "model", config)
    else:
        path = place / "ace_step_v1_3.5b.safetensors"
        size = write_single_file(path, config)
    command = [sys.executable, "-m", "bench", "load", "--measure", str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(f"Loading failed:\n{answer.stderr}")
    return {"bytes_on_disk": size, **json.loads(answer.stdout.splitlines()[-1])}


def measured(path: Path) -> dict[str, float]:
    """In a process of its own: what loading and one generation take."""
    torch.ones(1).sum()  # torch's own buffers are there before the measurement begins
    before = anonymous()
    with Memory() as memory:
        began = time.perf_counter()
        pipe = ACEStep.load(path, precision=Precision())
        took = time.perf_counter() - began
    kept = pipe.model.bytes_kept
    recipe = Recipe("pop, piano", "[inst]", TextToMusic(5.0), sampling=Sampling(2), seeds=(1,))
    made = pipe.generate(recipe)
    began = time.perf_counter()
    wave = pipe.decode(made.latent, 44_100)
    decoding = time.perf_counter() - began
    assert wave.shape == (1, 2, made.latent.frames * 4096), wave.shape
    assert bool(torch.isfinite(wave).all())
    return {
        "load_s": round(took, 1),
        "bytes_kept": kept,
        "peak_RssAnon": memory.peak,
        "before_RssAnon": before,
        "extra_bytes": memory.peak - kept,
        "dtype": str(pipe.model.transformer.dtype),  # pyright: ignore[reportReturnType]
        "sample_s": round(made.times["diffusion"], 1),
        "decode_s": round(decoding, 1),
    }
