"""The checkpoint folder, from what is trained so far.

    <private folder>/<stage>/<part>.safetensors -> <folder>/<part's folder>/...
                                                   config.json, tokenizer.json, model.json

A part that no stage has trained yet gets its starting weights, and model.json says so: the
folder can be loaded from the first day on.
"""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import asdict
from pathlib import Path

from acestep_core.config import GRIFFIN_LIM, VOCODER
from acestep_core.weights.checkpoint import FILES, FOLDERS, PARTS

from . import autoencoder, denoiser, says, text, vocoder, weights
from .initial import fresh
from .kept import Kept, kept
from .places import made
from .sizes import MOST_BYTES, NAME
from .stage import Job

# Part -> stages that make it, the best first.
MAKERS = {
    "transformer": (denoiser.COURSE.name,),
    "dcae": (autoencoder.COURSE.name,),
    "vocoder": (vocoder.ADVERSARIAL.name, vocoder.COURSE.name),
    "text_encoder": (denoiser.COURSE.name, text.COURSE.name),
}

log = logging.getLogger(__name__)


class ExportError(RuntimeError):
    """A folder that must not be shipped: says why."""


def write_folder(folder: Path, job: Job) -> Path:
    """Write the whole checkpoint in the released layout and return where."""
    found = {part: source(part, job) for part in PARTS}
    for part in PARTS:
        place = made(folder / FOLDERS[part])
        _write_part(part, found[part], place / FILES[part], job)
        settings = json.dumps(asdict(getattr(job.config, part)), indent=2, sort_keys=True)
        (place / "config.json").write_text(settings + "\n", encoding="utf-8")
    tokenizer = folder / FOLDERS["text_encoder"] / "tokenizer.json"
    if text.tokenizer_path(job).is_file():
        shutil.copyfile(text.tokenizer_path(job), tokenizer)
    else:
        text.write_tokenizer(tokenizer, job.config.text_encoder.vocab_size, ("genre", "tempo"))
    about = {
        "name": _name(found),
        "demo": True,
        "sound": sound_of(job),
        **says.card(job.places).as_data(),
        "steps": {part: one.step if one else 0 for part, one in found.items()},
        "stages": {part: one.stage for part, one in found.items() if one},
    }
    (folder / "model.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    log.info("%s: %.1f MB, %s", folder, size / 1e6, about["name"])
    if size > MOST_BYTES:
        raise ExportError(f"{folder} has {size} bytes; at most {MOST_BYTES} may be shipped.")
    return folder


def source(part: str, job: Job) -> Kept | None:
    """The best trained weights of a part."""
    found = (kept(job.places, stage, part) for stage in MAKERS[part])
    return next((one for one in found if one), None)


def sound_of(job: Job) -> str:
    """The vocoder only where it came closer to held-out clips than Griffin-Lim did."""
    found = source("vocoder", job)
    figures = last_figures(job.places.runs / found.stage / "losses.jsonl") if found else {}
    limit = figures.get("griffin_lim_lsd", 0.0)
    return VOCODER if figures.get("held_out_lsd", limit) < limit else GRIFFIN_LIM


def last_figures(journal: Path) -> dict[str, float]:
    """The newest held-out figures of a stage."""
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.is_file() else []
    for line in reversed(lines):
        entry = json.loads(line)
        held_out = {k: v for k, v in entry.items() if k.startswith(("held_out", "griffin"))}
        if held_out:
            return held_out
    return {}


def _write_part(part: str, found: Kept | None, path: Path, job: Job) -> None:
    """A part as it was trained, or with starting weights."""
    if found is None:
        network = fresh(part, job.config, job.seed)
        tensors = {name: p.detach() for name, p in network.named_parameters()}
        weights.write_part(tensors, part, job.config, path)
    elif found.path.resolve() != path.resolve():
        shutil.copyfile(found.path, path)


def _name(found: dict[str, Kept | None]) -> str:
    untrained = [part for part, one in found.items() if one is None]
    return f"{NAME} ({', '.join(untrained)} not trained yet)" if untrained else NAME
