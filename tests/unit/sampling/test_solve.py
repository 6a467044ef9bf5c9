"""Solvers on velocities whose answer is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from acestep_core.sampling.schedule import Step, sigmas, steps_of
from acestep_core.sampling.solve import (
    SOLVERS,
    Solver,
    as_they_are,
    euler,
    evaluations,
    heun,
    mean_shift_batch,
    mean_shift_item,
    omega,
    pingpong,
)
from acestep_core.settings import SOLVER_NAMES

Drawn = Callable[..., Tensor]


def silent(x: Tensor) -> Tensor:
    return torch.zeros_like(x)


def walked(
    solver: Solver, field: Callable[[Tensor, Step], Tensor], x: Tensor, steps: int
) -> Tensor:
    for step in steps_of(sigmas(steps)):
        x = solver(field, x, step)
    return x


@pytest.mark.parametrize(
    ("granularity", "factor"),
    [
        (-100, 0.90001),
        (-30, 0.90949),
        (-10, 0.95379),
        (0, 1),
        (5, 1.02449),
        (10, 1.04621),
        (20, 1.07616),
        (100, 1.09999),
    ],
)
def test_omega(granularity: float, factor: float) -> None:
    assert omega(granularity) == pytest.approx(factor, abs=5e-6)


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_a_straight_line_ends_exactly_at_its_origin(name: str, steps: int, drawn: Drawn) -> None:
    """v = z - x0, the same everywhere: every solver must arrive at x0."""
    origin, z = drawn(2, 8, 16, 5), drawn(2, 8, 16, 5, seed=1)
    solver = SOLVERS[name](as_they_are, lambda x: z)
    end = walked(solver, lambda x, step: z - origin, z, steps)
    assert torch.allclose(end, origin, atol=1e-5)


def test_heun_is_exact_where_euler_is_not() -> None:
    """v = -2 sigma integrates to 1 - sigma^2; the trapezium rule is exact on straight lines."""
    field = lambda x, step: torch.full_like(x, -2 * step.sigma)  # noqa: E731
    start = torch.zeros(1, 1, 1, 1, dtype=torch.float64)
    by_heun = walked(heun(as_they_are, silent), field, start, 5)
    by_euler = walked(euler(as_they_are, silent), field, start, 5)
    # Its last step is plain Euler, from sigma 1/112.
    assert by_heun.item() == pytest.approx(1 + (1 / 112) ** 2, abs=1e-12)
    assert by_euler.item() > 1.1


def test_first_steps_of_euler_and_heun() -> None:
    x = torch.tensor([1.0, -1, 2, 0], dtype=torch.float64).reshape(1, 1, 1, 4)
    first = torch.tensor([0.5, 1, -0.5, 2], dtype=torch.float64).reshape(x.shape)
    second = torch.tensor([0.25, 0.5, 0, 1], dtype=torch.float64).reshape(x.shape)
    step = steps_of(sigmas(4))[0]
    rescale = mean_shift_batch(10)
    moved = euler(rescale, silent)(lambda x, s: first, x, step).flatten().tolist()
    assert moved == pytest.approx([0.9304903, -1.1439518, 2.0793743, -0.2928358], abs=2e-7)
    field = lambda x, s: first if s.index == 0 else second  # noqa: E731
    moved = heun(rescale, silent)(field, x, step).flatten().tolist()
    assert moved == pytest.approx([0.9480731, -1.1077583, 2.0411258, -0.2194213], abs=2e-7)


def test_heuns_second_question_is_about_the_next_step() -> None:
    asked: list[tuple[int, float, float]] = []

    def field(x: Tensor, step: Step) -> Tensor:
        asked.append((step.index, step.sigma, x.mean().item()))
        return torch.ones_like(x)

    walked(heun(as_they_are, silent), field, torch.zeros(1, 1, 1, 2, dtype=torch.float64), 3)
    levels = sigmas(3).tolist()
    expected = [(0, levels[0]), (1, levels[1]), (1, levels[1]), (2, levels[2]), (2, levels[2])]
    assert [(index, sigma) for index, sigma, _ in asked] == expected
    assert len(asked) == evaluations("heun", 3)
    assert asked[1][2] == pytest.approx(levels[1] - levels[0])  # at the predicted point


def test_pingpong_adds_fresh_noise_and_ignores_granularity(drawn: Drawn) -> None:
    x, v, noise = drawn(1, 8, 16, 3), drawn(1, 8, 16, 3, seed=1), drawn(1, 8, 16, 3, seed=2)
    step = Step(0, 2, 0.8, 0.5)
    solver = pingpong(mean_shift_item(100), lambda x: noise)
    expected = 0.5 * (x - 0.8 * v) + 0.5 * noise
    assert torch.allclose(solver(lambda x, s: v, x, step), expected)


def test_granularity_spreads_about_the_mean(drawn: Drawn) -> None:
    increment = drawn(2, 8, 16, 3) + torch.tensor([0.0, 5.0]).reshape(2, 1, 1, 1)
    for rescale in (mean_shift_batch(20), mean_shift_item(20)):
        spread = rescale(increment)
        assert spread.mean() == pytest.approx(increment.mean().item(), abs=1e-5)
    by_item = mean_shift_item(20)(increment)
    assert torch.allclose(by_item[:1], mean_shift_batch(20)(increment[:1]), atol=1e-6)
    assert torch.equal(by_item[1:], mean_shift_item(20)(increment[1:]))
    assert not torch.allclose(mean_shift_batch(20)(increment), by_item, atol=0.1)


@pytest.mark.parametrize(
    ("name", "steps", "count"),
    [("euler", 60, 60), ("pingpong", 60, 60), ("heun", 60, 119), ("heun", 1, 1), ("heun", 0, 0)],
)
def test_evaluations(name: str, steps: int, count: int) -> None:
    assert evaluations(name, steps) == count


def test_every_name_has_a_solver() -> None:
    assert tuple(SOLVERS) == SOLVER_NAMES
