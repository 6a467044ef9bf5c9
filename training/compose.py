"""A piece from a seed and a number: the same two always give the same notes and tags.

    (seed, index) -> genre, ensemble, tempo, key, density, mode
                  -> chords, drums, bass, lead, each from the style's own patterns -> Piece

Tags are what the notes were made from, so they are true by construction.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from acestep_core.config import seconds_of

from .styles import (
    BEAT_ANGLES,
    BY_GENRE,
    DENSITIES,
    DRUM_KEYS,
    MODES,
    PROGRESSIONS,
    SCALES,
    STYLES,
    Ensemble,
    Style,
)


@dataclass(frozen=True)
class Note:
    part: str
    start: float  # seconds
    length: float  # seconds
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Piece:
    seconds: float
    tempo: float  # beats per minute
    ensemble: Ensemble
    tags: dict[str, str]  # group -> class
    notes: tuple[Note, ...]


@dataclass
class _Score:
    """What is fixed for one piece, and the notes so far."""

    style: Style
    ensemble: Ensemble
    tempo: float  # beats per minute
    scale: tuple[int, ...]
    key: int
    seconds: float
    draw: random.Random
    notes: list[Note] = field(default_factory=list)

    @property
    def bars(self) -> int:
        return int(self.seconds * self.tempo / 240) + 1

    def at(self, bar: int, step: float) -> float:
        """Seconds at which a step of a bar sounds, swing included."""
        beat, phase = divmod(step / 4, 1)
        late = self.style.swing
        phase = phase * 2 * late if phase < 0.5 else late + (phase - 0.5) * 2 * (1 - late)
        return (4 * bar + beat + phase) * 60 / self.tempo

    def add(self, part: str, place: tuple[int, int, int], pitch: int, velocity: int) -> None:
        """A note from one step to another of a bar."""
        bar, first, last = place
        start, end = self.at(bar, first), self.at(bar, last)
        if start < self.seconds - 0.03:
            length = 0.92 * (min(end, self.seconds) - start)
            self.notes.append(Note(part, start, max(length, 0.02), pitch, velocity))

    def degree(self, number: int) -> int:
        """Semitones above the key of a scale degree, octaves included."""
        octave, step = divmod(number, len(self.scale))
        return 12 * octave + self.scale[step]


def piece(seed: int, index: int, seconds: float) -> Piece:
    """The piece of that number."""
    draw = random.Random(f"{seed}:{index}")
    style = draw.choice(STYLES)
    tags = {
        "genre": style.genre,
        "ensemble": draw.choice(style.ensembles).name,
        "tempo": draw.choice(list(BEAT_ANGLES)),
        "density": draw.choice(DENSITIES),
        "mode": draw.choice(MODES),
    }
    return composed(tags, draw, seconds)


def tempo_of(band: str) -> float:
    """Beats per minute."""
    frame = seconds_of(1)
    return 60 * BEAT_ANGLES[band] / (2 * math.pi * frame)


def composed(tags: dict[str, str], draw: random.Random, seconds: float) -> Piece:
    """A piece of these classes; everything else is drawn."""
    style = BY_GENRE[tags["genre"]]
    ensemble = next(e for e in style.ensembles if e.name == tags["ensemble"])
    tempo, key = tempo_of(tags["tempo"]), draw.randrange(12)
    score = _Score(style, ensemble, tempo, SCALES[tags["mode"]], key, seconds, draw)
    turn = draw.choice(PROGRESSIONS[tags["mode"]])
    is_busy = tags["density"] == "busy"
    _chords(score, turn)
    _bass(score, turn)
    _drums(score, is_busy)
    _lead(score, turn, is_busy)
    return Piece(seconds, tempo, ensemble, tags, tuple(sorted(score.notes, key=_order)))


def _order(note: Note) -> tuple[float, str, int]:
    return note.start, note.part, note.pitch


def struck(pattern: str) -> Iterator[tuple[int, int, str]]:
    """(first step, step after the last, sign) of every sound in a pattern."""
    for first, sign in enumerate(pattern):
        if sign in ".-":
            continue
        last = first + 1
        while last < len(pattern) and pattern[last] == "-":
            last += 1
        yield first, last, sign


def _near(pitch: int, low: int) -> int:
    """The same note in the octave that begins at `low`."""
    return low + (pitch - low) % 12


def _tones(score: _Score, degree: int) -> list[int]:
    thirds = (0, 2, 4, 6) if score.style.sevenths else (0, 2, 4)
    return [score.key + score.degree(degree + third) for third in thirds]


def _chords(score: _Score, turn: tuple[int, ...]) -> None:
    pattern, low = score.draw.choice(score.style.chords), score.ensemble.chords.low
    for bar in range(score.bars):
        tones = sorted(_near(tone, low) for tone in _tones(score, turn[bar % len(turn)]))
        for first, last, sign in struck(pattern):
            accent = 84 if first % 8 == 0 else 74
            if sign == "x":
                for pitch in tones:
                    score.add("chords", (bar, first, last), pitch, accent)
            else:
                place = {"1": 0, "3": 1, "5": 2, "8": 3}[sign]
                pitch = [*tones[:3], tones[0] + 12][place]
                score.add("chords", (bar, first, last + 1), pitch, accent)


def _bass(score: _Score, turn: tuple[int, ...]) -> None:
    pattern, low = score.draw.choice(score.style.bass), score.ensemble.bass.low
    for bar in range(score.bars):
        degree = turn[bar % len(turn)]
        root = _near(score.key + score.degree(degree), low)
        for first, last, sign in struck(pattern):
            step = {"1": 0, "3": 2, "5": 4, "6": 5, "8": 7}[sign]
            pitch = root + score.degree(degree + step) - score.degree(degree)
            score.add("bass", (bar, first, last), pitch, 98 if first % 8 == 0 else 88)


def _drums(score: _Score, is_busy: bool) -> None:
    if score.ensemble.kit is None:
        return
    lines = score.draw.choice(score.style.drums)
    for bar in range(score.bars):
        for name, pattern in lines.items():
            soft = name in ("hat", "shaker", "ride", "open")
            # Time keeping thins out in a sparse piece and fills up in a busy one.
            keeps = soft and not is_busy
            for first, last, _ in struck(pattern):
                if not (keeps and name == "hat" and first % 4):
                    level = 66 if soft and first % 4 else 84 if soft else 104
                    score.add("drums", (bar, first, last), DRUM_KEYS[name], level)


def _lead(score: _Score, turn: tuple[int, ...], is_busy: bool) -> None:
    """A motif of two bars, moved along with the chords; every fourth time another one."""
    rhythms = score.style.busy if is_busy else score.style.sparse
    motifs = [_motif(score, rhythms) for _ in range(2)]
    low = score.ensemble.lead.low
    for bar in range(score.bars):
        motif = motifs[1 if bar % 8 in (6, 7) else 0][bar % 2]
        degree = turn[bar % len(turn)]
        for (first, last), step in motif:
            pitch = _near(score.key + score.degree(degree), low) + (
                score.degree(degree + step) - score.degree(degree)
            )
            score.add("lead", (bar, first, last), pitch, 106 if first % 4 == 0 else 96)


Motif = list[tuple[tuple[int, int], int]]  # ((first, last step), degrees above the chord's root)


def _motif(score: _Score, rhythms: tuple[str, ...]) -> tuple[Motif, Motif]:
    """Two bars: chord tones on the beats, steps between them."""
    bars, step = [], score.draw.choice((2, 4, 7))
    for _ in range(2):
        bar: Motif = []
        for first, last, _ in struck(score.draw.choice(rhythms)):
            if first % 4 == 0:
                step = _nearest_tone(step + score.draw.choice((-2, 0, 2)))
            else:
                step += score.draw.choice((-1, 1))
            step = max(-2, min(step, 9))
            bar.append(((first, last), step))
        bars.append(bar)
    return bars[0], bars[1]


def _nearest_tone(step: int) -> int:
    """The chord tone, in scale degrees above the root, that is closest."""
    return min((0, 2, 4, 7, 9), key=lambda tone: abs(tone - step))
