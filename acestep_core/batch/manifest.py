"""Manifests: a row for each song, as JSON Lines, CSV, TSV or Parquet; a template makes many.

    songs.jsonl -> read_manifest -> {"id": ..., "tags": ..., "seed": ...}, ...
    template (lists of tags, of lyrics, of seeds) -> expanded -> the same, each with each

What has no value is left out. What the columns mean is read in `rows`.
"""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from ..atomic import FileError, reason
from ..settings import SettingError

Raw: TypeAlias = "dict[str, Any]"

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
SUFFIXES = (*JSON_LINES, *DELIMITERS, ".parquet")
AT_ONCE = 4096  # rows of a Parquet file in memory
# Columns of which a template may list several; the last one changes fastest.
CROSSED = ("tags", "lyrics", "seed")


def read_manifest(path: str | Path) -> Iterator[Raw]:
    """The rows of a manifest in their order, without what is empty."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise FileError(
            f"{path} is no manifest by its name; one ends in one of: {', '.join(SUFFIXES)}."
        )
    if suffix == ".parquet":
        return (_filled(row) for row in _parquet(path))
    if suffix in JSON_LINES:
        return read_lines(_lines(path), str(path))
    return (_filled(row) for row in _table(path, DELIMITERS[suffix]))


def read_lines(lines: Iterable[str], name: str) -> Iterator[Raw]:
    """The rows in lines of JSON; `name` is what messages call where they come from."""
    return (_filled(row) for row in _json_lines(lines, name))


def _filled(row: Mapping[str, Any]) -> Raw:
    return {key: value for key, value in row.items() if not _is_empty(value)}


def _is_empty(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except OSError as error:
        raise FileError(f"The manifest {path} cannot be read ({reason(error)}).") from error
    except UnicodeDecodeError as error:
        raise FileError(f"The manifest {path} is not text in UTF-8 ({error}).") from error


def _json_lines(lines: Iterable[str], name: str) -> Iterator[Raw]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise FileError(f"{name}, line {number} is not JSON ({error}).") from error
        if not isinstance(row, dict):
            raise FileError(
                f"{name}, line {number} is {line.strip()[:60]}; it must be an object such as"
                ' {"tags": "pop, piano", "seed": 1}.'
            )
        yield row


def _table(path: Path, delimiter: str) -> Iterator[Raw]:
    """A table with its columns' names in the first line."""
    reader = csv.DictReader(_lines(path), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise FileError(
                    f"{path}, line {reader.line_num} has another number of cells than the first"
                    " line has names. Put texts that hold the delimiter into quotes."
                )
            yield row
    except csv.Error as error:
        raise FileError(f"{path}, line {reader.line_num} cannot be read ({error}).") from error


def _parquet(path: Path) -> Iterator[Raw]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise FileError(
            f"{path} needs the package pyarrow, which does not load ({error}). Install it with:"
            " pip install pyarrow; or write the manifest as .jsonl or .csv."
        ) from error
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(AT_ONCE):
                yield from batch.to_pylist()
    except (OSError, ArrowException) as error:
        raise FileError(f"The manifest {path} cannot be read ({error}).") from error


def expanded(template: Mapping[str, Any], count: int = 1) -> Iterator[Raw]:
    """Every combination of a template's lists; `seed` may be a list, or `seeds` their number.

    Names count up; with `name` in the template they begin with it.
    """
    fixed = dict(template)
    name = str(fixed.pop("name", "song"))
    seeds = fixed.pop("seeds", count)
    if "seed" not in fixed:
        if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
            raise SettingError(
                f"The template's seeds are {seeds!r}; it must be how many, 1 or more. Give"
                " numbers of your own as a list under seed."
            )
        fixed["seed"] = list(range(seeds))
    lists = [_listed(fixed.pop(key)) if key in fixed else [""] for key in CROSSED]
    many = math.prod(len(values) for values in lists)
    if not many:
        raise SettingError("A list of the template is empty. Give it a value, or leave it out.")
    digits = len(str(many))
    for number, values in enumerate(itertools.product(*lists), start=1):
        row = {"id": f"{name}_{number:0{digits}}", **dict(zip(CROSSED, values, strict=True))}
        yield _filled({**row, **fixed})


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else [value]


def read_template(path: str | Path) -> Raw:
    path = Path(path)
    try:
        template = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise FileError(f"The template {path} cannot be read ({reason(error)}).") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"The template {path} is not JSON in UTF-8 ({error}).") from error
    if not isinstance(template, dict):
        raise FileError(f'{path} must hold an object, such as {{"tags": ["pop", "jazz"]}}.')
    return template
