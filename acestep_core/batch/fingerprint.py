"""Everything that changes a byte of the results, so that a folder never holds two kinds of them.

    plan, sources, model, adapters, settings, code, machine -> Fingerprint -> batch.json

The first run in a folder writes it; every later one must be the same, or says what is not.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch

from ..atomic import FileError, reason, temporary
from ..config import VERSION
from ..settings import NONE
from ..weights.checkpoint import recognise
from ..weights.download import sha256
from ..weights.lora import file_of
from ..weights.model import Added

NAME = "batch.json"
CODE = Path(__file__).resolve().parents[1]
# Files of the core that no sample goes through.
OUTSIDE = ("cli", "hosted", "pictures", "writer")

Fingerprint = Mapping[str, str | int]


def model_digest(paths: Sequence[Path]) -> str:
    """Of all files of a checkpoint: another one when any byte of a weight is another."""
    found = recognise(*paths)
    files = {stored.path for stored in found.parts.values()}
    files |= {found.tokenizer} if found.tokenizer else set()
    beside = (place / "model.json" for place in paths if place.is_dir())
    files |= {place for place in beside if place.is_file()}
    return digest_of(sorted(sha256(file) for file in files))


def code_digest() -> str:
    """Of the code that makes a sample, line by line."""
    files = (path for path in CODE.rglob("*") if path.suffix in (".py", ".json"))
    inside = [path for path in files if path.relative_to(CODE).parts[0] not in OUTSIDE]
    return digest_of([sha256(path) for path in sorted(inside)])


def sources_digest(digests: Mapping[str, str]) -> str:
    """Of all sources, by their contents."""
    return digest_of([f"{name} {digest}" for name, digest in sorted(digests.items())])


def adapters_digest(adapters: Sequence[Added]) -> str:
    """Of the files of adapters that are named by their paths, and of how they count."""
    return digest_of([line for one in adapters for line in _adapter(one)]) if adapters else NONE


def _adapter(one: Added) -> Iterator[str]:
    file = file_of(one.name)
    beside = file.parent / "config.json"  # of a folder's adapter it may tell the scale
    yield f"{sha256(file)} {one.weight:g} {one.training_scale}"
    yield sha256(beside) if beside.is_file() else NONE


def digest_of(parts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def machine(device: str) -> str:
    """What of a machine changes the last digits: the card, or the processor's instructions."""
    place = torch.device(device)
    if place.type == "cuda":
        return torch.cuda.get_device_name(place)
    return f"{place.type} {torch.backends.cpu.get_cpu_capability()}"


def this_code() -> Fingerprint:
    return {"version": VERSION, "code": code_digest(), "torch": torch.__version__}


WORDS = {
    "manifest": "the manifest's rows, or how they are batched",
    "sources": "a source",
    "adapters": "the adapters (--lora)",
    "model": "the model",
    "version": "the version of this pack",
    "code": "the code of this pack",
    "threads": "the threads of a worker (--threads)",
    "format": "the files (--format)",
    "batch": "the rows made together (--batch)",
    "gates": "the quality gates (--loudness-range)",
}


def settled(out: Path, ours: Fingerprint) -> Fingerprint:
    """The folder's fingerprint, written now where it has none; FileError if ours is another."""
    place = out / NAME
    if not place.exists():
        _write_once(place, ours)
    known = known_in(out) or {}
    others = [name for name in {**known, **ours} if known.get(name) != ours.get(name)]
    if others:
        told = "; ".join(
            f"{WORDS.get(name, name)} ({_short(known.get(name))} then, {_short(ours.get(name))}"
            " now)"
            for name in others
        )
        raise FileError(
            f"{out} holds results that this run would not continue: what is another is {told}."
            " Put that back, or give another folder with --out."
        )
    return known


def known_in(out: Path) -> Fingerprint | None:
    """What a folder's results were made with; None where it has none yet."""
    place = out / NAME
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"{place} cannot be read ({reason(error)}).") from error
    except ValueError as error:
        raise FileError(f"{place} is damaged ({error}). Give another folder with --out.") from error
    if not isinstance(found, dict):
        raise FileError(f"{place} is of something else. Give another folder with --out.")
    return found


def _write_once(place: Path, ours: Fingerprint) -> None:
    """Whole, and only by the first of several that begin at once."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with temporary(place.parent) as part:
            part.write_text(json.dumps(ours, indent=2) + "\n", encoding="utf-8")
            try:
                os.link(part, place)
            except FileExistsError:
                return
            except OSError:  # a disk without links
                os.replace(part, place)
    except OSError as error:
        raise FileError(
            f"{place} cannot be written ({reason(error)}). Choose another folder with --out."
        ) from error


def _short(value: object) -> str:
    text = str(value)
    return text[:12] if len(text) == 64 else text
