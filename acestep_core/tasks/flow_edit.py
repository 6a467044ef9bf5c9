"""Edit: the way from a source to other tags or lyrics, without inverting it (flow-edit).

    part 1, steps a to b   y moves by the target's velocity minus the source's, both seen
                           under the same fresh noise
    part 2, steps b to N   the rest as ordinary sampling under the target

Of the settings the original reads steps and the guidance scale alone; it always runs APG,
guided at every step, with Euler (part 2 also with pingpong).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..sampling.guidance import GuidanceWindow, Predict, Rule, apg, branches_of, guided, rule_of
from ..sampling.loop import Enter, Plan, Stage, as_it_is, observe
from ..sampling.noise import Stream
from ..sampling.schedule import Step
from ..sampling.solve import Draw, Field, Solver, as_they_are, euler, evaluations, pingpong
from ..types import Edit, Source
from .kit import Kit, at_level

BRANCHES = 2  # cond and null


def momentum_of_source() -> tuple[Rule, Rule]:
    """Rules of source and target in part 1 as the original has them: the target forgets.

    So an edit to the very same tags and lyrics still changes the clip.
    """
    return apg(), apg(momentum=0.0)


def momentum_of_both() -> tuple[Rule, Rule]:
    """Rules of source and target that treat both alike."""
    return apg(), apg()


def edit(task: Edit, source: Source, kit: Kit) -> Plan:
    canvas, steps = kit.canvas(source.latent), kit.steps()
    stream, count = kit.start().retake, len(steps)
    stop = int(count * task.stop)
    start = min(int(count * task.start), stop)
    draw = kit.behaviour.step_noise(stream)
    followed = difference(*_fields(task, kit, count), canvas, draw, task.average)
    stages = [Stage(as_it_is, steps[start:stop], followed, _plain_euler())]
    if stop < count:
        enter = shifted_by_noise(canvas, draw, steps[stop].sigma)
        field = _field(kit, kit.predict, apg(), count, task.extended)
        solver = _second_solver(task, kit, stream)
        stages.append(Stage(enter, steps[stop:], field, solver))
    first = 2 * task.average * (stop - start)
    return Plan(canvas, stages, first + evaluations(_name(task, kit), count - stop))


def difference(
    source_field: Field, target_field: Field, source: Tensor, draw: Draw, average: int
) -> Field:
    """The target's velocity at y minus the source's at the source, under the same noise."""

    def field(y: Tensor, step: Step) -> Tensor:
        total = torch.zeros_like(y)
        for _ in range(average):
            noisy = at_level(source, draw(source), step.sigma)
            # Grouped so that y = source asks both fields about the very same point.
            away = source_field(noisy, step)
            total = total + (target_field(noisy + (y - source), step) - away) / average
        return total

    return field


def shifted_by_noise(source: Tensor, draw: Draw, sigma: float) -> Enter:
    """From y to a point that ordinary sampling can go on from."""
    return lambda y: y + sigma * (draw(source) - source)


def _fields(task: Edit, kit: Kit, count: int) -> tuple[Field, Field]:
    assert kit.predict_source is not None, "an edit needs the source's conditions"
    source_rule, target_rule = kit.behaviour.edit_rules()
    return (
        _field(kit, kit.predict_source, source_rule, count, task.extended),
        _field(kit, kit.predict, target_rule, count, task.extended),
    )


def _field(kit: Kit, predict: Predict, rule: Rule, count: int, extended: bool) -> Field:
    """Guided at every step by this rule, or, extended, as the guidance settings say."""
    settings = kit.guidance
    if extended:
        window, branches = GuidanceWindow.of(settings, count), branches_of(settings)
        return observe(guided(predict, rule_of(settings), window, branches), kit.see)
    always = GuidanceWindow(0, count, settings.scale, settings.scale, 0.0)
    used = rule if settings.is_active else None
    return observe(guided(predict, used, always, BRANCHES), kit.see)


def _plain_euler() -> Solver:
    return euler(as_they_are, lambda x: x)


def _name(task: Edit, kit: Kit) -> str:
    """The solver of part 2."""
    name = kit.sampling.solver
    return name if task.extended or name == "pingpong" else "euler"


def _second_solver(task: Edit, kit: Kit, stream: Stream) -> Solver:
    if task.extended:
        return kit.solver(stream)
    if kit.sampling.solver == "pingpong":
        return pingpong(as_they_are, kit.behaviour.step_noise(stream))
    return _plain_euler()
