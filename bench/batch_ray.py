"""The same batch by Ray, with one of two actors killed in the middle: the bytes and the time.

rows of all six tasks -> through, in two workers | Ray, two actors | Ray, one of them killed
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import torch

from .batch import ROWS, command_of, compared, done_in, ended, started, through
from .measure import last_line


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench batch-ray", description=about)
    parser.add_argument("--rows", type=int, default=ROWS, help="of each batch")
    parser.add_argument("--python", required=True, help="an interpreter that has Ray")
    options = parser.parse_args(words)
    torch.set_num_threads(1)

    def by_ray(manifest: Path, out: Path, count: int) -> list[str]:
        ended(_ray(manifest, out, options.python))
        return []

    def killed(manifest: Path, out: Path, count: int) -> list[str]:
        process = _ray(manifest, out, options.python)
        while process.poll() is None and (not out.is_dir() or done_in(out) < count // 3):
            time.sleep(0.3)
        actors = [pid for pid in below(process.pid) if "MapWorker" in title_of(pid)]
        for pid in actors[:1]:
            os.kill(pid, signal.SIGKILL)
        ended(process)
        return [f"{len(actors[:1])} of {len(actors)} actors killed after {count // 3} rows"]

    ways = {"through, two workers": through, "Ray, two actors": by_ray, "Ray, one killed": killed}
    with tempfile.TemporaryDirectory() as folder:
        figures = compared(Path(folder), options.rows, ways)
    pool, ray = figures["through, two workers"], figures["Ray, two actors"]
    print(f"  Ray takes {ray / pool:.2f} x the pool's time, its start included")
    last_line("batch-ray", ways=figures)
    return 0


def _ray(manifest: Path, out: Path, python: str) -> subprocess.Popen[str]:
    return started(command_of(manifest, out, "--engine", "ray", python=python))


def below(parent: int) -> list[int]:
    """Processes that descend from another."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid for pid, above in parents.items() if above == parent]
    return [*found, *(one for pid in found for one in below(pid))]


def title_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    return ""
