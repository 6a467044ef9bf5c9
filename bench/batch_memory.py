"""What two workers of a batch take together: a model each, and one that both read.

released sizes with few blocks, random weights -> two workers, by the pool and by Ray
    -> every weight read once -> PSS of all processes, which counts shared pages once
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acestep_core.batch.generator import Loading, Work
from acestep_core.batch.places import Places
from acestep_core.batch.pool import Answer, Asked, Columns, Pool
from acestep_core.batch.rays import Rays
from acestep_core.config import ModelConfig, TransformerConfig
from acestep_core.weights.checkpoint import PARTS
from acestep_core.weights.shared import InMemory, Piece

from .batch_ray import below
from .measure import last_line
from .synthetic import STORED, check_space, write_folder

WORKERS = 2
PAUSE = 0.05  # seconds between two looks


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench batch-memory", description=about)
    parser.add_argument("--blocks", type=int, default=2, help="of the transformer's 24")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder), options.blocks)
    last_line("batch-memory", **figures)
    return 0


@dataclass(frozen=True)
class Reading:
    """A worker that reads every weight, says that it has, and waits until all was measured."""

    loading: Loading
    meeting: str  # a folder
    shares: bool

    @property
    def work(self) -> Work:
        return self.loading.work

    def sharing(self, device: str, piece: Piece) -> Reading:
        return replace(self, loading=self.loading.sharing(device, piece)) if self.shares else self

    def __call__(self, device: str) -> Any:
        generator = self.loading(device)
        model = generator.base.model

        def make(rows: Columns) -> Columns:
            weights = [one for part in PARTS for one in getattr(model, part).module.parameters()]
            total = sum(float(one.float().sum()) for one in weights)
            (Path(self.meeting) / f"{os.getpid()}.ready").touch()
            while not (Path(self.meeting) / "measured").exists():
                time.sleep(PAUSE)
            size = sum(one.nbytes for one in weights)
            return {"id": rows["id"], "sum": [total], "size": [size]}

        return make


def measured(folder: Path, blocks: int) -> dict[str, Any]:
    check_space(folder, 5)
    config = ModelConfig(TransformerConfig(num_layers=blocks))
    write_folder(folder / "model", config)
    loading = Loading((str(folder / "model"),), "float32", Work(Places(str(folder))))
    found: dict[str, Any] = {}
    sums: set[float] = set()
    for engine in ("pool", "ray"):
        for shares in (False, True):
            name = f"{engine}, {'one model for both' if shares else 'a model each'}"
            meeting = folder / name
            meeting.mkdir()
            began = time.perf_counter()
            taken, told = _taken(engine, Reading(loading, str(meeting), shares), meeting)
            took = time.perf_counter() - began
            sums |= {one["sum"][0] for one in told}
            size = told[0]["size"][0]
            if not found:
                print(
                    f"{size / 1e9:.2f} GB of weights in float32, {blocks} of 24 blocks,"
                    f" {WORKERS} workers; PSS of all their processes:"
                )
            print(f"  {name:24} {taken / 1e9:5.2f} GB, in {took:.0f} s", flush=True)
            found[name] = {"bytes": taken, "seconds": round(took, 1)}
    if len(sums) != 1:
        raise SystemExit(f"Workers read other weights: {sums}")
    whole = _bytes_of(ModelConfig())
    alike = sum(size for part, size in whole.items() if STORED[part].itemsize == 4)
    print(
        f"  of the released model's {sum(whole.values()) / 1e9:.1f} GB in float32 the files hold"
        f" {alike / 1e9:.1f} as wide as that: mapping them would share no more"
    )
    return {"weights_bytes": size, "ways": found}


def _bytes_of(config: ModelConfig) -> dict[str, int]:
    """In float32, by part."""
    from acestep_core.weights.model import build

    return {part: 4 * sum(p.numel() for p in build(part, config).parameters()) for part in PARTS}


def _taken(engine: str, start: Reading, meeting: Path) -> tuple[int, list[Columns]]:
    """Bytes of all processes that work for us when every worker has read every weight."""
    found: list[int] = []

    def look() -> None:
        while len(list(meeting.glob("*.ready"))) < WORKERS:
            time.sleep(PAUSE)
        mine = _pss(os.getpid())
        found.append(sum(map(_pss, below(os.getpid()))) + mine)
        (meeting / "measured").touch()

    watch = threading.Thread(target=look, daemon=True)
    watch.start()
    told = [rows for _, rows, _ in _made(engine, start)]
    return found[0], told


def _made(engine: str, start: Reading) -> Iterator[Answer]:
    devices = ["cpu"] * WORKERS
    todo: Iterable[Asked] = [(number, {"id": [str(number)]}) for number in range(WORKERS)]
    if engine == "ray":
        yield from Rays(start, devices).made(todo)  # pyright: ignore[reportArgumentType]
        return
    with InMemory() as memory:
        yield from Pool(start.sharing("cpu", memory), devices).made(todo)


def _pss(pid: int) -> int:
    """Bytes of a process, each page divided among those that share it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
