"""Writes the page of all settings from their table.

    python -m scripts.settings           docs/settings.md
    python -m scripts.settings --check   writes nothing; fails where the page is not current

acestep_core/settings -> a table for each section: what it does, what it may be, where it is found
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from acestep_core.faces import CHOICES, Offered, default_of, offered_at
from acestep_core.hosted.parameters import ENDPOINTS
from acestep_core.settings import SECTIONS, At, Setting, Value, in_digits
from acestep_core.settings.making import MAKING

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "settings.md"
TITLES = ROOT / "locales" / "en" / "nodeDefs.json"
MOST_COMMANDS = 3  # that are named; of more it is said how the others are found
HEAD = """# Settings

Every setting, what it may be and where it is found. This page is written from the [table of
settings](../acestep_core/settings/__init__.py) by `python -m scripts.settings`; the command line,
the nodes, the hosted endpoints and their checks are made of the same table.

*Usually* is what a setting is where nobody says otherwise. In brackets is what a place has of its
own. An option without commands behind it is known to every command that makes music. The boxes of
the [hosted endpoints](api.md) have those endpoints' names. What a record calls a setting, and
ComfyUI's own word where there is one, stand at the end.
"""
COLUMNS = "| setting | may be | usually | where |\n|---|---|---|---|"


def page() -> str:
    titles = {
        name: node["display_name"].removesuffix(" (ACE-Step)")
        for name, node in json.loads(TITLES.read_text(encoding="utf-8")).items()
    }
    parts = [HEAD]
    for name, rows in SECTIONS.items():
        lines = [_line(row, titles) for row in rows]
        parts.append("\n".join([f"## {name}", "", COLUMNS, *lines, ""]))
    return "\n".join(parts)


def _line(row: Setting, titles: dict[str, str]) -> str:
    what = f"**{row.label}**<br>{row.about}"
    choices = row.choices or CHOICES.get(row.key, ())
    allowed = _range(row.low, row.high, row.unit) if row.kind != "words" else ""
    allowed = allowed or ", ".join(f"`{one}`" for one in choices) or _kind(row)
    places = [text for at in row.at for text in _places(row, at, titles)]
    places += [f"record `{row.record}`"] if row.record else []
    places += [f"ComfyUI `{row.host}`"] if row.host else []
    cells = (what, allowed, _value(default_of(row.key)), "; ".join(places))
    return f"| {' | '.join(cells)} |"


def _kind(row: Setting) -> str:
    return {"switch": "on, off", "choice": "what is found"}.get(row.kind or "", "a text")


def _range(low: float | None, high: float | None, unit: str) -> str:
    if low is None or high is None:
        return ""
    return f"{_number(low)} - {_number(high)}{f' {unit}' if unit else ''}"


def _number(value: float) -> str:
    return in_digits(round(value, 4))


def _value(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return f"`{' '.join(value.split())}`" if value else "empty"
    return _number(value)


def _places(row: Setting, at: At, titles: dict[str, str]) -> Iterator[str]:
    """Where one entry of a row is found, in words."""
    places = (at.places,) if isinstance(at.places, str) else at.places
    name = at.name or row.field
    nodes = [titles[place] for place in places if place in titles]
    hosted = [f"`{place}`" for place in places if place in ENDPOINTS]
    commands = [place for place in places if place not in titles and place not in ENDPOINTS]
    own = _own(row, at, offered_at(places[0])[name])
    if commands:
        yield f"`{name}`{_of(commands)}{own}"
    if nodes:
        yield f"{', '.join(nodes)} `{name}`{own}"
    if hosted:
        yield f"hosted `{name}` of {', '.join(hosted)}{own}"


def _of(commands: list[str]) -> str:
    missing = [name for name in MAKING if name not in commands]
    if not missing:
        return ""
    if len(commands) > MOST_COMMANDS:
        return f" (not {', '.join(f'`{name}`' for name in missing)})"
    return f" of {', '.join(f'`{name}`' for name in commands)}"


def _own(row: Setting, at: At, one: Offered) -> str:
    """What is otherwise here than in the row."""
    told = []
    if one.kind in ("text", "words"):
        told += [f"at most {_number(at.high)} characters"] if at.high else []
    elif (one.low, one.high) != (row.low, row.high):
        told.append(_range(one.low, one.high, row.unit))
    if at.choices:
        told.append(", ".join(f"`{name}`" for name in at.choices))
    told += [f"also `{at.also}`"] if at.also else []
    if not at.is_open and one.default != default_of(row.key):
        told.append(f"usually {_value(one.default)}" if one.default is not None else "")
    told = [text for text in told if text]
    return f" ({'; '.join(told)})" if told else ""


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(words).check
    expected = page()
    if check and PAGE.read_text(encoding="utf-8") != expected:
        print(f"{PAGE.name} is not what the table says. Run: python -m scripts.settings")
        return 1
    if not check:
        PAGE.write_text(expected, encoding="utf-8")
        print(PAGE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
