"""Exactly once, with a stub that writes each row's id."""

from __future__ import annotations

import json
import random
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from acestep_core.batch import plan as plans
from acestep_core.batch.course import RESULTS, Batch, Course, TooManyError
from acestep_core.batch.pool import Answer, Asked
from acestep_core.batch.report import Report
from acestep_core.records.record import record_path

from .kit import Stub, batch_of, files_in, rows_of


def run(batch: Batch, stub: Stub | None = None) -> Course:
    course = Course(batch, (stub or Stub(batch.places)).made)
    course.run()
    return course


def results_in(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / RESULTS).read_text(encoding="utf-8").splitlines()]


def names_in(tar: Path) -> list[str]:
    with tarfile.open(tar) as file:
        return file.getnames()


class KilledError(BaseException):
    pass


def killed_after(stub: Stub, count: int) -> Any:
    """An engine that is killed after so many groups, with another one half done."""

    def made(todo: Iterable[Asked]) -> Iterator[Answer]:
        for done, (group, rows) in enumerate(todo):
            results = stub(rows)
            if done == count:
                stub.places.of(str(rows["id"][0])).write_bytes(b"half")
                raise KilledError
            yield group, results, 0.0

    return made


@pytest.mark.parametrize("kind", ["flac", "webdataset"])
def test_killed_anywhere_it_ends_with_the_same_files(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SHARD_BYTES", 500_000)
    raws = rows_of(23)
    whole = batch_of(tmp_path / "whole", raws, kind=kind)
    run(whole)
    chance = random.Random(0)
    batch = batch_of(tmp_path / "killed", raws, kind=kind)
    for _ in range(10):
        with pytest.raises(KilledError):
            Course(batch, killed_after(Stub(batch.places), chance.randrange(2))).run()
        if len(batch.left(batch.known())) < 3:
            break
    run(batch)
    assert files_in(batch.out) == files_in(whole.out)
    assert [row["id"] for row in results_in(batch.out)] == [row["id"] for row in raws]


@pytest.mark.parametrize("kind", ["flac", "webdataset"])
def test_two_shards_are_the_whole(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SHARD_BYTES", 500_000)
    whole = batch_of(tmp_path / "whole", rows_of(23), kind=kind)
    run(whole)
    for index in (2, 1):
        run(batch_of(tmp_path / "parts", rows_of(23), kind=kind, shard=(index, 2)))
    assert files_in(tmp_path / "parts") == files_in(whole.out)
    names = {path.name for path in (tmp_path / "parts").glob("ledger*")}
    assert names == {"ledger.1-of-2.jsonl", "ledger.2-of-2.jsonl"}


def test_a_second_run_makes_nothing(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, rows_of(4))
    run(batch)
    before = files_in(tmp_path)
    Course(batch, lambda todo: pytest.fail("asked again")).run()
    assert files_in(tmp_path) == before


def test_a_file_that_is_gone_or_cut_is_made_again(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, rows_of(6))
    run(batch)
    before = files_in(tmp_path)
    batch.places.of("song-0").unlink()
    batch.places.of("song-5").write_bytes(b"")
    assert [group.rows for group in batch.left(batch.known())] == [(0, 1), (4, 5)]
    run(batch)
    assert files_in(tmp_path) == before


def test_failed_rows_stay_failed_until_they_are_asked_for(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, rows_of(6))
    course = run(batch, Stub(batch.places, bad=("song-3",)))
    assert [row["status"] for row in results_in(tmp_path)][3] == "failed"
    assert Report.of(batch, course.known).failed == 1
    run(batch)
    assert [row["status"] for row in results_in(tmp_path)][3] == "failed"
    run(replace(batch, is_retrying=True))
    assert {row["status"] for row in results_in(tmp_path)} == {"done"}
    fresh = batch_of(tmp_path / "fresh", rows_of(6))
    run(fresh)
    assert files_in(fresh.out)[RESULTS] == (tmp_path / RESULTS).read_bytes()


def test_too_many_failures_end_it_and_what_is_done_stays(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, rows_of(8), most_errors=2)
    stub = Stub(batch.places, bad=tuple(f"song-{i}" for i in range(2, 8)))
    with pytest.raises(TooManyError, match=r"4 rows failed, more than --max-errors 2.*song-4"):
        run(batch, stub)
    assert sorted(batch.known()) == [0, 1, 2]


def test_no_file_of_a_batch_names_a_folder_of_an_error(tmp_path: Path) -> None:
    batch, said = batch_of(tmp_path, rows_of(2)), "vocab.json (not there)"
    error = f"vocab.json was not found. Looked at:\n  /home/ann/models/{said}"
    stub = Stub(batch.places, bad=("song-0", "song-1"), error=error)
    report = Report.of(batch, run(batch, stub).known).write(batch)
    assert said in results_in(tmp_path)[1]["error"]
    assert said in report.read_text(encoding="utf-8")
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"/home/ann" not in path.read_bytes(), path.name
    with pytest.raises(TooManyError, match="/home/ann"):  # whoever runs it is told where
        run(batch_of(tmp_path / "few", rows_of(2), most_errors=0), stub)


def test_a_webdataset_has_a_sound_and_a_record_of_each_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "SHARD_BYTES", 150_000)
    batch = batch_of(tmp_path, rows_of(9), kind="webdataset", batch=1)
    run(batch, Stub(batch.places, bad=("song-1",)))
    assert not [path for path in (tmp_path / "staged").rglob("*") if path.is_file()]
    tars = sorted((tmp_path / "shards").iterdir())
    names = [name for tar in tars for name in names_in(tar)]
    wanted = [f"song-{i}" for i in range(9) if i != 1]
    assert names == [f"{name}.{end}" for name in wanted for end in ("flac", "json")]
    rows = results_in(tmp_path)
    assert rows[0]["path"] == "shards/000000.tar/song-0.flac"
    run(replace(batch, is_retrying=True))
    whole = batch_of(tmp_path / "whole", rows_of(9), kind="webdataset", batch=1)
    run(whole)
    for tar in tars:
        assert tar.read_bytes() == (tmp_path / "whole" / "shards" / tar.name).read_bytes()


def test_a_webdataset_killed_between_a_tar_file_and_its_staged_rows(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, rows_of(4), kind="webdataset")
    run(batch)
    before = files_in(tmp_path)
    for name in ("song-0", "song-2"):  # as they were before they were packed
        place = batch.places.of(name)
        place.write_bytes(name.encode())
        record_path(place).write_bytes(b"{}")
    run(batch)
    assert files_in(tmp_path) == before


def test_many_rows_lie_in_many_folders(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, rows_of(2))
    fanned = replace(batch.places, is_fanned=True)
    assert batch.places.told("song-0") == "songs/song-0.flac"
    assert fanned.told("song-0") != fanned.told("song-1")
    assert len(Path(fanned.told("song-0")).parts) == 3


def test_rows_that_sound_alike_are_duplicates_of_the_first(tmp_path: Path) -> None:
    batch = batch_of(tmp_path, rows_of(3))

    class Same(Stub):
        def _made(self, name: str) -> dict[str, Any]:
            return {**super()._made(name), "sound": "x" if name != "song-1" else "y"}

    course = run(batch, Same(batch.places))
    rows = results_in(tmp_path)
    assert [row["gates"] for row in rows] == [[], [], ["duplicate"]]
    assert rows[2]["duplicate_of"] == "song-0"
    report = Report.of(batch, course.known)
    assert "flagged: 1 duplicate" in report.summary()
    assert report.flagged == ["song-2: duplicate of song-0"]


def test_temporary_files_of_killed_runs_are_gone(tmp_path: Path) -> None:
    import os

    batch = batch_of(tmp_path, rows_of(2))
    left = tmp_path / "songs" / f".acestep-{'0' * 16}.part"
    left.parent.mkdir()
    left.touch()
    os.utime(left, (1, 1))
    run(batch)
    assert not left.exists()
    shutil.rmtree(tmp_path / "songs")
