"""A part of an hour made new: memory beside the model, and time, from file to file.

    an hour of made-up music in a FLAC -> 2 s of it inpainted, 2 s added to its end -> FLAC

Each row is a process of its own. "command" is the command line's; "rest" is the graph that the REST
face queues, node by node, every result kept as ComfyUI keeps it; "nodes" are those after ComfyUI's
Load Audio, which gives the sound as one tensor and wants one back: both are taken off. Memory is
the process's own (RssAnon) from before the model was loaded on, less the model; time is that of
the cores, so that what else the machine does counts little. A graph takes the model's own steps.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from .measure import Memory, anonymous, last_line

ROOT = Path(__file__).resolve().parent.parent
RATE = 44_100
MINUTES = (4, 60)
REGION = (1.0, 1.0)  # seconds before and after the middle that are made new
AFTER = 2.0  # seconds that are added
STEPS = "2"
TAGS = "lofi, electric piano, medium tempo, 77 bpm"
ROWS = ("command inpaint", "command extend", "rest inpaint", "rest extend", "nodes inpaint")


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench long", description=about)
    parser.add_argument("--minutes", type=int, nargs="+", default=MINUTES)
    parser.add_argument("--before", metavar="COMMIT", help="measure an older one as well")
    parser.add_argument("--rows", choices=ROWS, nargs="+", default=ROWS, help="all, unless said")
    parser.add_argument("--row", choices=ROWS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(words)
    if options.row:
        print(json.dumps(measured(options.row, options.folder, options.minutes[0])))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes:
            write_source(source_of(Path(folder), minutes), minutes)
        checkouts = {"": ROOT}
        if options.before:
            old = Path(folder) / "before"
            checkouts = {options.before: checked_out(options.before, old), "now": ROOT}
        rows = table(checkouts, Path(folder), options.minutes, options.rows)
    last_line("long", rows=rows)
    return 0


def table(
    checkouts: dict[str, Path], folder: Path, minutes: Sequence[int], asked: Sequence[str]
) -> list[dict[str, object]]:
    rows = []
    print("Made-up music in stereo, the small model: memory beside the model, and time.\n")
    for row in asked:
        for length in minutes:
            for name, root in checkouts.items():
                found = in_its_own_process(row, folder, length, root)
                told = (
                    f"{found['megabytes']:7.0f} MB {found['seconds']:6.0f} s of a core"
                    if "error" not in found
                    else f"   {found['error']}"
                )
                print(f"{row:15} of {length:2} min  {name:8}{told}", flush=True)
                rows.append({"row": row, "minutes": length, "commit": name, **found})
    return rows


def checked_out(commit: str, place: Path) -> Path:
    """The files of a commit, with this benchmark."""
    place.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], cwd=place, input=archive.stdout, check=True)
    shutil.rmtree(place / "bench")
    shutil.copytree(ROOT / "bench", place / "bench")
    return place


def source_of(folder: Path, minutes: int) -> Path:
    return folder / f"source_{minutes}.flac"


def write_source(path: Path, minutes: int) -> None:
    """Chords that swell, in stereo, second by second."""
    import av

    time_of = np.arange(RATE) / RATE
    with av.open(str(path), "w", format="flac") as container:
        stream: Any = container.add_stream("flac", rate=RATE)
        stream.format, stream.layout = "s16", "stereo"
        for second in range(60 * minutes):
            root = 110 * 2 ** ((second // 2 * 7 % 12) / 12)
            chord = sum(np.sin(2 * np.pi * root * ratio * time_of) for ratio in (1, 1.25, 1.5, 3))
            left = 0.15 * chord * (0.6 + 0.4 * np.cos(2 * np.pi * 2 * time_of))
            samples = np.stack((left, np.roll(left, 300)), 1).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(
                (samples * 2**15).astype(np.int16), format="s16", layout="stereo"
            )
            frame.sample_rate, frame.pts = RATE, second * RATE
            frame.time_base = Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def in_its_own_process(row: str, folder: Path, minutes: int, root: Path) -> dict[str, Any]:
    words = ["--row", row, "--folder", str(folder), "--minutes", str(minutes)]
    command = [sys.executable, "-m", "bench", "long", *words]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    if not answer.returncode:
        return json.loads(answer.stdout.splitlines()[-1])
    said = [line for line in answer.stderr.splitlines() if line.startswith("error: ")]
    if not said:
        raise SystemExit(f"{row} failed:\n{answer.stdout}{answer.stderr}")
    return {"error": said[-1]}


def measured(row: str, folder: Path, minutes: int) -> dict[str, float]:
    """Megabytes beside the model, and seconds, of one row."""
    source, out = source_of(folder, minutes), folder / "out.flac"
    kind, task = row.split()
    runs = {"command": from_command, "rest": from_rest, "nodes": from_nodes}
    return runs[kind](task, source, minutes * 60.0, out)


def from_command(task: str, source: Path, seconds: float, out: Path) -> dict[str, float]:
    # What every run imports, before memory is looked at.
    from acestep_core.cli import takes
    from acestep_core.cli.commands import main as command
    from acestep_core.weights import small

    middle = seconds / 2
    asked = {
        "inpaint": ["--region", f"{middle - REGION[0]}:{middle + REGION[1]}"],
        "extend": ["--after", f"{AFTER:g}"],
    }
    words = [task, str(source), *asked[task], "--tags", TAGS, "--lyrics", "[inst]"]
    words += ["--steps", STEPS, "--model", str(small.FOLDER), "-o", str(out)]
    assert takes
    kept, began = _model_bytes(), time.process_time()
    with Memory() as memory:
        status = command(words)
    took = time.process_time() - began
    if status:
        raise SystemExit(f"The command failed with {status}.")
    return _figures(memory.rise - kept, took)


def from_nodes(task: str, source: Path, seconds: float, out: Path) -> dict[str, float]:
    import os

    import torch

    from .preview import module

    os.chdir(out.parent)
    nodes: dict[str, Any] = module("nodes").NODE_CLASS_MAPPINGS
    files, types = (module(f"acestep_core.{name}") for name in ("sound.files", "types"))
    small = module("acestep_core.weights.small")
    model = module("acestep_core.pipeline").ACEStep.load(small.FOLDER)
    sound, rate = files.read_audio(source)
    audio = {"waveform": sound[None].clone(), "sample_rate": rate}
    result = audio["waveform"].nbytes
    del sound
    words = {"tags": model.tags(TAGS), "lyrics": model.lyrics("[inst]")}
    # What reading has freed is not there any more, or the rise would begin below it.
    getattr(module("acestep_core.networks.memory"), "give_back", int)()
    middle, began = seconds / 2, time.process_time()
    with Memory() as memory, torch.inference_mode():  # as ComfyUI runs nodes
        (asked,) = nodes["AceSuiteInpaintMask"]().describe(
            start=middle - REGION[0], end=middle + REGION[1], source_audio=audio
        )
        latent, info = nodes["AceSuiteSampler"]().sample(
            model=model,
            **words,
            task=asked,
            seed=1,
            seconds=1.0,
            batch_size=1,
            schedule=types.Sampling(int(STEPS), granularity=0.0),
        )
        made, _ = nodes["AceSuiteDCAEDecode"]().show(model=model, latent=latent)["result"]
        nodes["AceSuiteSaveAudio"]().save(audio=made, filename_prefix="out", info=info)
    return _figures(memory.rise - result, time.process_time() - began)


def from_rest(task: str, source: Path, seconds: float, out: Path) -> dict[str, float]:
    """A request's graph. The endpoint counts a region's ends from the nearer end of the file."""
    import os

    import torch

    from .preview import module

    kept, done = _model_bytes(), dict[str, Any]()
    os.chdir(out.parent)
    Path("input").mkdir(exist_ok=True)
    name = f"source_{task}.flac"
    shutil.copyfile(source, Path("input") / name)
    os.environ["ACESTEP_MODEL"] = str(module("acestep_core.weights.small").FOLDER)
    nodes: dict[str, Any] = module("nodes").NODE_CLASS_MAPPINGS
    files, hosted = (module(f"acestep_core.{one}") for one in ("sound.files", "hosted.graphs"))
    from_end = min(seconds / 2, 120.0)
    region = {"start_time": from_end + REGION[0], "end_time": from_end - REGION[1]}
    ends = dict.fromkeys(("start_time_relative_to", "end_time_relative_to"), "end")
    asked = {"inpaint": region | ends, "extend": {"extend_after_duration": AFTER}}[task]
    of_task = {"inpaint": "audio-inpaint", "extend": "audio-outpaint"}
    endpoint = module("acestep_core.hosted.parameters").ENDPOINTS[of_task[task]]
    values = {one.name: one.default for one in endpoint.parameters}
    values |= {"tags": TAGS, "seed": 1, **asked}
    graph = hosted.graph_of(endpoint, values, f"{name} [input]", "out")
    began = time.process_time()
    with Memory() as memory, torch.inference_mode():
        for key in sorted(graph, key=int):
            kind, inputs = graph[key]["class_type"], graph[key]["inputs"]
            if kind == "LoadAudio":  # as ComfyUI's does
                sound, rate = files.read_audio(source)
                done[key] = ({"waveform": sound[None], "sample_rate": rate},)
                continue
            links = {a: done[b[0]][b[1]] for a, b in inputs.items() if isinstance(b, list)}
            made = getattr(nodes[kind](), nodes[kind].FUNCTION)(**{**inputs, **links})
            done[key] = made["result"] if isinstance(made, dict) else made
    took = time.process_time() - began
    Path("input", name).unlink()
    return _figures(memory.rise - kept, took)


def _model_bytes() -> int:
    """What loading the small model adds, in a process that has everything else."""
    program = (
        "from bench.measure import anonymous\n"
        "from acestep_core.pipeline import ACEStep\n"
        "from acestep_core.weights import small\n"
        "before = anonymous()\n"
        "pipe = ACEStep.load(small.FOLDER)\n"
        "print(anonymous() - before)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return int(answer.stdout)


def _figures(grown: int, took: float) -> dict[str, float]:
    assert anonymous() > 0
    return {"megabytes": round(grown / 1e6), "seconds": round(took, 1)}
