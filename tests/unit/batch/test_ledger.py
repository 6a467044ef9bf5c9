from __future__ import annotations

import sys
from pathlib import Path

import pytest

from acestep_core.atomic import FileError
from acestep_core.batch.ledger import Entry, Ledger, entry_at, known_in

from .kit import result


def entry(group: int, *statuses: str) -> Entry:
    rows = (result(f"r{i}", b"x", status=status) for i, status in enumerate(statuses))
    return Entry(group, tuple(rows), 1.5)


def test_what_is_added_is_known(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        places = [ledger.add(entry(0, "done", "failed")), ledger.add(entry(3, "done"))]
    known = known_in(tmp_path, lambda one: True)
    assert known == {0: places[0], 3: places[1]}
    assert entry_at(known[0]) == entry(0, "done", "failed")
    assert (known[0].failed, entry_at(known[0]).done) == (1, ["r0"])


@pytest.mark.parametrize("cut", [1, 20, -1])
def test_a_line_that_was_cut_off_never_counts(tmp_path: Path, cut: int) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.add(entry(0, "done"))
        ledger.add(entry(1, "done"))
    path = tmp_path / "ledger.jsonl"
    first, second, _ = path.read_bytes().split(b"\n")
    path.write_bytes(first + b"\n" + second[:cut])
    assert list(known_in(tmp_path, lambda one: True)) == [0]
    with Ledger(tmp_path) as ledger:
        ledger.add(entry(2, "done"))
    assert list(known_in(tmp_path, lambda one: True)) == [0, 2]


def test_a_ledger_of_half_a_line_alone(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_bytes(b'{"group": 1' * 20_000)
    with Ledger(tmp_path) as ledger:
        ledger.add(entry(2, "done"))
    assert list(known_in(tmp_path, lambda one: True)) == [2]


def test_the_entry_with_the_fewest_failures_counts(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        for statuses in (("failed", "failed"), ("done", "done"), ("done", "failed")):
            ledger.add(entry(0, *statuses))
    assert entry_at(known_in(tmp_path, lambda one: True)[0]) == entry(0, "done", "done")


def test_what_has_lost_its_files_is_not_known(tmp_path: Path) -> None:
    with Ledger(tmp_path) as ledger:
        ledger.add(entry(0, "done"))
        ledger.add(entry(1, "done"))
    assert list(known_in(tmp_path, lambda one: one.group == 1)) == [1]


def test_shards_have_ledgers_of_their_own_and_all_are_read(tmp_path: Path) -> None:
    for index in (1, 2):
        with Ledger(tmp_path, (index, 2)) as ledger:
            ledger.add(entry(index, "done"))
    (tmp_path / "ledger.old.jsonl").write_text("of somebody else")
    assert sorted(known_in(tmp_path, lambda one: True)) == [1, 2]


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_two_runs_never_write_to_the_same_one(tmp_path: Path) -> None:
    refused = pytest.raises(FileError, match=r"another run.*--shard")
    with Ledger(tmp_path), refused, Ledger(tmp_path):
        pass
    with Ledger(tmp_path, (1, 2)), Ledger(tmp_path, (2, 2)):
        pass


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.jsonl").write_bytes(b"{}\n")
    with pytest.raises(FileError, match="damaged at byte 0"):
        known_in(tmp_path, lambda one: True)
