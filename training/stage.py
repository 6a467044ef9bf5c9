"""One resumable training: the loop that every stage runs.

    restore -> (lesson.loss -> gradients -> AdamW -> running mean) x steps -> save

A step's data and rate depend on its number alone, so an interrupted run goes on as if nothing
had happened. What is committed is the step, the seed and the log of losses. The running mean of
the weights, in 16 bits, and the optimizer's moments stay in the private folder. On another
machine the shipped checkpoint's weights are gone on from (kept.py), and a warm-up of 200 steps
rebuilds the moments.
"""

from __future__ import annotations

import json
import logging
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from acestep_core.atomic import replaced
from acestep_core.config import ModelConfig

from . import curves, weights
from .initial import centred, fresh
from .kept import STATE, kept
from .places import Places
from .sizes import SMALL
from .team import ALONE, Member

WARM_UP = 200  # steps, at the start and after the moments were lost
LAST_RATE = 0.02  # of the peak, at the last step
SAVE_SECONDS = 240.0
LOG_EVERY = 20  # steps

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """Where, with what and how long."""

    places: Places
    config: ModelConfig = SMALL
    device: str = "cpu"
    steps: int | None = None  # in all; None: as many as the stage wants
    rate: float | None = None  # falls from here over the steps that are left; None: as planned
    minutes: float | None = None  # of this piece of work
    batch: int | None = None
    seed: int = 0
    member: Member = ALONE


@dataclass(frozen=True)
class Course:
    """A stage's settings."""

    name: str
    steps: int
    rate: float
    betas: tuple[float, float] = (0.9, 0.95)
    mean: float = 0.999  # how slowly the running mean follows
    measure_every: int = 250
    first: int = 0  # step from which the rate falls

    def rate_at(self, step: int, since_start: int) -> float:
        """Warm-up from wherever moments are new, and half a cosine over all steps."""
        share = (step - self.first) / max(self.steps - self.first, 1)
        done = torch.tensor(torch.pi * min(share, 1.0))
        wave = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + float(done.cos()))
        return self.rate * wave * min(1.0, (since_start + 1) / WARM_UP)


class Lesson(Protocol):
    """What a stage teaches."""

    parts: Mapping[str, nn.Module]  # trained, later exported
    companions: Mapping[str, nn.Module]  # trained with them, kept on this machine
    opponents: Mapping[str, nn.Module]  # trained by the lesson itself, kept on this machine

    def loss(self, step: int, draw: torch.Generator) -> dict[str, Tensor]:
        """Named losses; the one called "loss" is followed."""
        ...

    def measure(self) -> dict[str, float]:
        """Figures on held-out clips."""
        ...


