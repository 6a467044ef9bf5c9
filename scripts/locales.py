"""Writes the English names and tooltips that the page shows, and says what Chinese lacks.

    python scripts/locales.py           locales/en/nodeDefs.json from the nodes; report on zh
    python scripts/locales.py --check   writes nothing; fails where a file is not as it should be

nodes.NODE_CLASS_MAPPINGS -> {id: {display_name, description, inputs, outputs}}

English is what the Python says, word for word. Chinese is written by hand, in the same shape.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAME = "acestep_suite_of_locales"
LANGUAGES = ("en", "zh")


def place(language: str) -> Path:
    return ROOT / "locales" / language / "nodeDefs.json"


def nodes() -> Mapping[str, Any]:
    return pack(NAME).NODE_CLASS_MAPPINGS


def pack(name: str) -> ModuleType:
    """The pack imported the way ComfyUI does it, under this name."""
    spec = importlib.util.spec_from_file_location(
        name, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def english(classes: Mapping[str, Any]) -> dict[str, Any]:
    # The page takes a dot for a step into the file.
    return {name.replace(".", "_"): _of(node) for name, node in classes.items()}


def _of(node: Any) -> dict[str, Any]:
    groups = node.INPUT_TYPES()
    given = {**groups.get("required", {}), **groups.get("optional", {})}
    results = zip(node.RETURN_NAMES, node.OUTPUT_TOOLTIPS, strict=True)
    return {
        "display_name": node.TITLE,
        "description": node.DESCRIPTION,
        "inputs": {
            name.replace(".", "_"): {"name": name, "tooltip": kind[1]["tooltip"]}
            for name, kind in given.items()
        },
        "outputs": {
            str(slot): {"name": name, "tooltip": tooltip}
            for slot, (name, tooltip) in enumerate(results)
        },
    }


def read(language: str) -> dict[str, Any]:
    return json.loads(place(language).read_text(encoding="utf-8"))


def written(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def texts(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every text: "AceSuiteLoad.inputs.dtype.tooltip"."""
    for key, one in value.items():
        here = f"{path}.{key}" if path else key
        if isinstance(one, Mapping):
            yield from texts(one, here)
        else:
            yield here, one


def findings(expected: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """What a language lacks, has left over, or leaves empty."""
    wanted, there = dict(texts(expected)), dict(texts(found))
    lacking = [f"missing: {path}  ({text})" for path, text in wanted.items() if path not in there]
    stale = [f"stale: {path}" for path in there if path not in wanted]
    return [*lacking, *stale, *(f"empty: {path}" for path, text in there.items() if not text)]


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(words).check
    expected = english(nodes())
    if not check:
        place("en").parent.mkdir(parents=True, exist_ok=True)
        place("en").write_text(written(expected), encoding="utf-8")
    found = []
    for language in LANGUAGES:
        there = read(language) if place(language).is_file() else {}
        found += [f"{language}: {finding}" for finding in findings(expected, there)]
    if check and read("en") != expected:
        found.append("en: not what the nodes say; run scripts/locales.py")
    sys.stdout.write("".join(f"{line}\n" for line in found) or "Both languages are complete.\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
