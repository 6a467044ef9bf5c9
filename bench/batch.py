"""A batch that is killed or sharded: is every byte as if nothing had happened?

rows of all six tasks, the small model -> through | killed ten times | two shards
    -> every file compared; with `batch-ray` those of Ray, too
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import torch

from acestep_core.sound.files import write_audio
from acestep_core.weights import small

from .measure import last_line

ROWS, KILLS = 200, 10
SECONDS, STEPS, RATE = 0.5, 2, 44_100
SOURCE = "in.wav"
STYLES = ("lofi, electric piano", "jazz, saxophone, fast", "ambient, pad", "funk, slap bass, busy")


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench batch", description=about)
    parser.add_argument("--rows", type=int, default=ROWS, help="of each batch")
    options = parser.parse_args(words)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        figures = compared(Path(folder), options.rows, WAYS)
    last_line("batch", ways=figures)
    return 0


def rows_of(count: int, seconds: float = SECONDS) -> Iterator[dict[str, Any]]:
    """Of all tasks in turn; their source lasts as long as the shorter new clips."""
    tasks: tuple[dict[str, Any], ...] = (
        {"task": "generate", "lyrics": "[inst]", "seconds": seconds},
        {"task": "generate", "seconds": 2 * seconds},
        {"task": "retake", "source_seed": 1, "seconds": seconds},
        {"task": "inpaint", "source": SOURCE, "region": f"{0.2 * seconds}:{0.6 * seconds}"},
        {"task": "extend", "source": SOURCE, "after": 0.6 * seconds},
        {"task": "edit", "source": SOURCE, "source_tags": "jazz, saxophone"},
        {"task": "follow", "source": SOURCE, "strength": 0.5},
    )
    for i in range(count):
        row = {"id": f"song-{i:03}", "tags": STYLES[i % len(STYLES)], "seed": i, "steps": STEPS}
        yield row | tasks[i % len(tasks)]


def write_source(folder: Path, seconds: float = SECONDS) -> None:
    torch.manual_seed(0)
    write_audio(folder / SOURCE, 0.1 * torch.randn(2, round(seconds * RATE)), RATE)


Way: TypeAlias = "Callable[[Path, Path, int], Iterable[str]]"


def compared(folder: Path, count: int, ways: Mapping[str, Way]) -> dict[str, Any]:
    """Each way to the end of the same batch; the files of the first are what all must make."""
    write_source(folder)
    manifest = folder / "songs.jsonl"
    lines = (json.dumps(row) + "\n" for row in rows_of(count))
    manifest.write_text("".join(lines), encoding="utf-8")
    print(f"{count} rows of all six tasks, {SECONDS:g} to {2 * SECONDS:g} s, the small model:")
    found: dict[str, Any] = {}
    wanted: dict[str, str] = {}
    for number, (name, way) in enumerate(ways.items()):
        out, began = folder / str(number), time.perf_counter()
        notes = list(way(manifest, out, count))
        took, there, done = time.perf_counter() - began, content(out), done_in(out)
        wanted = wanted or there
        if there != wanted or done != count:
            strange = sorted(set(there.items()) ^ set(wanted.items()))[:4]
            raise SystemExit(f"{name}: {done} done, other bytes: {strange}")
        told = f"{done} done, {len(there)} files, the same bytes"
        print(f"  {name:22} {took:6.1f} s  {'; '.join([told, *notes])}", flush=True)
        found[name] = round(took, 1)
    return found


def through(manifest: Path, out: Path, count: int) -> list[str]:
    _run(command_of(manifest, out))
    return []


def command_of(manifest: Path, out: Path, *others: str, python: str = sys.executable) -> list[str]:
    words = ["-m", "acestep_core", "batch", str(manifest), "--out", str(out), "--device", "cpu"]
    return [python, *words, "--model", str(small.FOLDER), "--threads", "1", *others]


def started(command: list[str]) -> subprocess.Popen[str]:
    if "--shard" not in command:
        command = [*command, "--workers", "2"]
    root = Path(__file__).resolve().parents[1]
    return subprocess.Popen(
        command,
        cwd=root,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _run(command: list[str]) -> None:
    ended(started(command))


def ended(process: subprocess.Popen[str]) -> None:
    told, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"A batch ended with {process.returncode}:\n{told[-3000:]}")


def done_in(out: Path) -> int:
    """Rows in the ledgers."""
    lines = (line for path in out.glob("ledger*.jsonl") for line in path.open("rb"))
    whole = [line for line in lines if line.endswith(b"\n")]
    return sum(row["status"] == "done" for line in whole for row in json.loads(line)["rows"])


def content(out: Path) -> dict[str, str]:
    """Every file but the ledgers, which hold how long it took."""
    return {
        path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in out.rglob("*")
        if path.is_file() and not path.name.startswith(("ledger", ".results"))
    }


def killed(manifest: Path, out: Path, count: int) -> list[str]:
    """SIGKILL to all its processes at random moments: while it loads, and while it makes."""
    chance = random.Random(19)
    moments = sorted(chance.randrange(count) for _ in range(KILLS))
    for moment in moments:
        process = started(command_of(manifest, out))
        while process.poll() is None and (not out.is_dir() or done_in(out) < moment):
            time.sleep(0.3)
        time.sleep(chance.random() * 2)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    _run(command_of(manifest, out))
    return [f"SIGKILL within 2 s after {', '.join(map(str, moments))} rows"]


def sharded(manifest: Path, out: Path, count: int) -> list[str]:
    shards = [started(command_of(manifest, out, "--shard", f"{i}/2")) for i in (1, 2)]
    for shard in shards:
        ended(shard)
    return ["each of one worker"]


WAYS: dict[str, Way] = {
    "through, two workers": through,
    "two shards at once": sharded,
    "killed ten times": killed,
}
