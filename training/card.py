"""The model card: what the small model is, how it was made and what was measured.

Figures come from the committed runs; those on generated music are written into the same file
by the benchmark, between its two marks, which are kept here.
"""

from __future__ import annotations

import json
from pathlib import Path

from acestep_core.atomic import replaced

from . import says
from .compose import tempo_of
from .export import MAKERS, last_figures
from .places import made
from .sizes import NAME
from .stage import Job
from .styles import BEAT_ANGLES

FILE = "README.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
TEXT = """# {name}

A demonstration model: the architecture and the key names of ACE-Step v1 at an eighth of every
width, trained from nothing on generated pieces. It shows that every part of this project works
and makes short instrumental music on any CPU. **It is not ACE-Step**: for music worth keeping,
download the released weights.

## How it was made

Clips of 10 and 30 s in ten styles, composed by `training/compose.py` from seeds and rendered
with FluidSynth and the FluidR3 sound font (MIT) or by plain synthesis; see
`training/SOURCES.md`. Tags are what a clip was made from. `python -m training STAGE` repeats
every step. The autoencoder, the vocoder and the denoiser's first 6864 steps saw earlier sets of
six hours of the same music, at other tempos from 64 to 120.

{stages}

## Tags it knows

{tags}

{words}

## What it cannot do

It does not sing: lyrics are ignored. It knows the words above and no others, ten styles and three
tempos: slow, medium tempo and fast are {tempos} beats a minute. Major and
minor are not told apart. Clips much longer than 30 s were never seen in training.

## Figures

{begin}
{figures}
{end}
"""
NONE = "Not measured yet: `python3 dev.py bench small-model` writes them here."


def write(folder: Path, job: Job) -> Path:
    """Write the card into the checkpoint folder; measured figures stay."""
    path = made(folder) / FILE
    text = TEXT.format(
        name=NAME,
        stages=_stages(job),
        tempos=_tempos(),
        tags=_tags(job),
        words=_words(job),
        figures=_kept(path),
        begin=BEGIN,
        end=END,
    )
    with replaced(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _kept(path: Path) -> str:
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if BEGIN not in text or END not in text:
        return NONE
    return text.split(BEGIN)[1].split(END)[0].strip()


def _stages(job: Job) -> str:
    lines = ["| stage | steps | hours | last figures |", "|---|---|---|---|"]
    names = [stage for stages in MAKERS.values() for stage in reversed(stages)]
    for stage in dict.fromkeys(names):
        place = job.places.runs / stage / "state.json"
        if place.is_file():
            about = json.loads(place.read_text(encoding="utf-8"))
            figures = last_figures(place.parent / "losses.jsonl")
            said = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
            hours = about["seconds"] / 3600
            lines.append(f"| {stage} | {about['step']} | {hours:.1f} | {said} |")
    return "\n".join(lines) if len(lines) > 2 else "Nothing is trained yet."


def _tempos() -> str:
    *first, last = (f"{tempo_of(band):.1f}" for band in BEAT_ANGLES)
    return f"{', '.join(first)} and {last}"


def _words(job: Job) -> str:
    """Every word, as model.json lists them for the programs."""
    lines = ["| group | of | words |", "|---|---|---|"]
    for group, classes in says.card(job.places).words.items():
        lines += [f"| {group} | {name} | {', '.join(words)} |" for name, words in classes.items()]
    return "\n".join(lines)


def _tags(job: Job) -> str:
    lines = ["| group | classes | read from held-out clips | used |", "|---|---|---|---|"]
    place = job.places.runs / "probe" / "real.json"
    if not place.is_file():
        return "The probe has not run yet."
    for group, found in json.loads(place.read_text(encoding="utf-8")).items():
        used = "yes" if found["usable"] else "no"
        share = f"{found['accuracy']:.0%} of {found['clips']}"
        lines.append(f"| {group} | {found['classes']} | {share} | {used} |")
    return "\n".join(lines)
