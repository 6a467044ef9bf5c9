from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from acestep_core.batch import plan as plans
from acestep_core.batch.plan import Plan, lasting, part_of, planned, raws_of
from acestep_core.presets import PRESETS
from acestep_core.settings import SettingError
from acestep_core.weights.model import Added


def plan_of(raws: list[dict[str, Any]], **others: Any) -> Plan:
    return planned(raws, PRESETS["original"], **others)


def row(i: int, **columns: Any) -> dict[str, Any]:
    return {"id": f"r{i}", "tags": "pop", "seed": i, "seconds": 10, **columns}


def ids(plan: Plan) -> list[list[str]]:
    return [[plan.rows[one].id for one in group.rows] for group in plan.groups]


def test_rows_of_equal_shape_are_together_whatever_their_words() -> None:
    raws = [
        row(0, lyrics="long lyrics of many words"),
        row(1, tags="jazz"),
        row(2, seconds=30),
        row(3, steps=7),
        row(4, seconds=10.01, lyrics="la"),
        row(5, language="de"),
    ]
    assert ids(plan_of(raws)) == [["r2"], ["r1", "r5", "r4", "r0"], ["r3"]]


def test_rows_that_never_share_a_batch(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    alone = [row(0, compat="original"), row(1, compat="original")]
    alone += [row(i, task="follow", source="a.wav") for i in (2, 3)]
    for one in alone[2:]:
        del one["seconds"]
    assert len(plan_of(alone, base=str(tmp_path)).groups) == 4


def test_retakes_share_a_batch_with_those_of_the_same_words() -> None:
    raws = [row(i, task="retake", source_seed=1) for i in range(3)]
    raws[2]["tags"] = "jazz"
    assert ids(plan_of(raws)) == [["r0", "r1"], ["r2"]]


def test_rows_of_other_adapters_are_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).touch()
    raws = [
        row(0),
        row(1, lora="a"),
        row(2, lora="skip"),
        row(3, lora="a=0.5; b"),
        row(4, lora="a"),
    ]
    plan = plan_of(raws, base=str(tmp_path))
    assert sorted(ids(plan)) == [["r0"], ["r1", "r4"], ["r2"], ["r3"]]
    assert (plan.adapters, plan.varies) == ((Added("a"), Added("a", 0.5), Added("b")), True)
    plan = plan_of([row(0), row(1, lora="skip")])
    assert (plan.adapters, plan.varies) == ((), True)
    assert not plan_of([row(0)]).varies


def test_a_batch_has_so_many_rows_and_so_much_music_at_most() -> None:
    assert [len(one) for one in ids(plan_of([row(i) for i in range(10)], batch=4))] == [4, 4, 2]
    assert [len(one) for one in ids(plan_of([row(i, seconds=200) for i in range(5)]))] == [2, 2, 1]


def test_the_plan_is_the_manifest_s_alone() -> None:
    raws = [row(i, seconds=10 + i % 3, lyrics="la " * (i % 5)) for i in range(50)]
    first, again = plan_of(raws), plan_of(raws)
    assert first.digest == again.digest
    assert first.groups == again.groups
    for change in (raws[:-1], [*raws[:-1], {**raws[-1], "steps": 5}], raws[::-1]):
        assert plan_of(change).digest != first.digest
    assert plan_of(raws, batch=4).digest != first.digest


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_shards_hold_every_group_once(count: int) -> None:
    raws = [row(i, seconds=random.Random(i).choice((10, 20, 30))) for i in range(40)]
    for kind in ("flac", "webdataset"):
        plan = plan_of(raws, kind=kind, batch=3)
        shards = [plan.shard(i + 1, count) for i in range(count)]
        assert sorted(one.number for shard in shards for one in shard) == [*range(len(plan.groups))]


def test_packs_of_a_webdataset_hold_about_so_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "SHARD_BYTES", 5_000_000)
    plan = plan_of([row(i) for i in range(20)], kind="webdataset", batch=2)
    assert [len(pack) for pack in plan.packs] == [3, 3, 3, 1]  # 2.2 MB a group
    assert plan.shard(2, 2) == [*plan.groups[3:6], *plan.groups[9:]]


def test_rows_go_to_a_generator_as_columns_and_back() -> None:
    plan = plan_of([row(0, lyrics="la"), row(1)])
    columns = plan.columns(plan.groups[0])
    assert columns["lyrics"] == [None, "la"]
    assert raws_of(columns) == [row(1), row(0, lyrics="la")]


def test_a_row_without_an_id_gets_its_number() -> None:
    plan = plan_of([{"tags": "pop"}, {"tags": "pop"}])
    assert [row.id for row in plan.rows] == ["row_000001", "row_000002"]
    assert plan.columns(plan.groups[0])["id"] == ["row_000001", "row_000002"]


def test_all_that_is_wrong_is_said_at_once() -> None:
    raws = [row(i, steps=0) for i in range(8)]
    with pytest.raises(SettingError, match=r"(?s)Row 1 .*Row 5 .*\nand 3 more rows are wrong"):
        plan_of(raws)
    with pytest.raises(SettingError, match=r"R0.*is there already"):
        plan_of([row(0), {**row(1), "id": "R0"}])
    with pytest.raises(SettingError, match=r"the source .*none.wav does not exist"):
        plan_of([{"id": "a", "tags": "pop", "task": "follow", "source": "none.wav"}])
    with pytest.raises(SettingError, match=r"Row 1 \(r0\): the LoRA .*none does not exist"):
        plan_of([row(0, lora="none")])
    with pytest.raises(SettingError, match="no rows"):
        plan_of([])


def test_parts_and_lengths() -> None:
    assert part_of("2/8") == (2, 8)
    for text in ("0/2", "3/2", "2", "a/b", "1/-2", ""):
        with pytest.raises(SettingError, match="--shard"):
            part_of(text)
    assert (lasting(90), lasting(36_000)) == ("1.5 minutes", "10.0 hours")
