"""Workers of this machine, lost on purpose; each test starts a few processes."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from acestep_core.batch.places import Places
from acestep_core.batch.pool import TRIES, Asked, Pool
from acestep_core.weights.checkpoint import CheckpointError

from .kit import Starting, refuse


def asked(count: int) -> list[Asked]:
    return [(i, {"id": [f"r{i}"]}) for i in range(count)]


def test_every_group_once_from_two_workers_of_which_one_is_lost(tmp_path: Path) -> None:
    start = Starting(Places(str(tmp_path)), fatal="r2", once=str(tmp_path / "lost"))
    pool = Pool(start, ["cpu", "cpu"])
    made = {group: rows for group, rows, _ in pool.made(asked(6))}
    assert sorted(made) == [*range(6)]
    assert all(rows["status"] == ["done"] for rows in made.values())
    assert pool.lost == 1
    assert not multiprocessing.active_children()


def test_who_is_done_ends_by_itself(tmp_path: Path) -> None:
    made = Pool(Starting(Places(str(tmp_path))), ["cpu", "cpu"]).made(asked(3))
    next(made)
    workers = multiprocessing.active_children()
    list(made)
    assert [worker.exitcode for worker in workers] == [0, 0]


def test_a_group_that_always_loses_its_worker_fails_alone(tmp_path: Path) -> None:
    pool = Pool(Starting(Places(str(tmp_path)), fatal="r1"), ["cpu"])
    made = {group: rows for group, rows, _ in pool.made(asked(3))}
    assert [made[i]["status"] for i in range(3)] == [["done"], ["failed"], ["done"]]
    assert f"lost {TRIES} times (last with exit code 9)" in made[1]["error"][0]


def test_a_model_that_does_not_load_ends_it(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="This model is damaged"):
        list(Pool(refuse, ["cpu"]).made(asked(2)))
    assert not multiprocessing.active_children()


def test_who_stops_listening_leaves_no_worker(tmp_path: Path) -> None:
    made = Pool(Starting(Places(str(tmp_path))), ["cpu", "cpu"]).made(asked(50))
    next(made)
    made.close()  # pyright: ignore[reportAttributeAccessIssue]
    assert not multiprocessing.active_children()
