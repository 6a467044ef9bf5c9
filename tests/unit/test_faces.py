"""The table of settings against the faces that are made of it."""

from __future__ import annotations

import argparse
import ast
import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch

from acestep_core.cli.commands import parser
from acestep_core.faces import OWNERS, default_of, offered_at
from acestep_core.hosted.parameters import ENDPOINTS
from acestep_core.hosted.requests import model_of
from acestep_core.records.record import Record
from acestep_core.settings import AUTO, TABLE, Setting, SettingError
from acestep_core.types import Region
from tests.unit.nodes.pack import NODES, ROOT

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
        "--out --expand --dry-run --workers --threads --shard --max-errors --retry-failed",
        "--engine --address --loudness-range",
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


NODE_KINDS = {"number": "FLOAT", "whole": "INT", "switch": "BOOLEAN"}


def widgets_of(node: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    """What a node shows but for sockets."""
    groups = NODES[node].INPUT_TYPES()
    inputs = {**groups["required"], **groups.get("optional", {})}
    return {
        name: (kind, options)
        for name, (kind, options) in inputs.items()
        if isinstance(kind, list)
        or kind in ("FLOAT", "INT", "BOOLEAN")
        or (kind == "STRING" and "forceInput" not in options)
    }


@pytest.mark.parametrize("node", NODES)
def test_widget_is_as_the_table_has_it(node: str) -> None:
    widgets, offered = widgets_of(node), offered_at(node)
    assert set(widgets) == set(offered)
    for name, one in offered.items():
        kind, options = widgets[name]
        assert options["tooltip"].startswith(one.about)
        assert options.get("default") == one.default
        if one.kind == "choice":
            assert one.choices in ((), tuple(kind))  # (): files, and what else the disk has
            assert one.default is None or one.default in kind
        else:
            assert kind == NODE_KINDS.get(one.kind, "STRING")
            assert options.get("multiline", False) == (one.kind == "words")
        if one.kind in ("number", "whole"):
            assert (options["min"], options["max"]) == (one.low, one.high)
        if one.kind == "number":
            assert options["step"] == one.step


@pytest.mark.parametrize("node", NODES)
def test_prompt_may_leave_out_what_the_table_has_a_default_of(node: str) -> None:
    """ComfyUI hands on no defaults of widgets: those of the functions must be the same."""
    offered = offered_at(node)
    for function in (NODES[node].FUNCTION, "IS_CHANGED"):
        given = inspect.signature(getattr(NODES[node], function, lambda: None)).parameters
        for name in set(given) & set(offered):
            default = given[name].default
            assert default in (inspect.Parameter.empty, None, offered[name].default), name


def source_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted((ROOT / "nodes").glob("*.py")), ids=lambda one: one.name)
def test_no_widget_is_written_by_hand(path: Path) -> None:
    """Ranges, steps and usual numbers stand in the table; a node names its settings."""
    settings = {name for node in NODES for name in offered_at(node)}
    for one in ast.walk(source_of(path)):
        if isinstance(one, ast.Dict) and path.name != "widgets.py":
            keys = {ast.literal_eval(key) for key in one.keys if isinstance(key, ast.Constant)}
            assert not keys & {"min", "max", "step", "round", "default"}, one.lineno
        if isinstance(one, ast.FunctionDef):
            named = [*one.args.posonlyargs, *one.args.args]
            usual = zip(named[::-1], one.args.defaults[::-1], strict=False)
            both = [*usual, *zip(one.args.kwonlyargs, one.args.kw_defaults, strict=True)]
            numbers = [name.arg for name, value in both if _is_number(value)]
            assert not settings & set(numbers), one.lineno


def _is_number(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


@pytest.mark.parametrize("key", ["dtype", "codec_dtype"])
def test_names_of_dtypes_are_torchs(key: str) -> None:
    first, *names = TABLE[key].choices or ()
    assert first == AUTO
    assert {type(getattr(torch, name)) for name in names} == {torch.dtype}
