"""The numbers are the original's, on tensors of two values in float64."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from acestep_core.sampling.guidance import (
    GUIDANCE,
    GuidanceWindow,
    apg,
    branches_of,
    cfg,
    cfg_star,
    double,
    guided,
    project,
    rule_of,
)
from acestep_core.sampling.schedule import Step, sigmas, steps_of
from acestep_core.settings import GUIDANCE_KINDS
from acestep_core.types import Guidance

Drawn = Callable[..., Tensor]


def two(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(1, 1, 1, 2)


def at(index: int) -> Step:
    return Step(index, 60, 0.5, 0.4)


COND, NULL = two(3, 4), two(1, 0)


# --- rules -------------------------------------------------------------------------------


def test_apg_remembers_its_difference() -> None:
    rule = apg()
    first = rule([COND, NULL], at(15), 15).flatten().tolist()
    assert first == pytest.approx([-2.0087922696, 7.7565942022], abs=1e-9)
    second = rule([two(2, 1), two(1.5, 0.5)], at(16), 15).flatten().tolist()
    assert second == pytest.approx([12.3989389379, -19.7978778758], abs=1e-9)


def test_apg_begins_every_run_afresh() -> None:
    used, fresh = apg(), apg()
    used([two(9, 9), NULL], at(0), 15)
    assert not torch.equal(used([COND, NULL], at(1), 15), fresh([COND, NULL], at(1), 15))
    assert torch.equal(apg()([COND, NULL], at(1), 15), apg()([COND, NULL], at(1), 15))


def test_apg_without_momentum_has_no_memory() -> None:
    rule = apg(momentum=0)
    rule([two(9, 9), NULL], at(0), 15)
    assert torch.equal(rule([COND, NULL], at(1), 15), apg()([COND, NULL], at(1), 15))


def test_apg_is_bounded_for_each_item_and_channel(drawn: Drawn) -> None:
    """However far apart the branches are, the change is (scale - 1) x 2.5 at most."""
    cond, null = 100 * drawn(2, 8, 16, 9), 100 * drawn(2, 8, 16, 9, seed=1)
    change = (apg()([cond, null], at(0), 15) - cond).norm(dim=(-2, -1))
    assert change.shape == (2, 8)
    assert change.max() <= 14 * 2.5 * 1.0001
    assert change.min() > 14 * 1.25  # and the bound is used
    alone = apg()([cond[1:], null[1:]], at(0), 15)
    assert torch.allclose(alone[0], apg()([cond, null], at(0), 15)[1], atol=1e-4)


def test_apg_leaves_small_differences_as_they_are() -> None:
    change = apg()([two(1, 0), two(1, 0.5)], at(0), 15) - two(1, 0)
    assert change.flatten().tolist() == pytest.approx([0, 14 * -0.5])


def test_apg_of_equal_or_silent_branches_is_finite() -> None:
    for cond in (COND, two(0, 0)):
        assert torch.equal(apg()([cond, cond], at(0), 15), cond)
    assert torch.isfinite(apg()([two(0, 0), NULL], at(0), 15)).all()


def test_project_keeps_what_is_orthogonal(drawn: Drawn) -> None:
    v, onto = drawn(2, 3, 4, 5), drawn(2, 3, 4, 5, seed=1)
    rest = project(v, onto)
    assert rest.dtype == torch.float32
    assert (rest * onto).sum((-2, -1)).abs().max() < 1e-5
    assert project(onto, onto).abs().max() < 1e-5


def test_cfg() -> None:
    assert cfg()([COND, NULL], at(2), 15).flatten().tolist() == [31, 60]
    assert torch.equal(cfg()([COND, NULL], at(2), 1), COND)


def test_cfg_star() -> None:
    guided_late = cfg_star()([COND, NULL], at(2), 15).flatten().tolist()
    assert guided_late == pytest.approx([3.00000042, 60], abs=1e-8)
    for index in (0, 1):
        assert cfg_star()([COND, NULL], at(index), 15).flatten().tolist() == [0, 0]


def test_cfg_star_fits_each_item(drawn: Drawn) -> None:
    cond, null = drawn(2, 8, 16, 3), drawn(2, 8, 16, 3, seed=1)
    both = cfg_star()([cond, null], at(5), 15)
    for i in range(2):
        single = cfg_star()([cond[i : i + 1], null[i : i + 1]], at(5), 15)
        assert torch.allclose(both[i], single[0], atol=1e-5)


def test_double() -> None:
    rule = double(5, 1.5)
    assert rule([COND, NULL, two(2, 2)], at(20), 15).flatten().tolist() == [7.5, 13]
    assert torch.equal(rule([COND, COND, COND], at(20), 15), COND)


# --- windows -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "interval", "first", "end"),
    [
        (60, 0.5, 15, 45),
        (27, 0.5, 6, 20),
        (60, 0.3, 21, 39),
        (60, 0.7, 9, 51),
        (27, 0.75, 3, 23),
        (60, 1, 0, 60),
        (27, 1, 0, 27),
        (60, 0, 30, 30),
        (60, 0.8, 5, 54),
        (3, 0.5, 0, 2),
        (2, 0.5, 0, 1),
        (1, 1, 0, 1),
    ],
)
def test_windows(count: int, interval: float, first: int, end: int) -> None:
    window = GuidanceWindow.of(Guidance(interval=interval), count)
    assert (window.first, window.end) == (first, end)
    assert [index for index in range(count) if index in window] == list(range(first, end))


@pytest.mark.parametrize(("count", "interval"), [(2, 0.5), (4, 0.3), (1, 1)])
def test_decay_over_a_single_step_does_not_divide_by_zero(count: int, interval: float) -> None:
    window = GuidanceWindow.of(Guidance(interval=interval, decay=1.0), count)
    assert window.end - window.first == 1
    assert window.scale_at(window.first) == 15


def test_decay_falls_in_a_line() -> None:
    window = GuidanceWindow.of(Guidance(decay=1.0, min_scale=3.0), 60)
    assert window.scale_at(15) == 15
    assert window.scale_at(44) == 3
    assert window.scale_at(29) == pytest.approx(15 - 12 * 14 / 29)
    half = GuidanceWindow.of(Guidance(decay=0.5), 60)
    assert half.scale_at(44) == 9
    assert GuidanceWindow.of(Guidance(), 60).scale_at(44) == 15


def asked(guidance: Guidance, count: int) -> list[int]:
    """How many branches are asked about at each step."""
    counts: list[int] = []

    def predict(x: Tensor, step: Step, branches: int) -> list[Tensor]:
        counts.append(branches)
        return [x] * branches

    window, branches = GuidanceWindow.of(guidance, count), branches_of(guidance)
    field = guided(predict, rule_of(guidance), window, branches)
    for step in steps_of(sigmas(count)):
        field(torch.ones(1, 8, 16, 2), step)
    return counts


@pytest.mark.parametrize(
    ("guidance", "count", "expected"),
    [
        (Guidance(), 4, [1, 2, 2, 1]),
        (Guidance(interval=1), 3, [2, 2, 2]),
        (Guidance(interval=0), 4, [1, 1, 1, 1]),
        (Guidance(interval=0.3), 4, [1, 2, 1, 1]),
        (Guidance(interval=0.3, decay=1.0), 4, [1, 2, 1, 1]),
        (Guidance(interval=1), 1, [2]),
        (Guidance(scale=0, interval=1), 3, [1, 1, 1]),
        (Guidance(scale=1, interval=1), 3, [1, 1, 1]),
        (Guidance(text_scale=5, lyric_scale=1.5), 4, [1, 3, 3, 1]),
        (Guidance(text_scale=5, lyric_scale=1), 4, [1, 2, 2, 1]),
        (Guidance(scale=1, text_scale=5, lyric_scale=1.5), 4, [1, 1, 1, 1]),
    ],
)
def test_branches_are_asked_for_inside_the_window_alone(
    guidance: Guidance, count: int, expected: list[int]
) -> None:
    assert asked(guidance, count) == expected


def test_the_rule_sees_the_scale_of_its_step() -> None:
    seen: list[tuple[int, float]] = []

    def rule(velocities: object, step: Step, scale: float) -> Tensor:
        seen.append((step.index, scale))
        return COND

    window = GuidanceWindow(1, 3, 15, 3, 1.0)
    field = guided(lambda x, step, n: [x] * n, rule, window, 2)
    for step in steps_of(sigmas(4)):
        field(COND, step)
    assert seen == [(1, 15), (2, 3)]


def test_every_name_has_a_rule() -> None:
    assert tuple(GUIDANCE) == GUIDANCE_KINDS
    for kind in GUIDANCE_KINDS:
        assert rule_of(Guidance(kind)) is not rule_of(Guidance(kind))
