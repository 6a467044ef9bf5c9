"""Two processes that share the steps of a training stage."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch
from torch import nn

from training.team import ALONE, Member, team_of


def meet(folder: Path, member: Member) -> None:
    """Every member's slope is its own number plus one; it keeps what came of it."""
    layers = [nn.Linear(3, 2), nn.Linear(2, 2)]
    parameters = [parameter for layer in layers for parameter in layer.parameters()]
    for number, parameter in enumerate(parameters[:-1]):  # the last one has none
        parameter.grad = torch.full_like(parameter, float(number + member.rank))
    member.share(parameters)
    slopes = [parameter.grad for parameter in parameters]
    torch.save(slopes, folder / f"{member.rank}.pt")


def test_slopes_become_the_mean_of_all_members(tmp_path: Path) -> None:
    with team_of(2, partial(meet, tmp_path)) as member:
        assert member.leads
        meet(tmp_path, member)
    for rank in range(2):
        slopes = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert [None if s is None else s.unique().tolist() for s in slopes] == [
            [0.5],
            [1.5],
            [2.5],
            None,
        ]


def wait(member: Member) -> None:
    parameter = nn.Parameter(torch.zeros(1))
    parameter.grad = torch.ones(1)
    member.share([parameter])


def test_the_others_end_with_process_0() -> None:
    """Process 0 stops before the others have taken their step."""
    with team_of(2, wait):
        pass
    assert not torch.distributed.is_initialized()


def test_alone_nothing_is_shared() -> None:
    parameter = nn.Parameter(torch.zeros(2))
    parameter.grad = torch.ones(2)
    with team_of(1, wait) as member:
        member.share([parameter])
    assert member == ALONE
    assert parameter.grad.tolist() == [1, 1]


def test_members_draw_different_batches() -> None:
    team = [Member(rank, 3) for rank in range(3)]
    drawn = [member.draw_of(step) for step in range(4) for member in team]
    assert sorted(drawn) == list(range(12))
    assert [ALONE.draw_of(step) for step in range(4)] == [0, 1, 2, 3]
