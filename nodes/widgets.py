"""A node's inputs: widgets are made of the table of settings, sockets are written by their nodes.

row of the table -> (type, options), as ComfyUI's pages read them
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from ..acestep_core.faces import Offered, offered_at

Inputs: TypeAlias = dict[str, tuple[Any, dict[str, Any]]]

TYPES = {
    "number": "FLOAT",
    "whole": "INT",
    "switch": "BOOLEAN",
    "text": "STRING",
    "words": "STRING",
}
ROUND = 0.001  # without it pages save 0.9900000000000002
DRAWN = ("seed", "song_seed")  # rows; the page puts another number in after each run

MODEL: Inputs = {"model": ("ACESUITE_MODEL", {"tooltip": "From Load ACE-Step."})}
WORDS: Inputs = {
    "tags": ("ACESUITE_TAGS", {"tooltip": "From Tag Encode."}),
    "lyrics": ("ACESUITE_LYRICS", {"tooltip": "From Lyric Encode."}),
}


def widgets(node: str, names: str, **lists: Sequence[str]) -> Inputs:
    """Settings of a node by their names there, in this order, with spaces between.

    `lists` are the choices that the table cannot know, such as files; the first is the default.
    """
    offered = offered_at(node)
    return {name: _widget(offered[name], lists.get(name, ())) for name in names.split()}


def usual(node: str, name: str) -> Any:
    """What a setting is where an API prompt leaves it out."""
    return offered_at(node)[name].default


def _widget(one: Offered, found: Sequence[str]) -> tuple[Any, dict[str, Any]]:
    options: dict[str, Any] = {"tooltip": one.about}
    if one.is_open:
        options["forceInput"] = True  # no number could mean that none is given
    elif one.default is not None:
        options["default"] = float(one.default) if one.kind == "number" else one.default
    if one.kind == "choice":
        return [*(found or one.choices)], options
    if one.kind in ("number", "whole"):
        number = float if one.kind == "number" else int
        options |= {"min": number(one.low or 0), "max": number(one.high or 0)}
    if one.kind == "number":
        options |= {"step": one.step, "round": ROUND}
    if one.kind == "words":
        options["multiline"] = True  # no dynamicPrompts: it takes // and {} out of the words
    if one.row.key in DRAWN:
        options["control_after_generate"] = True
    return TYPES[one.kind], options
