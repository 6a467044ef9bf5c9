from __future__ import annotations

import json
from pathlib import Path

import pytest

from acestep_core.atomic import FileError
from acestep_core.batch.manifest import expanded, read_manifest, read_template
from acestep_core.settings import SettingError

ROWS = [{"id": "a", "tags": "pop, piano", "seed": "1"}, {"id": "b", "tags": 'a "b"', "seed": "2"}]


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_same_rows_from_every_text_format(tmp_path: Path) -> None:
    lines = "\n".join(json.dumps({**row, "lyrics": None}) for row in ROWS)
    places = [
        written(tmp_path / "a.jsonl", f"\ufeff{lines}\n\n"),
        written(tmp_path / "a.csv", 'id,tags,seed,lyrics\na,"pop, piano",1,\nb,"a ""b""",2,\n'),
        written(tmp_path / "a.tsv", 'id\ttags\tseed\na\tpop, piano\t1\nb\t"a ""b"""\t2\n'),
    ]
    for place in places:
        assert list(read_manifest(place)) == ROWS, place


def test_a_cell_may_hold_lines(tmp_path: Path) -> None:
    place = written(tmp_path / "a.csv", 'tags,lyrics\npop,"[verse]\nla"\n')
    assert list(read_manifest(place)) == [{"tags": "pop", "lyrics": "[verse]\nla"}]


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"id": ["a", "b"], "seed": [1, None], "seconds": [2.5, float("nan")]})
    parquet.write_table(table, tmp_path / "a.parquet")
    rows = list(read_manifest(tmp_path / "a.parquet"))
    assert rows == [{"id": "a", "seed": 1, "seconds": 2.5}, {"id": "b"}]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.txt", "", "ends in one of"),
        ("a.jsonl", '{"id": 1}\n{"id"', "line 2 is not JSON"),
        ("a.jsonl", "[1]", "line 1 is .* must be an object"),
        ("a.csv", "id,tags\na,b,c\n", "line 2 has another number of cells"),
        ("a.csv", "id,tags\na\n", "line 2 has another number of cells"),
        ("a.csv", 'id,tags\na,"b\n', "cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    with pytest.raises(FileError, match=words):
        list(read_manifest(written(tmp_path / name, text)))


def test_a_missing_or_foreign_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        list(read_manifest(tmp_path / "none.jsonl"))
    (tmp_path / "latin.csv").write_bytes(b"id\n\xe9\n")
    with pytest.raises(FileError, match="UTF-8"):
        list(read_manifest(tmp_path / "latin.csv"))


def test_a_template_is_each_with_each(tmp_path: Path) -> None:
    template = {"name": "ad", "tags": ["pop", "jazz"], "lyrics": "", "seeds": 2, "steps": 4}
    place = written(tmp_path / "t.json", json.dumps(template))
    rows = list(expanded(read_template(place)))
    assert [(row["id"], row["tags"], row["seed"], row["steps"]) for row in rows] == [
        ("ad_1", "pop", 0, 4),
        ("ad_2", "pop", 1, 4),
        ("ad_3", "jazz", 0, 4),
        ("ad_4", "jazz", 1, 4),
    ]
    assert "lyrics" not in rows[0]
    assert [row["seed"] for row in expanded({"tags": "pop", "seed": [7, 9]})] == [7, 9]


@pytest.mark.parametrize("template", [{"seeds": 0}, {"seeds": True}, {"tags": []}])
def test_a_template_that_cannot_be(template: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        list(expanded(template))