@dataclass
class Run:
    """The state of a stage between two steps."""

    job: Job
    course: Course
    lesson: Lesson
    step: int = 0
    fresh_since: int = 0  # the step at which the moments began
    seconds: float = 0.0  # spent on all steps so far
    means: weights.Tensors = field(default_factory=dict)

    def __post_init__(self) -> None:
        # decoupled weight decay: none on gains and biases, which have one axis or one row
        groups = [
            {"params": [p for p in self.parameters() if is_matrix(p) == matrix], "weight_decay": d}
            for matrix, d in ((True, 0.01), (False, 0.0))
        ]
        self.optimizer = torch.optim.AdamW(
            groups, lr=self.course.rate, betas=self.course.betas, fused=True
        )
        self.means = {name: p.detach().float().clone() for name, p in self.named()}

    def named(self) -> Iterator[tuple[str, nn.Parameter]]:
        yield from _named({**self.lesson.parts, **self.lesson.companions})

    def parameters(self) -> list[nn.Parameter]:
        return [parameter for _, parameter in self.named()]

    @property
    def folder(self) -> Path:
        return self.job.places.stage(self.course.name)

    @property
    def state(self) -> Path:
        return self.job.places.private(self.course.name) / "state.safetensors"

    def advance(self, loss: Tensor) -> None:
        """One step of the optimizer and of the running mean."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.course.rate_at(self.step, self.step - self.fresh_since)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.job.member.share(self.parameters())
        norm = nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        if bool(torch.isfinite(norm)):  # one bad batch must not spoil everything
            self.optimizer.step()
        # Early steps are forgotten faster.
        keep = min(self.course.mean, (self.step + 1) / (self.step + 10))
        with torch.no_grad():
            for name, parameter in self.named():
                self.means[name].lerp_(parameter.float(), 1 - keep)
        self.step += 1

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The networks hold their running means inside."""
        now = {name: p.detach().clone() for name, p in self.named()}
        with torch.no_grad():
            for name, parameter in self.named():
                parameter.copy_(self.means[name])
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in self.named():
                    parameter.copy_(now[name])

    # --- files -----------------------------------------------------------------------

    def save(self) -> None:
        """The exportable form and the private one; each file whole or not at all."""
        if not self.job.member.leads:
            return
        private = self.job.places.private(self.course.name)
        for part in self.lesson.parts:
            own = {
                name.removeprefix(f"{part}/"): tensor
                for name, tensor in self.means.items()
                if name.startswith(f"{part}/")
            }
            weights.write_part(own, part, self.job.config, private / f"{part}.safetensors")
        about = {
            "step": self.step,
            "seconds": round(self.seconds),
            "seed": self.job.seed,
            "course": asdict(self.course),
        }
        for folder in (private, self.folder):
            with replaced(folder / STATE) as temporary:
                temporary.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        self._save_private()

    def _save_private(self) -> None:
        kept = {"step": torch.tensor([self.step, self.fresh_since])}
        for name, parameter in self.named():
            moments = self.optimizer.state.get(parameter, {})
            kept[f"now/{name}"] = parameter.detach().float()
            kept[f"mean/{name}"] = self.means[name]
            if moments:
                kept[f"first/{name}"] = moments["exp_avg"]
                kept[f"second/{name}"] = moments["exp_avg_sq"]
        for name, parameter in _named(self.lesson.opponents):
            kept[f"opponent/{name}"] = parameter.detach()
        weights.write({name: t.cpu().contiguous() for name, t in kept.items()}, self.state)

    def restore(self) -> None:
        """Go on where the private state ends, or else where the kept weights do."""
        places, name = self.job.places, self.course.name
        found = [kept(places, name, part) for part in self.lesson.parts]
        ends = [(one.step, one.seconds) for one in found if one]
        if len(ends) < len(found):
            return
        self.step, self.seconds = min(ends)
        self.fresh_since = self.step
        if self.state.is_file():
            tensors = weights.read(self.state)
            if int(tensors["step"][0]) >= self.step:
                self._restore_private(tensors)

    def _restore_private(self, tensors: weights.Tensors) -> None:
        self.step, self.fresh_since = (int(value) for value in tensors["step"])
        with torch.no_grad():
            for name, parameter in self.named():
                parameter.copy_(tensors[f"now/{name}"])
                self.means[name] = _like(parameter, tensors[f"mean/{name}"])
                if f"first/{name}" in tensors:
                    self.optimizer.state[parameter] = {
                        "step": torch.tensor(float(self.step - self.fresh_since)),
                        "exp_avg": _like(parameter, tensors[f"first/{name}"]),
                        "exp_avg_sq": _like(parameter, tensors[f"second/{name}"]),
                    }
            for name, parameter in _named(self.lesson.opponents):
                parameter.copy_(tensors[f"opponent/{name}"])


def _like(parameter: Tensor, kept: Tensor) -> Tensor:
    """What was kept of a parameter, laid out as it is: sums run in the same order again."""
    return torch.empty_like(parameter, dtype=kept.dtype).copy_(kept)


def _named(networks: Mapping[str, nn.Module]) -> Iterator[tuple[str, nn.Parameter]]:
    for part, network in networks.items():
        for name, parameter in network.named_parameters():
            yield f"{part}/{name}", parameter


