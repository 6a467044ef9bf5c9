"""Menus and advanced settings: complete, true to the nodes, and nothing needed out of sight."""

from __future__ import annotations

import json

import pytest

from tests.unit.nodes.pack import NODES, ROOT, module

manners = module("nodes.manners")


def test_every_node_stands_in_one_menu() -> None:
    placed = [kind for kinds in manners.MENUS.values() for kind in kinds]
    assert sorted(placed) == sorted(NODES)
    for menu, kinds in manners.MENUS.items():
        assert {NODES[kind].CATEGORY for kind in kinds} == {f"ACE-Step/{menu}"}


def test_menus_are_named_in_chinese_too() -> None:
    text = (ROOT / "locales" / "zh" / "main.json").read_text(encoding="utf-8")
    assert set(json.loads(text)["nodeCategories"]) == set(manners.MENUS)


@pytest.mark.parametrize("kind", sorted(NODES))
def test_advanced_are_the_named_inputs(kind: str) -> None:
    groups = NODES[kind].INPUT_TYPES()
    marked = {
        name
        for group in ("required", "optional")
        for name, given in groups.get(group, {}).items()
        if given[1].get("advanced")
    }
    assert marked == manners.ADVANCED.get(kind, set())


def test_regions_lengths_and_words_are_never_out_of_sight() -> None:
    """0.3.64 hides what is advanced behind a right click."""
    times = {"start", "end", "start_from", "end_from", "feather", "before", "after", "seconds"}
    hosted = {"start_time", "end_time", "duration", "start_time_relative_to"}
    hosted |= {"end_time_relative_to", "extend_before_duration", "extend_after_duration"}
    words = {"tags", "lyrics", "prompt", "original_tags", "original_lyrics"}
    for kind, names in manners.ADVANCED.items():
        assert not names & (times | hosted | words), kind
        assert not names & set(NODES[kind].INPUT_TYPES()["required"]), kind
