"""The command `batch`: a manifest of many songs to files, exactly once.

manifest -> plan -> fingerprint of the folder -> what is left -> workers -> files, results, report
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..atomic import FileError, check_place, replaced
from ..batch.plan import MOST_ERRORS, WHOLE, part_of
from ..settings import SettingError, setting
from .options import adapter_named, add_adapter_options, add_model_options, add_options
from .places import notes_of, places_of, recommended
from .running import device_of

if TYPE_CHECKING:
    from ..batch.course import Batch, Course, Engine, See
    from ..batch.fingerprint import Fingerprint
    from ..batch.generator import Loading, Work
    from ..batch.ledger import Entry
    from ..batch.plan import Plan
    from ..batch.pool import Answer, Asked
    from ..weights.model import Added

ENGINES = ("pool", "ray")


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "batch", help="many songs from a manifest, on one machine or more"
    )
    command.add_argument(
        "manifest", type=Path, help="a row for each song: .jsonl, .csv, .tsv or .parquet"
    )
    command.add_argument("--out", type=Path, help="folder of the results")
    command.add_argument(
        "--expand",
        type=Path,
        metavar="FILE.jsonl",
        help="take MANIFEST for a template (.json), write its rows there, and end",
    )
    command.add_argument("--dry-run", action="store_true", help="say what it would be, and end")
    add_options(command, "batch", "--format", "--batch")
    command.add_argument(
        "--workers", type=int, help="models at once (one for each card; 1 without any)"
    )
    command.add_argument(
        "--threads", type=int, help="of the processor, for each worker (shared out evenly)"
    )
    command.add_argument(
        "--shard", default=WHOLE, metavar="I/N", help="make this part of N: on several machines"
    )
    command.add_argument(
        "--max-errors", type=int, default=MOST_ERRORS, help=f"rows that may fail ({MOST_ERRORS})"
    )
    command.add_argument("--retry-failed", action="store_true", help="make failed rows again")
    command.add_argument("--engine", choices=ENGINES, default="pool", help="who distributes (pool)")
    command.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster, or auto")
    command.add_argument(
        "--loudness-range",
        metavar="LOW:HIGH",
        default=":",
        help="flag songs whose loudness range (LU, EBU Tech 3342) is not between these",
    )
    add_adapter_options(command, "batch", "of every row that does not name its own")
    add_model_options(command, "batch")
    command.set_defaults(run=batch)


def batch(options: argparse.Namespace) -> int:
    if options.expand:
        return _expand(options)
    if options.out is None and not options.dry_run:
        raise SettingError("Where to? Give a folder for the results: --out DIR.")
    from ..batch.manifest import read_manifest
    from ..batch.plan import planned

    setting("batch_size").check(options.batch, "--batch")
    for name in ("max_errors", "workers", "threads"):
        _check_count(f"--{name.replace('_', '-')}", getattr(options, name), name != "max_errors")
    if options.address and options.engine != "ray":
        raise SettingError("--address is of a Ray cluster. Add --engine ray, or leave it out.")
    shard, base = part_of(options.shard), options.manifest.resolve().parent
    raws = read_manifest(options.manifest)
    plan = planned(raws, recommended(options), options.batch, options.format, str(base))
    if options.dry_run:
        for line in forecast(plan, options.out):
            print(line)
        return 0
    return _run(options, plan, base, shard)


def _check_count(name: str, value: int | None, needs_one: bool) -> None:
    if value is not None and value < needs_one:
        raise SettingError(f"{name} is {value}; it must be {int(needs_one)} or more.")


def _expand(options: argparse.Namespace) -> int:
    from ..batch.manifest import JSON_LINES, expanded, read_template

    path = options.expand
    if path.suffix.lower() not in JSON_LINES:
        raise FileError(f"--expand {path} must end in one of: {', '.join(JSON_LINES)}.")
    rows = expanded(read_template(options.manifest))
    check_place(path)
    count = 0
    with replaced(path) as place, place.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    print(f"{path}  {count} rows")
    return 0


def forecast(plan: Plan, out: Path | None) -> Iterator[str]:
    """What a batch would be, in lines."""
    from ..batch.plan import HOSTED_DOLLARS, UNKNOWN_SECONDS, lasting

    tasks = Counter(str(row.raw.get("task", "generate")) for row in plan.rows)
    seconds = sum(plan.seconds_of(row) for row in range(len(plan.rows)))
    unknown = sum(not row.seconds for row in plan.rows)
    yield f"{len(plan.rows)} rows in {len(plan.groups)} batches: " + ", ".join(
        f"{count} {name}" for name, count in tasks.items()
    )
    if unknown:
        yield f"{unknown} of them last as their sources do: taken as {UNKNOWN_SECONDS:g} s each"
    size = sum(plan.bytes_of(row) for row in range(len(plan.rows)))
    yield f"{lasting(seconds)} of music, about {size / 1e6:.1f} MB as {plan.kind}"
    yield (
        f"hosted services would take {seconds * HOSTED_DOLLARS:.2f} dollars"
        f" ({HOSTED_DOLLARS:g} a second)"
    )
    if out is not None:
        from ..batch.ledger import known_in

        done = known_in(out, lambda entry: True)
        rows = sum(len(plan.groups[one].rows) for one in done if one < len(plan.groups))
        yield f"{rows} rows stand in the ledger of {out} already"


def _run(options: argparse.Namespace, plan: Plan, base: Path, shard: tuple[int, int]) -> int:
    from ..batch.course import Batch, Course
    from ..batch.fingerprint import settled
    from ..batch.places import Places
    from ..batch.sources import Sources

    paths = places_of(options)
    for note in notes_of(options, paths):
        print(note, file=sys.stderr)
    places = Places.for_rows(len(plan.rows), options.out.resolve(), base, plan.kind)
    batch = Batch(plan, places, shard, options.retry_failed, options.max_errors)
    device = device_of(options.device)
    devices, threads = _workers(options, device)
    loading = _loading(options, batch, paths, threads)
    sources = Sources((row.source for row in plan.rows), base, batch.out)
    known = sources.digests()
    settled(batch.out, _fingerprint(options, batch, loading, known, device))
    with _bar(batch) as see:
        course = Course(batch, _engine(options, loading, devices), see)
        course.run()
    sources.check(known)
    return _told(batch, course)


def _workers(options: argparse.Namespace, device: str) -> tuple[list[str], int]:
    """The device of each worker, and the threads of each: the folder's, where it has a number."""
    import torch

    from ..batch.fingerprint import known_in

    cards = torch.cuda.device_count() if device == "cuda" else 0
    count = options.workers or max(cards, 1)
    devices = [f"{device}:{i % cards}" if cards > 1 else device for i in range(count)]
    known = (known_in(options.out) or {}).get("threads")
    share = max((os.cpu_count() or 1) // count, 1) if torch.device(device).type == "cpu" else 1
    return devices, options.threads or (known if isinstance(known, int) else share)


def _fingerprint(
    options: argparse.Namespace,
    batch: Batch,
    loading: Loading,
    sources: Mapping[str, str],
    device: str,
) -> Fingerprint:
    from ..batch import fingerprint

    precision, work = loading.precision(device), loading.work
    return {
        "manifest": batch.plan.digest,
        "sources": fingerprint.sources_digest(sources),
        "model": fingerprint.model_digest([Path(path) for path in loading.model]),
        "adapters": fingerprint.adapters_digest([*loading.adapters, *_of_rows(batch, work)]),
        **fingerprint.this_code(),
        "machine": fingerprint.machine(device),
        "dtype": str(precision.transformer).removeprefix("torch."),
        "codec_dtype": str(precision.vocoder).removeprefix("torch."),
        "threads": work.threads,
        "batch": options.batch,
        "format": options.format,
        "gates": work.gates.limits,
    }


def _loading(options: argparse.Namespace, batch: Batch, paths: list[Path], threads: int) -> Loading:
    """How workers get the model; every adapter is read once, to say now what is wrong with it."""
    from ..batch.gates import Gates, limits_of
    from ..batch.generator import Loading, Work
    from ..weights.lora import read_named

    scaled = options.lora_training_scale
    flattest, widest = limits_of(options.loudness_range)
    gates = Gates(flattest=flattest, widest=widest)
    work = Work(batch.places, threads, options.codec_dtype, options.offload, gates, scaled)
    adapters = tuple(adapter_named(text, scaled) for text in options.lora)
    for one in (*adapters, *_of_rows(batch, work)):
        read_named(one)
    model = tuple(str(path.resolve()) for path in paths)
    return Loading(model, options.dtype, work, adapters, batch.plan.varies)


def _of_rows(batch: Batch, work: Work) -> Iterator[Added]:
    return (work.placed(one) for one in batch.plan.adapters)


def _engine(options: argparse.Namespace, loading: Loading, devices: list[str]) -> Engine:
    if options.engine == "ray":
        from ..batch.rays import Rays

        return Rays(loading, devices, options.address).made
    from ..batch.pool import Pool
    from ..weights.shared import InMemory

    def made(todo: Iterable[Asked]) -> Iterator[Answer]:
        # A card has the weights in a memory of its own, and a single worker has nobody to share.
        if len(devices) == 1 or devices[0] != "cpu" or not InMemory.is_known:
            yield from Pool(loading, devices).made(todo)
            return
        with InMemory() as memory:
            yield from Pool(loading.sharing(devices[0], memory), devices).made(todo)

    return made


@contextmanager
def _bar(batch: Batch) -> Iterator[See]:
    """Songs made, and the time that is left."""
    from tqdm import tqdm

    left = batch.left(batch.known())
    total = sum(len(group.rows) for group in left)
    failed = 0
    with tqdm(total=total, unit="song", file=sys.stderr) as bar:

        def see(entry: Entry) -> None:
            nonlocal failed
            failed += entry.failed
            bar.update(len(entry.rows))
            if failed:
                bar.set_postfix(failed=failed)

        yield see


def _told(batch: Batch, course: Course) -> int:
    """The report, and what a shell is to know."""
    from ..batch.course import RESULTS
    from ..batch.report import NAME, Report

    report = Report.of(batch, course.known)
    report.write(batch)
    print(f"{batch.out / RESULTS}\n{report.summary()}")
    if report.errors:
        print(f"failed: {report.errors[0]}", file=sys.stderr)
        print(f"{NAME} lists what failed; --retry-failed makes it again", file=sys.stderr)
    return 1 if report.failed else 0
