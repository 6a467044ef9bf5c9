"""Do the edits keep what they should? Remix, inpaint and extend of held-out clips' tags.

clip -> remix to another style -> beat and notes against the clip, and against strangers
     -> inpaint 3 to 6 s       -> the fill against its surroundings, silence and noise
     -> extend by 10 s         -> tempo of what was added
"""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from acestep_core.config import SAMPLE_RATE, VocoderConfig
from acestep_core.editing.edits import SourceClip, edit, extend, inpaint
from acestep_core.pipeline import ACEStep
from acestep_core.settings import EDIT_MODES
from acestep_core.sound.mel import log_mel
from acestep_core.types import Edit, Extend, Region
from acestep_core.weights.small import LYRICS
from training.features import FLOOR
from training.heard import Heard, heard, same_beat, same_notes
from training.probe import saved

from .clips import Wanted, interval, latent, named, other_genre, recipe, wanted, wave

CLIPS = 20
FIRST = 1000  # seed; none of them is among the clips of the tags
GAP = Region(3.0, 6.0, feather=0.5)
INSIDE = 0.7  # seconds from an edge where the fill alone is heard
TEMPO_NEAR = 0.04  # share by which two tempos may differ and be called the same
RATIOS = (1.0, 0.5, 2.0, 2 / 3, 1.5)  # a pattern may be counted twice as fast, or in three


def measured(pipe: ACEStep, place: Path) -> dict[str, Any]:
    chosen = [wanted(FIRST + index) for index in range(CLIPS)]
    clips = [source(pipe, one) for one in chosen]
    return {
        "clips": CLIPS,
        "remix": remixes(pipe, chosen, clips),
        "inpaint": fills(pipe, chosen, clips),
        "extend": growths(pipe, chosen, clips),
    }


def source(pipe: ACEStep, one: Wanted) -> SourceClip:
    made = latent(pipe, one)
    return SourceClip(wave(pipe, made), SAMPLE_RATE, made)


def remixes(pipe: ACEStep, chosen: list[Wanted], clips: list[SourceClip]) -> dict[str, Any]:
    """Likeness to the own source and to all others, and what the probe hears then."""
    sources, probes = [heard(clip.track.whole()) for clip in clips], saved()
    rows, changed, reached = [], 0, 0
    for index, one in enumerate(chosen):
        target, made = remix(pipe, one, clips[index])
        result = heard(made)
        rows.append(likeness(result, sources, index))
        genre = named(probes, log_mel(made, VocoderConfig()))["genre"]
        changed += genre != one.tags["genre"]
        reached += genre == target.tags["genre"]
    summary = {
        name: [round(value, 3) for value in interval([row[name] for row in rows])]
        for name in rows[0]
    }
    return {**summary, "changed": changed, "reached": reached}


def remix(pipe: ACEStep, one: Wanted, clip: SourceClip) -> tuple[Wanted, Tensor]:
    """(what it should become, its wave)."""
    target, (start, stop) = other_genre(one), EDIT_MODES["remix"]
    known = replace(clip, tags=one.text, lyrics=LYRICS)
    return target, edit(pipe, known, recipe(target), Edit(start, stop)).waves[0]


def likeness(result: Heard, sources: list[Heard], index: int) -> dict[str, float]:
    others = [other for place, other in enumerate(sources) if place != index]
    return {
        "beat_own": same_beat(result, sources[index]),
        "beat_others": statistics.mean(same_beat(result, other) for other in others),
        "notes_own": same_notes(result, sources[index]),
        "notes_others": statistics.mean(same_notes(result, other) for other in others),
    }


def fills(pipe: ACEStep, chosen: list[Wanted], clips: list[SourceClip]) -> dict[str, float]:
    rows = [fill(pipe, one, clip) for one, clip in zip(chosen, clips, strict=True)]
    return {name: round(statistics.mean(row[name] for row in rows), 3) for name in rows[0]}


def fill(pipe: ACEStep, one: Wanted, clip: SourceClip) -> dict[str, float]:
    """How far the fill, silence and noise of the same level are from what surrounds the gap."""
    again = Wanted(one.seed + 1, one.tags, one.text)
    made = inpaint(pipe, clip, recipe(again), [GAP], 1.0).waves[0]
    start, end = (round(at * SAMPLE_RATE) for at in (GAP.start, GAP.end))
    edge = round(INSIDE * SAMPLE_RATE)
    wave = clip.track.whole()
    around = torch.cat((wave[:, :start], wave[:, end:]), 1)
    inside, old = made[:, start + edge : end - edge], wave[:, start + edge : end - edge]
    noise = torch.randn(inside.shape, generator=torch.Generator().manual_seed(one.seed))
    noise = noise * around.square().mean().sqrt()
    candidates = {"fill": inside, "old": old, "noise": noise, "silence": torch.zeros_like(inside)}
    return {name: distance(part, around) for name, part in candidates.items()}


def distance(part: Tensor, around: Tensor) -> float:
    """Between the mean spectra and their movement, log-mel."""
    a, b = (log_mel(one, VocoderConfig()).clamp(min=FLOOR) for one in (part, around))
    return float((a.mean(-1) - b.mean(-1)).abs().mean() + (a.std(-1) - b.std(-1)).abs().mean())


def growths(pipe: ACEStep, chosen: list[Wanted], clips: list[SourceClip]) -> dict[str, Any]:
    rows = [growth(pipe, one, clip) for one, clip in zip(chosen, clips, strict=True)]
    strange = [same_tempo(a[0], b[1]) for a in rows for b in rows if a is not b]
    return {
        "same_tempo": sum(same_tempo(before, after) for before, after in rows),
        "by_chance": round(sum(strange) / len(strange), 3),
    }


def growth(pipe: ACEStep, one: Wanted, clip: SourceClip) -> tuple[float, float]:
    """Tempo of the source, and of what was added."""
    made = extend(pipe, clip, recipe(one), Extend(0.0, 10.0)).waves[0]
    return heard(clip.track.whole()).tempo, heard(made[:, clip.samples :]).tempo


def same_tempo(a: float, b: float) -> bool:
    return any(abs(a * ratio / b - 1) <= TEMPO_NEAR for ratio in RATIOS)
