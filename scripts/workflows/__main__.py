"""Writes the shipped workflows: python -m scripts.workflows (see the package)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from scripts.workflows import cards
from scripts.workflows.blueprints import BLUEPRINTS, file_of
from scripts.workflows.catalogue import WORKFLOWS
from scripts.workflows.form import page_form, prompt_form
from scripts.workflows.model import Workflow

ROOT = Path(__file__).resolve().parents[2]
PLACE, SUBGRAPHS = ROOT / "workflows", ROOT / "subgraphs"


def files(workflow: Workflow) -> dict[Path, str]:
    return {
        PLACE / f"{workflow.file}.json": _text(page_form(workflow)),
        PLACE / "api" / f"{workflow.name}.json": _text(prompt_form(workflow)),
    }


def blueprints() -> dict[Path, str]:
    return {SUBGRAPHS / f"{one.name}.json": _text(file_of(one)) for one in BLUEPRINTS}


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.workflows", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    parser.add_argument("--cards", action="store_true", help="the template browser's pictures too")
    asked = parser.parse_args(arguments)
    wrong = []
    all_files = [one for workflow in WORKFLOWS for one in files(workflow).items()]
    for path, text in [*all_files, *blueprints().items()]:
        if asked.check:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                wrong.append(path.name)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for workflow in WORKFLOWS if asked.cards else ():
        cards.write(workflow, PLACE / f"{workflow.file}.jpg")
    for name in wrong:
        print(f"{name} is not what its description says: run python -m scripts.workflows.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
