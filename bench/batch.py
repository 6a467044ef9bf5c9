"""A batch that is killed, sharded, or made by Ray: is every byte as if nothing had happened?

rows of all six tasks, the small model -> through | killed ten times | two shards | Ray, one actor
killed -> every file compared
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
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from acestep_core.sound.files import write_audio
from acestep_core.weights import small

from .measure import last_line

ROWS, KILLS = 200, 10
SECONDS, STEPS, RATE = 1.5, 2, 44_100
TASKS: tuple[dict[str, Any], ...] = (
    {"task": "generate", "lyrics": "[inst]", "seconds": SECONDS},
    {"task": "generate", "seconds": 2 * SECONDS},
    {"task": "retake", "source_seed": 1, "seconds": SECONDS},
    {"task": "inpaint", "source": "in.wav", "region": "0.3:0.9"},
    {"task": "extend", "source": "in.wav", "after": 0.5},
    {"task": "edit", "source": "in.wav", "source_tags": "jazz, saxophone"},
    {"task": "follow", "source": "in.wav", "strength": 0.5},
)
STYLES = ("lofi, electric piano", "jazz, saxophone, fast", "ambient, pad", "funk, slap bass, busy")


def main(words: list[str] | None = None) -> int:
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="bench batch", description=about)
    parser.add_argument("--rows", type=int, default=ROWS, help="of each batch")
    parser.add_argument("--ray", type=Path, metavar="PYTHON", help="an interpreter that has Ray")
    options = parser.parse_args(words)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        figures = once(Path(folder), options.rows, options.ray)
    last_line("batch", ways=figures)
    return 0


def rows_of(count: int) -> Iterator[dict[str, Any]]:
    for i in range(count):
        task = TASKS[i % len(TASKS)]
        yield {"id": f"song-{i:03}", "tags": STYLES[i % len(STYLES)], "seed": i, **task}


def once(folder: Path, count: int, ray: Path | None) -> dict[str, Any]:
    write_audio(folder / "in.wav", 0.1 * torch.randn(2, RATE), RATE)
    manifest = folder / "songs.jsonl"
    rows = ({**row, "steps": STEPS} for row in rows_of(count))
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    print(f"{count} rows of all six tasks, {SECONDS:g} to {2 * SECONDS:g} s, the small model:")
    found: dict[str, Any] = {}
    first = folder / "through"
    ways = [
        ("through, two workers", first, lambda out: [_run(_command(manifest, out))]),
        ("killed ten times", folder / "killed", lambda out: killed(manifest, out, count)),
        ("two shards at once", folder / "shards", lambda out: sharded(manifest, out)),
    ]
    if ray:
        ways.append(
            (
                "Ray, one of two actors killed",
                folder / "ray",
                lambda out: by_ray(manifest, out, ray),
            )
        )
    for name, out, way in ways:
        began = time.perf_counter()
        said = [text for text in way(out) if text]
        took, wanted, there = time.perf_counter() - began, content(first), content(out)
        is_same = there == wanted and _done(out) == count
        told = "the same bytes" if is_same else "OTHER BYTES"
        notes = f"  {said[-1]}" if said else ""
        print(f"  {name:30} {took:6.1f} s  {_done(out)} done, {told}{notes}", flush=True)
        found[name] = {"seconds": round(took, 1), "done": _done(out), "same": is_same}
        if not is_same:
            raise SystemExit(f"{name}: {sorted(set(there.items()) ^ set(wanted.items()))[:4]}")
    return found


def _command(manifest: Path, out: Path, *others: str, python: str = sys.executable) -> list[str]:
    words = ["-m", "acestep_core", "batch", str(manifest), "--out", str(out), "--device", "cpu"]
    return [python, *words, "--model", str(small.FOLDER), "--threads", "1", *others]


def _started(command: list[str]) -> subprocess.Popen[str]:
    if "--workers" not in command and "--shard" not in command:
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


def _run(command: list[str]) -> str:
    return _ended(_started(command))


def _ended(process: subprocess.Popen[str]) -> str:
    told, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"A batch ended with {process.returncode}:\n{told[-3000:]}")
    return ""


def _done(out: Path) -> int:
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


def killed(manifest: Path, out: Path, count: int) -> Iterator[str]:
    """SIGKILL to all its processes at random moments: while it loads, and while it makes."""
    chance = random.Random(19)
    moments = sorted(chance.randrange(count) for _ in range(KILLS))
    for moment in moments:
        process = _started(_command(manifest, out))
        while process.poll() is None and (not out.is_dir() or _done(out) < moment):
            time.sleep(0.05)
        time.sleep(chance.random() * 2)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    yield f"killed at {', '.join(map(str, moments))} rows"
    _run(_command(manifest, out))


def sharded(manifest: Path, out: Path) -> list[str]:
    shards = [_started(_command(manifest, out, "--shard", f"{i}/2")) for i in (1, 2)]
    return [_ended(shard) for shard in shards]


def by_ray(manifest: Path, out: Path, python: Path) -> list[str]:
    process = _started(_command(manifest, out, "--engine", "ray", python=str(python)))
    while process.poll() is None and (not out.is_dir() or _done(out) < 50):
        time.sleep(0.1)
    actors = [pid for pid in _below(process.pid) if "MapWorker" in _title(pid)]
    for pid in actors[:1]:
        os.kill(pid, signal.SIGKILL)
    _ended(process)
    return [f"{len(actors)} actors, {len(actors[:1])} killed"]


def _below(parent: int) -> list[int]:
    """Processes that descend from another."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid for pid, above in parents.items() if above == parent]
    return [*found, *(below for pid in found for below in _below(pid))]


def _title(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")
    return ""
