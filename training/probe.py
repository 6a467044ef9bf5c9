"""Which tags can be heard: a linear probe trained and judged on real clips.

    clips -> features -> one linear classifier per group of tags -> accuracy on held-out clips

A group may be used as a tag from 90 % on. The same classifiers judge generated clips later.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from acestep_core.atomic import replaced

from .data import SHORT, Clip, Clips
from .features import features
from .places import Places

NEEDED = 0.9  # share of held-out clips that must be recognised
GROUPS = ("genre", "ensemble", "tempo", "density", "mode")
DECAY = 3e-3  # weight decay; there are about as many features as clips

Mels = Callable[[Clip], Tensor]  # log-mel (2, 128, M) of a clip

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Probe:
    """A linear classifier over features."""

    classes: tuple[str, ...]
    centre: Tensor  # (F,)
    scale: Tensor  # (F,)
    weight: Tensor  # (F + 1, classes)

    def scores(self, x: Tensor) -> Tensor:
        """Features (N, F) -> (N, classes)."""
        return _with_one((x - self.centre) / self.scale) @ self.weight

    def name(self, x: Tensor) -> list[str]:
        return [self.classes[index] for index in self.scores(x).argmax(-1).tolist()]


@dataclass(frozen=True)
class Verdict:
    """How well a group of tags is read from held-out clips."""

    classes: int
    chance: float
    accuracy: float
    clips: int
    per_class: dict[str, float]

    @property
    def is_usable(self) -> bool:
        return self.accuracy >= NEEDED


def _with_one(x: Tensor) -> Tensor:
    return F.pad(x, (0, 1), value=1.0)


def fit(x: Tensor, labels: list[str]) -> Probe:
    """Multinomial logistic regression, solved to the end; the same data give the same probe."""
    classes = tuple(sorted(set(labels)))
    target = torch.tensor([classes.index(label) for label in labels])
    centre, scale = x.mean(0), x.std(0).clamp(min=1e-3)
    inputs = _with_one((x - centre) / scale)
    weight = torch.zeros(inputs.shape[1], len(classes), requires_grad=True)
    solver = torch.optim.LBFGS([weight], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        loss = F.cross_entropy(inputs @ weight, target) + DECAY * weight[:-1].square().sum()
        loss.backward()
        return loss

    solver.step(closure)
    return Probe(classes, centre, scale, weight.detach())


def judged(probe: Probe, x: Tensor, labels: list[str]) -> Verdict:
    """Accuracy of a probe on clips it was not trained on."""
    hits: dict[str, list[bool]] = {label: [] for label in probe.classes}
    for said, label in zip(probe.name(x), labels, strict=True):
        hits.setdefault(label, []).append(said == label)
    right = [hit for row in hits.values() for hit in row]
    shares = {label: sum(row) / len(row) for label, row in hits.items() if row}
    count = len(probe.classes)
    return Verdict(count, 1 / count, sum(right) / max(len(right), 1), len(right), shares)


def table(clips: list[Clip], mels: Mels) -> Tensor:
    """Features (N, F) of clips."""
    return torch.stack([features(mels(clip)) for clip in clips])


def probes(places: Places, mels: Mels | None = None) -> dict[str, tuple[Probe, Verdict]]:
    """Group -> its probe and verdict, over clips of 10 s. `mels` may go through a codec."""
    clips = Clips(places.data)

    def mel_of(clip: Clip) -> Tensor:
        return (mels or clips.mel)(clip)

    training = [clip for clip in clips.training if clips.frames(clip) == SHORT]
    held_out = [clip for clip in clips.held_out if clips.frames(clip) == SHORT]
    x, y = table(training, mel_of), table(held_out, mel_of)
    result = {}
    for group in GROUPS:
        probe = fit(x, [clip.tags[group] for clip in training])
        verdict = judged(probe, y, [clip.tags[group] for clip in held_out])
        log.info("%s: %.3f of %d clips", group, verdict.accuracy, verdict.clips)
        result[group] = (probe, verdict)
    return result


def run(places: Places, mels: Mels | None = None, name: str = "real") -> dict[str, Verdict]:
    """Judge every group and write the verdicts to runs/probe/<name>.json."""
    verdicts = {group: verdict for group, (_, verdict) in probes(places, mels).items()}
    listed = {
        group: {**asdict(verdict), "usable": verdict.is_usable}
        for group, verdict in verdicts.items()
    }
    with replaced(report(places, name)) as temporary:
        temporary.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
    return verdicts


def report(places: Places, name: str = "real") -> Path:
    return places.stage("probe") / f"{name}.json"


def usable(places: Places) -> tuple[str, ...]:
    """Groups that passed on real clips; before the probe has run, those it was made for."""
    path = report(places)
    if not path.is_file():
        return ("genre", "ensemble", "tempo")
    verdicts = json.loads(path.read_text(encoding="utf-8"))
    return tuple(group for group, verdict in verdicts.items() if verdict["usable"])
