from __future__ import annotations

import torch
from torch import Tensor

from acestep_core.sampling.loop import (
    Stage,
    as_it_is,
    by_evaluation,
    by_step,
    hold_nothing,
    leave_all,
    observe,
    run,
)
from acestep_core.sampling.schedule import Step, steps_of
from acestep_core.sampling.solve import Field, as_they_are, heun

STEPS = steps_of(torch.tensor([1.0, 0.5, 0.25, 0.0]))


def test_the_order_of_a_run() -> None:
    """enter, solve and hold for every step, leave: stage after stage, each with its own canvas."""
    order: list[str] = []

    def stage(name: str, steps: list[Step]) -> Stage:
        def enter(x: Tensor) -> Tensor:
            order.append(f"{name} enter {x.item():g}")
            return x + 10

        def solve(field: Field, x: Tensor, step: Step) -> Tensor:
            order.append(f"solve {step.index}")
            return field(x, step)

        def hold(canvas: Tensor, x: Tensor, step: Step) -> Tensor:
            order.append(f"hold {step.index} over {canvas.item():g}")
            return x + 100

        def leave(canvas: Tensor, x: Tensor) -> Tensor:
            order.append(f"leave {canvas.item():g}")
            return x + 1000

        return Stage(enter, steps, lambda x, step: x + 1, solve, hold, leave)

    end = run([stage("a", STEPS[:2]), stage("b", STEPS[2:])], torch.zeros(1))
    expected = "a enter 0,solve 0,hold 0 over 0,solve 1,hold 1 over 0,leave 0,"
    expected += "b enter 1212,solve 2,hold 2 over 1212,leave 1212"
    assert ",".join(order) == expected
    assert end.item() == 10 + 2 * 101 + 1000 + 10 + 101 + 1000


def test_without_stages_the_canvas_is_the_result() -> None:
    x = torch.ones(1)
    assert run([], x) is x
    assert as_it_is(x) is x
    other = torch.zeros(1)
    assert hold_nothing(other, x, STEPS[0]) is x
    assert leave_all(other, x) is x


def test_watching_changes_nothing_and_sees_every_velocity() -> None:
    seen: list[tuple[int, float, float]] = []
    field = observe(
        lambda x, step: 2 * x, lambda step, x, v: seen.append((step.index, x.item(), v.item()))
    )
    assert field(torch.tensor(3.0), STEPS[1]).item() == 6
    assert seen == [(1, 3.0, 6.0)]


def test_windows_count_steps_or_evaluations() -> None:
    def indices(counted: Field) -> None:
        x = torch.zeros(1)
        for step in STEPS:
            x = heun(as_they_are, torch.zeros_like)(counted, x, step)

    by_schedule: list[int] = []
    indices(by_step(lambda x, step: by_schedule.append(step.index) or x))
    assert by_schedule == [0, 1, 1, 2, 2]
    by_call: list[int] = []
    indices(by_evaluation(lambda x, step: by_call.append(step.index) or x))
    assert by_call == [0, 1, 2, 3, 4]
