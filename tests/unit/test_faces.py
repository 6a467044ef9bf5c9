"""The table of settings against the faces that are made of it."""

from __future__ import annotations

import argparse
from dataclasses import fields
from typing import Any

import pytest

from acestep_core.cli.commands import parser
from acestep_core.faces import OWNERS, default_of, offered_at
from acestep_core.hosted.parameters import ENDPOINTS
from acestep_core.hosted.requests import model_of
from acestep_core.records.record import Record
from acestep_core.settings import TABLE, Setting, SettingError
from acestep_core.types import Region

# What a class needs beside the field that is tried.
BESIDE: dict[str, dict[str, Any]] = {
    "Inpaint": {"regions": (Region(),)},
    "Recipe": {"tags": "pop"},
    "Applied": {"adapter": argparse.Namespace(name="one")},
    "Edit": {"start": 0.0, "stop": 1.0},
    "Extend": {"before": 1.0, "after": 1.0},
}
NUMBERS = [row for row in TABLE.values() if row.owner and row.kind in ("number", "whole")]
NAMED = [row for row in TABLE.values() if row.owner and row.choices]
COMMANDS: dict[str, argparse.ArgumentParser] = next(
    dict(action.choices)
    for action in parser()._actions
    if isinstance(action, argparse._SubParsersAction)
)
OPTIONS = [(name, one) for name in COMMANDS for one in offered_at(name)]


def made(row: Setting, value: object) -> Any:
    return OWNERS[row.owner](**{**BESIDE.get(row.owner, {}), row.field: value})


@pytest.mark.parametrize("row", NUMBERS, ids=lambda row: row.key)
def test_a_class_takes_what_the_table_allows_and_no_more(row: Setting) -> None:
    low, high = row.limits
    for value in (low, high):
        assert getattr(made(row, value), row.field) == value
    for value in (low - 1, high + 1, float("nan")):
        with pytest.raises(SettingError, match=f"is {value}; it must be between"):
            made(row, value)


@pytest.mark.parametrize("row", NAMED, ids=lambda row: row.key)
def test_a_class_takes_the_names_of_the_table(row: Setting) -> None:
    for name in row.choices or ():
        assert getattr(made(row, name), row.field) == name
    with pytest.raises(SettingError, match="'none of them'; it must be one of"):
        made(row, "none of them")


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.key)
def test_row_is_whole(row: Setting) -> None:
    assert row.kind
    assert row.about
    assert row.at, "no face has it"
    if row.kind in ("number", "whole"):
        low, high = row.limits
        value = default_of(row.key)
        assert isinstance(value, int | float)
        assert low <= value <= high
        assert row.step or row.kind == "whole"
    if row.owner:
        assert row.field in {one.name for one in fields(OWNERS[row.owner])}
    if row.record:
        assert row.record in {one.name for one in fields(Record)}


@pytest.mark.parametrize(("command", "name"), OPTIONS, ids=" ".join)
def test_option_is_as_the_table_has_it(command: str, name: str) -> None:
    one = offered_at(command)[name]
    (action,) = (a for a in COMMANDS[command]._actions if name in a.option_strings)
    assert action.default == one.default
    assert (action.help or "").startswith(one.about)
    if one.kind == "choice":
        assert tuple(action.choices or ()) == one.choices
    elif one.kind == "switch":
        assert isinstance(action, argparse.BooleanOptionalAction)
    else:
        assert action.choices is None
        assert action.type is {"whole": int, "number": float}.get(one.kind, str)


def test_no_option_of_a_setting_is_written_by_hand() -> None:
    """What a command has beside the table is files, and what no setting is."""
    others = {
        "--lyrics-file --replay --source --latent --output --lora --region --help --html --model",
        "--device --dtype --offload --allow-download --folder --vocab",
    }
    known = set(" ".join(others).split())
    for command, one in COMMANDS.items():
        named = {action.option_strings[0] for action in one._actions if action.option_strings}
        assert named - set(offered_at(command)) - {"-h"} <= known, command


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=lambda one: one.name)
def test_schema_is_as_the_table_has_it(endpoint: Any) -> None:
    pytest.importorskip("pydantic")
    schema = model_of(endpoint).model_json_schema()["properties"]
    offered = offered_at(endpoint.name)
    assert set(offered) <= set(schema)
    for name, one in offered.items():
        told = {**schema[name], **next(iter(schema[name].get("anyOf", ())), {})}
        assert schema[name]["description"] == one.about
        assert schema[name].get("default") == one.default
        if one.kind in ("number", "whole"):
            assert (told["minimum"], told["maximum"]) == (one.low, one.high)
        elif one.kind == "choice":
            assert tuple(told["enum"]) == one.choices
        elif one.kind == "words":
            assert told["maxLength"] == one.high
