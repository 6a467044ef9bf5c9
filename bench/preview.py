"""The live preview: its share of sampling's time, and its memory beside a step's.

Real width, random weights. One guided step is timed on 4 of the 24 blocks and taken times 6:
a step of the real model is an estimate. The preview is drawn by the real autoencoder, in
float32; a run of 60 steps is then played through on a clock that these figures move. With the
tiny model whole runs are timed, with the preview and without.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch.profiler import ProfilerActivity, profile

from .measure import filled, last_line, side_by_side
from .step import arguments as step_arguments
from .step import variants

ROOT, PACK = Path(__file__).resolve().parent.parent, "acestep_suite_in_bench"
BLOCKS, ALL_BLOCKS, TOKENS, STEPS = 4, 24, 600, 60
BRANCHES, TINY_STEPS = 2, 200


def module(name: str) -> ModuleType:
    """A module of the pack, imported as ComfyUI does: nodes reach the core through the pack."""
    if PACK not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            PACK, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        assert spec
        assert spec.loader
        sys.modules[PACK] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[PACK])
    return importlib.import_module(f"{PACK}.{name}")


class Clock:
    """Moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def seconds_of(work: Callable[[], object], repeats: int) -> float:
    """Median, after a first time that does not count."""
    return side_by_side({"": work}, repeats)[""].median


def peak_of(work: Callable[[], object]) -> float:
    """MiB of tensors that a piece of work has at once, at most, counted by torch itself."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        work()
    results: Any = seen.profiler and seen.profiler.kineto_results
    events = results.events()
    moves = sorted((e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]")
    return max(accumulate(size for _, size in moves)) / 2**20


def real_model() -> Any:
    """What the preview uses of a model: a real autoencoder, and how wide the transformer is."""
    model, codec = module("acestep_core.weights.model"), module("acestep_core.sound.codec")
    config = module("acestep_core.config").ModelConfig()
    resident = module("acestep_core.networks.memory").Resident
    network = filled(model.build("dcae", config), torch.float32)
    dcae = resident(network, torch.float32, torch.device("cpu"))
    transformer = resident(torch.nn.Identity(), torch.bfloat16, torch.device("cpu"))
    parts = SimpleNamespace(dcae=dcae, transformer=transformer, config=config)
    return SimpleNamespace(model=parts, codec=codec.Codec(dcae, None, config.vocoder))


def at_real_width(seconds: float, model: Any, repeats: int) -> dict[str, object]:
    """Measure a step and pictures for a song of so many seconds, and play a run through."""
    preview = module("nodes.preview")
    frames = module("acestep_core.config").frames_of(seconds)
    words = ["--frames", str(frames), "--tokens", str(TOKENS), "--blocks", str(BLOCKS)]
    step = variants(step_arguments(words), torch.bfloat16)["k/v reused, batched"]
    evaluation = seconds_of(step, repeats) * ALL_BLOCKS / BLOCKS
    step_peak = peak_of(step)
    del step
    x = torch.randn(1, 8, 16, frames)
    size = min(preview.fitting(model, x, BRANCHES), frames)
    cost = seconds_of(lambda: preview.drawn(model, x, 0, size), repeats)
    peak = peak_of(lambda: preview.drawn(model, x, 0, size))
    pictures, spent = played(model, x, evaluation, cost / size)
    share = spent / (STEPS * evaluation + spent)
    print(
        f"  {seconds:4g} s song: step {evaluation:5.1f} s, +{step_peak:4.0f} MiB; picture of"
        f" {size:3} frames {cost:5.1f} s, +{peak:4.0f} MiB; {STEPS} steps: {pictures} pictures,"
        f" {share:.1%} of the time",
        flush=True,
    )
    return {
        "seconds": seconds,
        "step_s": round(evaluation, 2),
        "step_MiB": round(step_peak),
        "picture_frames": size,
        "picture_s": round(cost, 2),
        "picture_MiB": round(peak),
        "pictures": pictures,
        "share": round(share, 4),
    }


def played(model: Any, x: torch.Tensor, evaluation: float, each: float) -> tuple[int, float]:
    """(pictures, seconds spent on them) of a run, by the preview's own rule."""
    clock, preview, step = (
        Clock(),
        module("nodes.preview"),
        module("acestep_core.sampling.schedule").Step,
    )
    drawn: list[float] = []

    def draw(estimate: torch.Tensor, start: int, frames: int) -> str:
        clock.now += each * frames
        drawn.append(each * frames)
        return "picture"

    picture = preview.MelPreview(model, BRANCHES, clock, draw)
    for index in range(STEPS):
        clock.now += evaluation
        picture(step(index, STEPS, 0.5, 0.4), x, x)
    return len(drawn), sum(drawn)


def with_tiny_model(repeats: int, seconds: float) -> dict[str, object]:
    """Whole runs, in turns with the preview and without; the process's own seconds."""
    sampler, host = module("nodes.sampler").Sampler(), module("nodes.host")
    with tempfile.TemporaryDirectory() as folder:
        module("acestep_core.weights.tiny").write_folder(Path(folder))
        model = module("acestep_core.pipeline").ACEStep.load(folder)
        words = model.tags("pop, piano"), model.lyrics("[inst]")
    asked = {"seed": 1, "seconds": seconds, "batch_size": 1, "steps": TINY_STEPS}
    shown, tick = [], host.Bar.tick
    host.Bar.tick = lambda self, done, total, image=None: shown.append(image is not None)
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(repeats):
        for on, found in times.items():
            module("nodes.again").forget()
            began = time.process_time()
            with patch.object(host, "is_preview_wanted", lambda on=on: on):
                sampler.sample(model, *words, **asked)
            found.append(time.process_time() - began)
    host.Bar.tick = tick
    with_it, without = (statistics.median(times[on]) for on in (True, False))
    print(
        f"  {seconds:g} s, {TINY_STEPS} steps: {without:.1f} s without, {with_it:.1f} s with"
        f" {sum(shown) / repeats:g} pictures: {with_it / without - 1:+.1%}"
    )
    figures = {"without_s": round(without, 2), "with_s": round(with_it, 2)}
    return {"seconds": seconds, "pictures": sum(shown) / repeats, **figures}


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="bench preview", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seconds", type=float, nargs="*", default=[10, 60], help="of songs")
    parser.add_argument("--tiny", type=float, default=60, help="seconds of the tiny model's song")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(words)
    share = module("nodes.preview").SHARE
    print(f"Real width, a step from {BLOCKS} of {ALL_BLOCKS} blocks (limit: {share:.0%} of time)")
    with torch.inference_mode():
        model = real_model()
        rows = [at_real_width(seconds, model, options.repeats) for seconds in options.seconds]
    del model
    print("Tiny model, timed as a whole")
    tiny = with_tiny_model(options.repeats, options.tiny)
    last_line("preview", rows=rows, tiny=tiny)
    return 0