def is_matrix(parameter: Tensor) -> bool:
    return parameter.ndim > 1 and parameter.shape[0] > 1


def begun(job: Job, stage: str, part: str) -> nn.Module:
    """A stage's network: with the weights that it left, else with starting ones."""
    found = kept(job.places, stage, part)
    if found:
        network = weights.read_part(part, job.config, found.path)
    else:
        network = fresh(part, job.config, job.seed)
        if part == "vocoder":
            centred(network)
    return network.to(job.device)


def finished(job: Job, stage: str, part: str) -> Path:
    """The weights of a stage that another one needs."""
    found = kept(job.places, stage, part)
    if found is None:
        raise FileNotFoundError(
            f"No {part} of the stage {stage} is here: run `python -m training {stage}` first."
        )
    return found.path


def trained(job: Job, stage: str, part: str) -> nn.Module:
    """A finished stage's network, to be used and not changed."""
    network = weights.read_part(part, job.config, finished(job, stage, part))
    return network.to(job.device).eval().requires_grad_(False)


def drawing(seed: int, step: int) -> torch.Generator:
    """The random numbers of one step, whatever happened before it."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)


def mixed_precision(device: str) -> torch.autocast:
    return torch.autocast(torch.device(device).type, dtype=torch.bfloat16)


def teach(lesson: Lesson, course: Course, job: Job) -> Run:
    """Run a stage to its end, to the end of its minutes, or until it is interrupted."""
    run = Run(job, replace(course, steps=job.steps or course.steps), lesson)
    run.restore()
    if job.rate is not None:
        run.course = replace(run.course, rate=job.rate, first=run.step)
    course = run.course
    if not job.member.leads:
        _follow(run)
        return run
    journal = Journal(run.folder / "losses.jsonl", run.step)
    log.info("%s: step %d of %d", course.name, run.step, course.steps)
    began, saved = time.monotonic(), time.monotonic()
    before = run.seconds
    with ended_gently(), suppress(KeyboardInterrupt):
        while run.step < course.steps:
            losses = _losses(run)
            run.advance(losses["loss"])
            run.seconds = before + time.monotonic() - began
            journal.add(run, {name: float(value.detach()) for name, value in losses.items()})
            if run.step % course.measure_every == 0 or run.step == course.steps:
                with run.averaged():
                    journal.write(run, lesson.measure())
            if time.monotonic() - saved > SAVE_SECONDS:
                run.save()
                saved = time.monotonic()
            if job.minutes is not None and time.monotonic() - began > 60 * job.minutes:
                break
    run.save()
    curves.draw(journal.path, run.folder / curves.PICTURE, course.name)
    log.info("%s: stopped at step %d of %d", course.name, run.step, course.steps)
    return run


def _losses(run: Run) -> dict[str, Tensor]:
    draw = drawing(run.job.seed, run.job.member.draw_of(run.step))
    return run.lesson.loss(run.step, draw)


def _follow(run: Run) -> None:
    """A team's other members only take the steps."""
    while run.step < run.course.steps:
        run.advance(_losses(run)["loss"])


@contextmanager
def ended_gently() -> Iterator[None]:
    """A request to terminate counts as an interrupt, so that the state is saved."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Journal:
    """The log of losses: one JSON object a line; entries behind the restored step are dropped."""

    def __init__(self, path: Path, step: int) -> None:
        self.path, self.sums, self.count = path, {}, 0
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        kept = [line for line in lines if json.loads(line)["step"] <= step]
        with replaced(path) as temporary:
            temporary.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def add(self, run: Run, losses: dict[str, float]) -> None:
        """Collect; every few steps write the means."""
        for name, value in losses.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1
        if run.step % LOG_EVERY == 0:
            self.write(run, {name: total / self.count for name, total in self.sums.items()})
            self.sums, self.count = {}, 0

    def write(self, run: Run, figures: dict[str, float]) -> None:
        entry = {"step": run.step, "seconds": round(run.seconds, 1)}
        entry.update({name: round(value, 5) for name, value in figures.items()})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        log.info("%s", entry)
