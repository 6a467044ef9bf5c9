"""What an edit changed, in numbers: nobody should have to guess whether the rest stayed as it was.

    source, result, regions -> compared -> Change     outside, at the edges, inside
    Change, levels, steps   -> EditReport             as text, and as data for JSON

Steps at an edge are those between the 0.1 s before and the 0.1 s after it. Music has steps of
its own, so each stands beside the step that the source has there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from statistics import median

import torch
from torch import Tensor
from torch.nn.functional import pad

from ..sound.flaws import NEAR, is_click
from ..sound.loudness import Matching, decibels
from ..sound.track import Joined, Patched, Track
from ..types import Region
from .splice import samples_of

BESIDE = 0.1  # seconds on each side of an edge
LOOK = 0.05  # seconds of one spectrum inside a region
BANDS, LOWEST_HZ, HIGHEST_HZ = 24, 50.0, 16_000.0
FLOOR = 1e-10  # power; -100 dB counts as silence
BLOCK = 1 << 22  # samples compared at a time

FEW_STEPS = 0.1  # a share of the steps that hardly changes anything
SAME = -40.0  # dB of the source: an edit that changed less did nothing

Json = dict[str, object]


@dataclass(frozen=True)
class Edge:
    """Where kept and new meet: what comes after minus what comes before, in dB."""

    seconds: float
    level: float
    own_level: float  # the source's step there; beside an extension, its usual size
    spectrum: float  # root mean square over bands, 0 = the same sound
    own_spectrum: float
    clicks: bool = False  # a step of one sample that is nowhere near by


@dataclass(frozen=True)
class Change:
    """What a result changed against its source."""

    outside: float | None  # dB of the source's peak, -inf = bit-identical; None = all is new
    edges: tuple[Edge, ...]
    inside: float | None  # rms of the difference, dB of the source's; None = no source there
    spectrum: float | None  # mean log-spectral distance inside, dB


@dataclass(frozen=True)
class EditReport:
    task: str
    seed: int
    seconds: float  # length of the result
    regions: tuple[tuple[float, float], ...]  # what is new, in seconds of the result
    change: Change
    steps_run: int
    steps: int
    levels: tuple[Matching, ...] = ()  # one for each part that was made
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_data(self) -> Json:
        """For JSON; -inf dB is None there, and `outside_identical` tells it from "all is new"."""
        identical = {"outside_identical": self.change.outside == -math.inf}
        return {**_finite(asdict(self)), **identical}  # type: ignore[dict-item]

    def text(self) -> str:
        lines = [self._heading(), *_lines_of(self.change)]
        lines.append(f"Steps re-sampled: {self.steps_run} of {self.steps}")
        for level in self.levels:
            lines.append(
                f"Loudness: source {level.source:.1f} {level.unit}, new part {level.before:.1f},"
                f" after {level.gain:+.1f} dB {level.after:.1f}, peak {level.peak_after:.1f} dBTP"
            )
        lines += [f"Note: {note}" for note in self.notes]
        lines += [f"Warning: {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def _heading(self) -> str:
        stretches = ", ".join(f"{start:.2f}-{end:.2f} s" for start, end in self.regions)
        return (
            f"{self.task}, seed {self.seed}: new {stretches or 'nothing'} of {self.seconds:.2f} s"
        )


def _lines_of(change: Change) -> list[str]:
    lines = []
    if change.outside == -math.inf:
        lines.append("Outside: the source, sample for sample (-inf dB)")
    elif change.outside is not None:
        lines.append(f"Outside: changed by up to {change.outside:.1f} dB of the source's peak")
    for edge in change.edges:
        lines.append(
            f"Edge at {edge.seconds:.2f} s: level step {edge.level:+.1f} dB (source"
            f" {edge.own_level:+.1f}), spectral step {edge.spectrum:.1f} dB (source"
            f" {edge.own_spectrum:.1f})"
        )
    if change.inside is not None and change.spectrum is not None:
        lines.append(
            f"Inside: difference {change.inside:.1f} dB of the source, spectral distance"
            f" {change.spectrum:.1f} dB"
        )
    return lines


def _finite(value: object) -> object:
    """The same without infinities and NaN, which JSON does not know."""
    if isinstance(value, dict):
        return {key: _finite(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def compared(source: Track, result: Track, regions: Sequence[Region]) -> Change:
    """Change of a result against its source, of the same length; the regions are resolved."""
    length, rate = source.samples, source.rate
    new = [samples_of(region, rate, length) for region in regions]
    places = [place for span in new for place in span if 0 < place < length]
    edges = (_edge(source, result, place) for place in places)
    return Change(
        outside=_outside(source, result, _between(new, length)),
        edges=tuple(edge for edge in edges if edge),
        inside=_difference(source, result, new),
        spectrum=_distance(source, result, new),
    )


def compared_extension(source: Track, result: Track, before: int) -> Change:
    """Change of a result (C, N') that holds its source (C, N) from sample `before` on."""
    length, total = source.samples, result.samples
    places = [place for place in (before, before + length) if 0 < place < total]
    edges = [_join(source, result, place, place == before) for place in places]
    outside = _outside(source, result, [(0, length)], before)
    return Change(outside, tuple(edge for edge in edges if edge), None, None)


def _between(spans: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """What of a clip lies outside these spans."""
    ends = [0, *(last for _, last in spans)]
    starts = [*(first for first, _ in spans), length]
    return [(end, start) for end, start in zip(ends, starts, strict=True) if end < start]


def _outside(
    source: Track, result: Track, kept: Sequence[tuple[int, int]], before: int = 0
) -> float | None:
    """Largest change within the spans, in dB of the source's peak. The source begins at sample
    `before` of the result."""
    if not kept:
        return None
    spans = _not_the_same(source, result, kept)
    largest, peak = 0.0, 0.0
    for first, last in _blocks(spans):
        difference = result.part(first + before, last + before) - source.part(first, last)
        largest = max(largest, float(difference.abs().max()))
    if not largest:
        return -math.inf
    for first, last in _blocks(kept):
        peak = max(peak, float(source.part(first, last).abs().max()))
    return decibels(largest) - decibels(peak or 1.0)


def _not_the_same(
    source: Track, result: Track, kept: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """What of the spans the result does not hand on from the source as it is."""
    if isinstance(result, Joined) and any(track is source for track in result.tracks):
        return []
    if not (isinstance(result, Patched) and result.source is source):
        return list(kept)
    return [
        (max(first, patch.first), min(last, patch.last))
        for first, last in kept
        for patch in result.patches
        if max(first, patch.first) < min(last, patch.last)
    ]


def _blocks(spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for first, last in spans:
        for start in range(first, last, BLOCK):
            yield start, min(start + BLOCK, last)


def _difference(source: Track, result: Track, spans: Sequence[tuple[int, int]]) -> float | None:
    """Power of the change within the spans, in dB of the source's power there."""
    changed = power = 0.0
    for first, last in _blocks(spans):
        before, after = source.part(first, last).double(), result.part(first, last).double()
        changed += float((after - before).square().sum())
        power += float(before.square().sum())
    if not power:  # silence changed into anything is a new sound, into silence nothing
        return None if changed else -math.inf
    return decibels(math.sqrt(changed)) - decibels(math.sqrt(power))


def _distance(source: Track, result: Track, spans: Sequence[tuple[int, int]]) -> float | None:
    """Log-spectral distance within the spans: root mean square over bands, mean over time."""
    total, count, rate = 0.0, 0, source.rate
    for first, last in _blocks(spans):
        size = max(round(LOOK * rate), 8)
        before, after = (
            band_levels(track.part(first, last), rate, size) for track in (source, result)
        )
        found = (after - before).square().mean(-1).sqrt()
        total, count = total + float(found.sum()), count + len(found)
    return total / count if count else None


def band_levels(wave: Tensor, rate: int, size: int) -> Tensor:
    """wave (C, N) -> (looks, bands): dB of each band in looks of `size` samples, side by side."""
    wave = pad(wave, (0, -wave.shape[-1] % size))
    looks = wave.unfold(-1, size, size) * torch.hann_window(size).to(wave)
    power = torch.fft.rfft(looks).abs().square().mean(0) * (
        16 / 3 / size**2
    )  # of a Hann window's one side
    hertz = torch.fft.rfftfreq(size, 1 / rate)
    highest = min(HIGHEST_HZ, rate / 2)
    edges = torch.logspace(math.log10(LOWEST_HZ), math.log10(highest), BANDS + 1)
    band = torch.bucketize(hertz, edges)  # 0 and BANDS + 1 lie outside
    bins = torch.bincount(band, minlength=BANDS + 2)[1 : BANDS + 1]
    sums = power.new_zeros(len(power), BANDS + 2).index_add_(1, band, power)[:, 1 : BANDS + 1]
    return 10 * torch.log10(sums[:, bins > 0] + FLOOR)


def _edge(source: Track, result: Track, place: int) -> Edge | None:
    """The steps at a place that result and source share."""
    found, own = _steps(result, place), _steps(source, place)
    if found is None or own is None:
        return None
    clicks = _clicks(result, place) and not _clicks(source, place)
    return Edge(place / source.rate, found[0], own[0], found[1], own[1], clicks)


def _join(source: Track, result: Track, place: int, is_start: bool) -> Edge | None:
    """The steps at a join, beside the usual ones of the source's nearest seconds."""
    found = _steps(result, place)
    size, length = round(BESIDE * source.rate), source.samples
    near = [(2 * index + 1) * size for index in range(10)]
    inner = (at if is_start else length - at for at in near if size <= at <= length - size)
    usual = [step for at in inner if (step := _steps(source, at))]
    if found is None or not usual:
        return None
    level, spectrum = (median(abs(step[side]) for step in usual) for side in (0, 1))
    return Edge(place / source.rate, found[0], level, found[1], spectrum, _clicks(result, place))


def _clicks(track: Track, place: int) -> bool:
    start, end = max(place - NEAR, 0), min(place + NEAR, track.samples)
    return is_click(track.part(start, end), place - start)


def _steps(track: Track, place: int) -> tuple[float, float] | None:
    """(level step, spectral step) in dB at a sample of a track; None where too little is."""
    size = min(round(BESIDE * track.rate), place, track.samples - place)
    if size < 16:
        return None
    before, after = track.part(place - size, place), track.part(place, place + size)
    powers = [float(part.double().square().mean()) + FLOOR for part in (before, after)]
    spectra = [band_levels(part, track.rate, size)[0] for part in (before, after)]
    spectrum = float((spectra[1] - spectra[0]).square().mean().sqrt())
    return 10 * math.log10(powers[1] / powers[0]), spectrum


def step_warnings(run: int, steps: int) -> list[str]:
    """Why so few steps hardly change anything."""
    if run >= steps or run > max(1, int(FEW_STEPS * steps)):
        return []
    return [
        f"Only {run} of {steps} steps are re-sampled, so the result stays close to the source."
        " Raise the variance (0.5 is usual), or lower the strength or the edit start."
    ]


def change_warnings(change: Change) -> list[str]:
    places = [f"{edge.seconds:.2f}" for edge in change.edges if edge.clicks]
    clicks = [f"There may be a click at {', '.join(places)} s. Raise crossfade."] * bool(places)
    if change.inside is None or change.inside > SAME:
        return clicks
    return [
        *clicks,
        f"Almost nothing changed ({change.inside:.0f} dB of the source). Raise the variance, or"
        " move the edit start towards 0.",
    ]
