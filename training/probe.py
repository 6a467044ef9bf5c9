"""Which tags can be heard: a linear probe trained and judged on real clips.

    clips -> features -> one linear classifier per group of tags -> accuracy on held-out clips

A group may be used as a tag from 90 % on. The classifiers that judge generated clips have seen
clips and their round trips through the codec, so that they do not take the codec's blur for a
style; they are kept in `judges/`.
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

from . import weights
from .data import SHORT, Clip, Clips
from .features import features
from .places import JUDGES, Places

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


def short(clips: list[Clip], all_clips: Clips) -> list[Clip]:
    return [clip for clip in clips if all_clips.frames(clip) == SHORT]


def probes(places: Places, mels: Mels | None = None) -> dict[str, tuple[Probe, Verdict]]:
    """Group -> its probe and verdict on real clips. `mels` adds clips through a codec to what it
    learns from, a third of them: those cost a decoding each."""
    clips = Clips(places.data)
    training, held_out = short(clips.training, clips), short(clips.held_out, clips)
    x, y = table(training, clips.mel), table(held_out, clips.mel)
    if mels is not None:
        decoded = training[::3]
        x, training = torch.cat((x, table(decoded, mels))), training + decoded
    result = {}
    for group in GROUPS:
        probe = fit(x, [clip.tags[group] for clip in training])
        verdict = judged(probe, y, [clip.tags[group] for clip in held_out])
        log.info("%s: %.3f of %d clips", group, verdict.accuracy, verdict.clips)
        result[group] = (probe, verdict)
    return result


def run(places: Places, mels: Mels | None = None) -> dict[str, Verdict]:
    """Judge every group on held-out clips, as they are and through the codec if there is one.

    Writes runs/probe/real.json, and with a codec codec.json and the probes into judges/.
    """
    found = probes(places, mels)
    verdicts = {group: verdict for group, (_, verdict) in found.items()}
    _write(verdicts, report(places))
    if mels is not None:
        clips = Clips(places.data)
        held_out = short(clips.held_out, clips)
        y = table(held_out, mels)
        through = {
            group: judged(probe, y, [clip.tags[group] for clip in held_out])
            for group, (probe, _) in found.items()
        }
        _write(through, report(places, "codec"))
        save({group: probe for group, (probe, _) in found.items()}, places.judges)
    return verdicts


def _write(verdicts: dict[str, Verdict], path: Path) -> None:
    listed = {
        group: {**asdict(verdict), "usable": verdict.is_usable}
        for group, verdict in verdicts.items()
    }
    with replaced(path) as temporary:
        temporary.write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")


def save(probes: dict[str, Probe], folder: Path) -> None:
    """probe.safetensors in 16 bits, and the classes' names beside it."""
    tensors = {
        f"{group}.{name}": getattr(probe, name).half().contiguous()
        for group, probe in probes.items()
        for name in ("centre", "scale", "weight")
    }
    weights.write(tensors, folder / "probe.safetensors")
    names = {group: probe.classes for group, probe in probes.items()}
    with replaced(folder / "classes.json") as temporary:
        temporary.write_text(json.dumps(names, indent=2) + "\n", encoding="utf-8")


def saved(folder: Path = JUDGES) -> dict[str, Probe]:
    """The probes that judge generated clips."""
    tensors = weights.read(folder / "probe.safetensors")
    names = json.loads((folder / "classes.json").read_text(encoding="utf-8"))
    parts = ("centre", "scale", "weight")
    return {
        group: Probe(tuple(classes), *(tensors[f"{group}.{name}"].float() for name in parts))
        for group, classes in names.items()
    }


def report(places: Places, name: str = "real") -> Path:
    return places.stage("probe") / f"{name}.json"


def usable(places: Places) -> tuple[str, ...]:
    """Groups that passed on real clips; before the probe has run, those it was made for."""
    path = report(places)
    if not path.is_file():
        return ("genre", "ensemble", "tempo")
    verdicts = json.loads(path.read_text(encoding="utf-8"))
    return tuple(group for group, verdict in verdicts.items() if verdict["usable"])
