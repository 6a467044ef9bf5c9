"""What a node shows on itself: values under keys, of which the page makes sentences.

    results, facts -> {"ui": {"acesuite": [facts]}, "result": results} -> page, /history

Seeds are text there: JavaScript loses the digits of large numbers. What one node knows of a
sound and another is to show rides along in the AUDIO, and counts only for that very tensor.
"""

from __future__ import annotations

import json
import math
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from ..acestep_core.config import MAX_SECONDS
from ..acestep_core.editing.report import EditReport
from ..acestep_core.editing.request import Options
from ..acestep_core.lyrics import Vocabulary
from ..acestep_core.lyrics.preview import LineNote, Preview, preview
from ..acestep_core.records.record import OWN_KEY
from ..acestep_core.sampling.noise import derived
from ..acestep_core.sound.loudness import measured
from ..acestep_core.sound.track import Held, Track
from ..acestep_core.tasks.behaviours import BEHAVIOURS
from ..acestep_core.types import Latent
from . import host, sound

Facts = dict[str, Any]

# What an info has to say in words and a node shows by other means.
SECONDS_NOTE = "seconds come from the connected task's source."
SEEDS_NOTE = "retake_seeds are the Sampler's seed and those after it; seeds the source's."


def shown(results: tuple[Any, ...], facts: Facts, **core: list[Any]) -> dict[str, Any]:
    """A node's results and what it shows; `core` is what ComfyUI's own page shows of it."""
    kept = {key: value for key, value in facts.items() if value not in (None, [], "", {})}
    return {"ui": {sound.KEY: [kept], **core}, "result": results}


@dataclass(frozen=True, eq=False)
class About:
    """What rides along in an AUDIO."""

    wave: weakref.ref[Tensor] | None  # that it is about; None: of the AUDIO it rides in
    seeds: tuple[int, ...] = ()  # of what was made, one a clip
    reports: tuple[EditReport, ...] = ()
    warnings: tuple[str, ...] = ()
    source: sound.Audio | None = None  # that the sound was put into
    options: Options | None = None  # and how
    model: Path | None = None  # where that lies which made it
    latent: Latent | None = None  # that it was decoded of


def told(audio: sound.Audio, **about: Any) -> sound.Audio:
    if isinstance(audio, sound.Streamed):
        return replace(audio, about=About(None, **about))
    return {**audio, sound.KEY: About(weakref.ref(audio["waveform"]), **about)}


def about(audio: sound.Audio) -> About | None:
    """What is known of a sound; nothing once another node has made another of it."""
    if isinstance(audio, sound.Streamed):
        return audio.about if isinstance(audio.about, About) else None
    known = audio.get(sound.KEY)
    if isinstance(known, About) and known.wave and known.wave() is audio["waveform"]:
        return known
    return None


def of_run(info: str) -> Facts:
    """Words, seeds and warnings of the Sampler's info."""
    record = json.loads(info) if info.strip() else {}
    own = record.get(OWN_KEY) or {}
    new = record.get("retake_seeds") or []
    seeds = record.get("actual_seeds") or []
    is_known = bool(new) and seeds != [derived(seed) for seed in new]  # or nobody has named it
    return {
        "task": record.get("task"),
        "tags": record.get("prompt"),
        "words": record.get("lyrics"),
        "seeds": [str(seed) for seed in new or seeds],
        "source_seeds": [str(seed) for seed in seeds] if is_known else [],
        "seconds": own.get("seconds_made"),
        "asked_seconds": record.get("audio_duration"),
        "notes": [n for n in own.get("notes") or () if n not in (SECONDS_NOTE, SEEDS_NOTE)],
        "warnings": own.get("warnings"),
        "recommended": own.get("demonstration_model") or None,  # what a box asked with
    }


def of_sound(track: Track) -> Facts:
    """Length in seconds, loudness in LUFS and peak in dBTP; of what is streamed, and long, the
    length alone: the rest would take longer than the work."""
    seconds = track.samples / track.rate
    if not isinstance(track, Held) and seconds > MAX_SECONDS:
        return {"seconds": round(seconds, 3)}
    wave = track.wave if isinstance(track, Held) else track.whole()
    level = measured(wave.float().cpu(), track.rate)
    return {
        "seconds": round(seconds, 3),
        "loudness": _decibels(level.integrated),
        "peak": _decibels(level.peak),
        "clipped": level.clipped,
    }


def _decibels(value: float | None) -> float | None:
    return round(value, 2) if value is not None and math.isfinite(value) else None


def read(lyrics: str, language: str, compat: str) -> Preview:
    """Lyrics line by line, as Lyric Encode hears them."""
    known = Vocabulary.find(None, host.vocabulary_places())
    detector = BEHAVIOURS[compat].detector
    return preview(lyrics, language=language, detector=detector, vocabulary=known)


def of_lyrics(seen: Preview) -> Facts:
    return {"lines": [_line(line) for line in seen.lines if line.text], "notes": list(seen.notes)}


def _line(line: LineNote) -> Facts:
    mark = line.mark
    return {
        "number": line.number,
        "text": line.text,
        "language": "" if mark else line.language,
        "heard": "" if mark or line.normalised == line.text else line.normalised,
        "unknown": list(line.unknown),
        "advice": mark.suggestion if mark else "",
    }


def of_edits(reports: tuple[EditReport, ...]) -> list[Facts]:
    return [report.as_data() for report in reports]
