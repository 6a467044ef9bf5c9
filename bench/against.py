"""This pack beside the original and ComfyUI: the same work on the same weights, turn by turn.

Weights are random, of the released names and shapes (fewer blocks). Each program runs in a
process of its own; they take turns, so that whatever else the machine does slows all alike. A
ratio is the median of ours / theirs, pair by pair; the difference is that of the results. Peak
memory is what a decoder takes beyond its weights.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from acestep_core.config import ModelConfig, TransformerConfig, frames_of

from .measure import last_line
from .peers import places
from .peers.talk import ANSWER
from .synthetic import check_space, write_folder

BLOCKS, TAGS, LYRICS = 4, 80, 519  # with the speaker's token 600
NEED = 4e9  # bytes of disk
SHORT = {"bfloat16": "bf16", "float32": "fp32"}
# What the original's classes ask of a config.json beyond the sizes that the pack reads.
FURTHER = {
    "ace_step_transformer": {
        "_class_name": "ACEStepTransformer2DModel",
        "max_height": 16,
        "max_width": 32768,
        "ssl_encoder_depths": [8, 8],
        "ssl_latent_dims": [1024, 768],
        "ssl_names": ["mert", "m-hubert"],
    },
    "music_dcae_f8c8": {
        "_class_name": "AutoencoderDC",
        **{
            f"{half}_block_types": ["ResBlock", "ResBlock", "ResBlock", "EfficientViTBlock"]
            for half in ("encoder", "decoder")
        },
        **{f"{half}_qkv_multiscales": [[], [], [5], [5]] for half in ("encoder", "decoder")},
        "decoder_act_fns": "silu",
        "decoder_norm_types": "rms_norm",
        "downsample_block_type": "Conv",
        "upsample_block_type": "interpolate",
    },
    "music_vocoder": {"_class_name": "ADaMoSHiFiGANV1"},
}


class Refused(Exception):  # noqa: N818 - an answer
    """A peer cannot do a piece of work; why."""


@dataclass
class Running:
    place: places.Place
    process: subprocess.Popen[str]
    log: Path

    def ask(self, **question: Any) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        for line in self.process.stdout:
            if line.startswith(ANSWER):
                answer = json.loads(line.removeprefix(ANSWER))
                break
        else:
            said = self.log.read_text(encoding="utf-8")[-2000:]
            raise SystemExit(f"The process of {self.place.name} ended:\n{said}")
        if "error" in answer:
            raise Refused(answer["error"])
        return answer


@dataclass
class Entrant:
    """One program at one dtype."""

    peer: Running
    dtype: str
    seconds: list[float] = field(default_factory=list)
    peak: int = 0
    refused: str = ""

    @property
    def name(self) -> str:
        return f"{self.peer.place.name} {SHORT[self.dtype]}"


@dataclass(frozen=True)
class Work:
    name: str  # step, decode, load
    seconds: float
    dtypes: tuple[str, ...]
    repeats: int

    @property
    def is_long(self) -> bool:
        """A minute takes so long that other loads, and a cold start, even out by themselves."""
        return self.name == "decode" and self.seconds >= 30

    @property
    def said(self) -> str:
        return f"{self.name} {self.seconds:g} s" if self.seconds else self.name


def main(words: list[str] | None = None) -> int:
    options = arguments(words)
    found = [places.ours()]
    if options.original:
        found.append(places.original(options.original.resolve(), options.environments))
    if options.comfyui:
        found.append(places.comfyui(options.comfyui.resolve(), options.environments))
    check_space(options.folder, NEED)
    scratch = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        weights = scratch / "model"
        write_weights(weights, options.blocks)
        print(
            f"Random weights of the released shapes, {options.blocks} of 24 blocks;"
            f" {1 + TAGS + LYRICS} tokens; median seconds, ratios pair by pair",
            flush=True,
        )
        rows = []
        with running(found, scratch) as peers:
            for work in works(options):
                rows += compared(work, peers, weights, scratch)
    finally:
        shutil.rmtree(scratch)
    last_line("against", blocks=options.blocks, rows=rows, in_short=in_short(rows))
    return 0


def arguments(words: list[str] | None) -> argparse.Namespace:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench against", description=about)
    parser.add_argument("--original", type=Path, help="a checkout of the original project")
    parser.add_argument("--comfyui", type=Path, help="a checkout of ComfyUI")
    parser.add_argument("--only", nargs="+", choices=("step", "decode", "load"))
    parser.add_argument("--blocks", type=int, default=BLOCKS)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--step", type=float, nargs="*", default=[10, 60], help="seconds of music")
    parser.add_argument("--decode", type=float, nargs="*", default=[8, 60], help="the same")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(tempfile.gettempdir()) / "acestep-bench",
        help="where the peers' Python environments are made and kept",
    )
    return parser.parse_args(words)


def works(options: argparse.Namespace) -> Iterator[Work]:
    asked, both = options.only or ("step", "decode", "load"), tuple(SHORT)
    if "step" in asked:
        yield from (Work("step", seconds, both, options.repeats) for seconds in options.step)
    if "decode" in asked:
        for seconds in options.decode:
            yield Work("decode", seconds, both, options.repeats)
    if "load" in asked:
        yield Work("load", 0, ("bfloat16",), options.repeats)


def write_weights(folder: Path, blocks: int) -> None:
    write_folder(folder, ModelConfig(TransformerConfig(num_layers=blocks)))
    for name, further in FURTHER.items():
        path = folder / name / "config.json"
        said = json.loads(path.read_text(encoding="utf-8"))
        said.pop("lyric_encoder", None)  # of smaller checkpoints: released files do not state it
        path.write_text(json.dumps({**said, **further}), encoding="utf-8")


@contextmanager
def running(found: list[places.Place], scratch: Path) -> Iterator[list[Running]]:
    logs = [scratch / f"{place.name}.log" for place in found]
    peers = [Running(p, p.started(log), log) for p, log in zip(found, logs, strict=True)]
    try:
        yield peers
    finally:
        for peer in peers:
            peer.process.kill()
            peer.process.wait()


def compared(
    work: Work, peers: list[Running], weights: Path, scratch: Path
) -> list[dict[str, Any]]:
    rows = []
    for dtype in work.dtypes:
        entrants = [Entrant(peer, dtype) for peer in peers]
        taking_turns(entrants, work, weights)
        rows += [row_of(work, entrants, entrant, scratch) for entrant in entrants]
    return rows


def taking_turns(entrants: list[Entrant], work: Work, weights: Path) -> None:
    for entrant in entrants:
        question = {
            "work": work.name,
            "folder": str(weights),
            "dtype": entrant.dtype,
            "seconds": work.seconds,
            "frames": frames_of(work.seconds),
            "tags": TAGS,
            "lyrics": LYRICS,
        }
        tried(entrant, lambda e=entrant, q=question: e.peer.ask(ask="prepare", **q))
    rounds = max(1, work.repeats // 2) if work.is_long else work.repeats + 1
    for round_ in range(rounds):
        is_warming = round_ == 0 and not work.is_long
        for entrant in entrants:
            answer = tried(entrant, lambda e=entrant: e.peer.ask(ask="run"))
            if answer and not is_warming:
                entrant.seconds.append(answer["seconds"])
                entrant.peak = max(entrant.peak, answer["peak"])


def tried(entrant: Entrant, ask: Any) -> dict[str, Any] | None:
    if entrant.refused:
        return None
    try:
        return ask()
    except Refused as reason:
        entrant.refused = str(reason)
        return None


def row_of(work: Work, entrants: list[Entrant], entrant: Entrant, scratch: Path) -> dict[str, Any]:
    ours = entrants[0]
    if entrant.refused:
        print(f"  {work.said:12} {entrant.name:14} cannot: {entrant.refused}", flush=True)
        return {"work": work.said, "who": entrant.name, "refused": entrant.refused}
    median = statistics.median(entrant.seconds)
    row: dict[str, Any] = {"work": work.said, "who": entrant.name, "s": round(median, 4)}
    line = f"  {work.said:12} {entrant.name:14} {median:8.3f} s"
    if work.name == "decode":
        row["peak_MiB"] = round(entrant.peak / 2**20)
        line += f"  peak {row['peak_MiB']:5} MiB"
    if entrant is not ours and not ours.refused:
        pairs = [a / b for a, b in zip(ours.seconds, entrant.seconds, strict=True)]
        row["ratio"] = round(statistics.median(pairs), 3)
        line += f"  ours / theirs {row['ratio']:.2f}x"
        if work.name == "decode":
            line += f", peak {ours.peak / entrant.peak:.2f}x"
        if work.name != "load":
            row["difference"] = difference(ours, entrant, scratch)
            line += f"  difference {row['difference']:.1e}"
    print(line, flush=True)
    return row


def in_short(rows: list[dict[str, Any]]) -> str:
    """A row for the README: our share of the original's time and memory, at the last length of each
    work; nothing where the original was not measured."""
    found = {(row["work"].split()[0], row["who"]): row for row in rows if "s" in row}
    step, decode = found.get(("step", "original bf16")), found.get(("decode", "original fp32"))
    if not step or not decode:
        return ""
    ours = found["decode", "ours fp32"]
    share = ours["peak_MiB"] / decode["peak_MiB"]
    stepped, decoded = (row["work"].partition(" ")[2] for row in (step, decode))
    return (
        f"a guided step for {stepped} of music takes {step['ratio']:.2f} of the original's time"
        f" (bfloat16), decoding {decoded} {decode['ratio']:.2f} in {share:.2f} of its memory"
        f" (float32)"
    )


def difference(ours: Entrant, other: Entrant, scratch: Path) -> float:
    """Largest, as a share of the largest value, over the length that both have."""
    arrays = []
    for entrant in (ours, other):
        path = scratch / "result.npy"
        entrant.peer.ask(ask="save", to=str(path))
        arrays.append(np.load(path))
    length = min(array.shape[-1] for array in arrays)
    a, b = (array[..., :length] for array in arrays)
    return float(np.abs(a - b).max() / np.abs(b).max())
