"""The adapter to Ray on a cluster of this machine; skipped where Ray is not installed."""

from __future__ import annotations

from pathlib import Path
from warnings import catch_warnings

import pytest
import torch

from acestep_core.batch.generator import Loading, Work
from acestep_core.batch.places import Places
from acestep_core.batch.rays import Actor, InStore, Rays
from acestep_core.cli.commands import main

from .kit import Starting, batch_of, files_in, rows_of


def test_an_actor_takes_columns_as_ray_hands_them(tmp_path: Path) -> None:
    numpy = pytest.importorskip("numpy")
    actor = Actor(Starting(Places(str(tmp_path))), "cpu")  # pyright: ignore[reportArgumentType]
    asked = {"group": numpy.array([3]), "text": numpy.array(['{"id": ["a"]}'])}
    told = actor(asked)
    assert told["group"] == [3]
    assert '"status": ["done"]' in told["text"][0]


def test_without_ray_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    rows = tmp_path / "a.jsonl"
    rows.write_text('{"tags": "pop", "seconds": 1}\n')
    words = ["batch", str(rows), "--out", str(tmp_path / "out"), "--model", "small_model"]
    assert main([*words, "--engine", "ray"]) == 2
    assert 'pip install "ray[data]"' in capsys.readouterr().err
    assert main([*words, "--address", "auto"]) == 2
    assert "Add --engine ray" in capsys.readouterr().err


def test_every_group_once_from_two_actors_of_which_one_is_lost(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="RAY IS NOT INSTALLED: the engine was not tested")
    batch = batch_of(tmp_path / "out", rows_of(12))
    start = Starting(batch.places, fatal="song-4", once=str(tmp_path / "lost"))
    rays = Rays(start, ["cpu", "cpu"])  # pyright: ignore[reportArgumentType]
    asked = ((group.number, batch.plan.columns(group)) for group in batch.plan.groups)
    made = [(group, rows["status"]) for group, rows, _ in rays.made(asked)]
    assert sorted(made) == [(i, ["done", "done"]) for i in range(6)]
    assert (tmp_path / "lost").exists()


def test_actors_compute_with_one_copy_what_one_process_computes(
    tiny_folder: Path, tmp_path: Path
) -> None:
    pytest.importorskip("ray", reason="RAY IS NOT INSTALLED: the engine was not tested")
    batch = batch_of(tmp_path / "out", rows_of(4))
    loading = Loading((str(tiny_folder),), "auto", Work(batch.places))
    todo = [(group.number, batch.plan.columns(group)) for group in batch.plan.groups]
    by_ray = {group: rows["sound"] for group, rows, _ in Rays(loading, ["cpu", "cpu"]).made(todo)}
    files = files_in(batch.out)
    generator = loading("cpu")
    assert by_ray == {group: generator(rows)["sound"] for group, rows in todo}
    assert files == files_in(batch.out)
    assert len(files) == 8


def test_what_lies_in_the_store_is_read_there_and_nobody_writes_to_it() -> None:
    ray = pytest.importorskip("ray", reason="RAY IS NOT INSTALLED: the store was not tested")
    ray.init("local", num_cpus=1, log_to_driver=False, include_dashboard=False)
    try:
        store = InStore(ray)
        room = store.room(1 << 20)
        room.copy_(torch.arange(1 << 20) % 251)
        opener = store.opener()
        with catch_warnings(record=True) as said:
            first, second = opener(), opener()
        assert not said
        assert torch.equal(first, room)
        assert first.data_ptr() == second.data_ptr() != room.data_ptr()
        assert not ray.get(opener.place).flags.writeable
    finally:
        ray.shutdown()
