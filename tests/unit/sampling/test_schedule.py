from __future__ import annotations

import pytest
import torch

from acestep_core.sampling.schedule import (
    chosen_sigmas,
    chosen_sigmas_shifted_again,
    lowered_sigmas,
    shifted,
    sigmas,
    steps_of,
)

CHOSEN = (16, 29, 52, 96, 129, 158, 172, 183, 189, 200)


@pytest.mark.parametrize(
    ("count", "first", "last"),
    [
        (1, [1000], [1000]),
        (2, [1000], [8.9286]),
        (4, [1000, 857.6923, 602.1506], [8.9286]),
        (27, [1000, 986.8825, 973.0582], [206.1979, 114.5501, 8.9286]),
        (60, [1000, 994.3030, 988.4747, 982.5105, 976.4056], [102.8077, 57.3939, 8.9286]),
    ],
)
def test_timesteps(count: int, first: list[float], last: list[float]) -> None:
    levels = sigmas(count)
    timesteps = (1000 * levels).tolist()
    assert levels.dtype == torch.float64
    assert (len(levels), timesteps[-1]) == (count + 1, 0)
    assert timesteps[: len(first)] == pytest.approx(first, abs=1e-4)
    assert timesteps[-1 - len(last) : -1] == pytest.approx(last, abs=1e-4)


@pytest.mark.parametrize(
    ("strength", "level", "told"),
    [
        (0.1, 0.9643, 0.9878),
        (0.3, 0.8750, 0.9545),
        (0.5, 0.7500, 0.9000),
        (0.7, 0.5625, 0.7941),
        (0.9, 0.2500, 0.5000),
    ],
)
def test_a_lowered_start(strength: float, level: float, told: float) -> None:
    """The original tells the model of more noise than there is; the corrected schedule not."""
    start = 1 - strength
    assert shifted(start) == pytest.approx(level, abs=1e-4)
    assert float(sigmas(10, start)[0]) == pytest.approx(told, abs=1e-4)
    assert float(lowered_sigmas(10, start)[0]) == pytest.approx(shifted(start))


def test_the_lowered_schedule_from_the_top_is_the_ordinary_one() -> None:
    assert torch.equal(lowered_sigmas(27, 1.0), sigmas(27))


def test_chosen_steps() -> None:
    expected = [973.6, 948.4, 897.3, 767.6, 626.6, 448.7, 334.1, 224.9, 156.2, 8.9, 0]
    again = [990.7, 982.5, 962.2, 909.2, 835.6, 708.2, 600.7, 465.0, 357.1, 26.3, 0]
    assert (1000 * chosen_sigmas(CHOSEN)).tolist() == pytest.approx(expected, abs=0.055)
    shifted_again = (1000 * chosen_sigmas_shifted_again(CHOSEN)).tolist()
    assert shifted_again == pytest.approx(again, abs=2)  # published as bfloat16 rounded them


def test_all_steps_chosen_are_the_schedule() -> None:
    assert torch.equal(chosen_sigmas(range(1, 28)), sigmas(27))
    assert chosen_sigmas([1]).tolist() == [1, 0]


def test_steps_know_their_neighbours_and_their_place() -> None:
    steps = steps_of(torch.tensor([1.0, 0.5, 0.0]))
    assert [(s.index, s.count, s.sigma, s.sigma_next) for s in steps] == [
        (0, 2, 1.0, 0.5),
        (1, 2, 0.5, 0.0),
    ]
    assert [s.is_last for s in steps] == [False, True]
