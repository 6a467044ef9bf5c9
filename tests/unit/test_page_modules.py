"""The page's modules that need no page, under node's own runner: node --test."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from acestep_core.types import Edit, Extend, Follow, Inpaint, Task
from tests.unit.nodes.pack import NODES

HERE = Path(__file__).parent / "page"
ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "web" / "js"
LEAST = 20  # of node: the first whose runner is no longer experimental
# Modules that may touch the page; all others are tested here.
OF_THE_PAGE = {
    *("comfy", "graft", "grey", "lines", "main", "panel", "players", "runs", "templates"),
    "writer",
    *(f"regions/{name}" for name in ("editor", "gestures", "mount", "outline", "paint")),
    *(f"regions/{name}" for name in ("player", "screen", "toolbar")),
}
SCRIPTS = sorted(PAGE.rglob("*.js"))


def name_of(path: Path) -> str:
    return path.relative_to(PAGE).with_suffix("").as_posix()


def version() -> int:
    node = shutil.which("node")
    if node is None:
        return 0
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.findall(r"\d+", said)[0])


@pytest.mark.parametrize("script", sorted(HERE.rglob("*.mjs")), ids=lambda path: path.stem)
def test_module(script: Path) -> None:
    if version() < LEAST:
        pytest.skip(f"no node {LEAST} or newer: the page's modules were NOT tested")
    command = ["node", "--test", "--test-reporter=tap", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"^# pass [1-9]", done.stdout, re.MULTILINE), done.stdout[-2000:]


def test_what_the_page_draws_is_told_again_when_it_is_cached() -> None:
    """Newer versions of ComfyUI send it once more for the nodes that say so."""
    text = (PAGE / "regions" / "values.js").read_text(encoding="utf-8")
    kinds = re.findall(r'^export const \w+ = "(AceSuite\w+)";', text, re.MULTILINE)
    assert len(kinds) >= 5
    assert all(NODES[kind].HAS_INTERMEDIATE_OUTPUT for kind in kinds)


def test_modules_are_tested_or_of_the_page() -> None:
    names = {name_of(path) for path in SCRIPTS}
    tested = {
        name
        for script in HERE.rglob("*.mjs")
        for name in re.findall(r"web/js/([\w/]+)\.js", script.read_text(encoding="utf-8"))
    }
    assert names == tested | OF_THE_PAGE


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_scripts_keep_to_themselves(path: Path) -> None:
    """Nothing from other servers, nothing for everybody; who may know the page's objects."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://", text)
    assert not re.search(r"\bwindow\.\w+\s*=|globalThis\.\w+\s*=|\.prototype\.", text)
    assert ("scripts/app.js" in text) == (path.stem == "comfy")
    assert len(text.splitlines()) <= 300
    for name in re.findall(r'from "(\.[^"]+)"', text):
        assert (path.parent / name).is_file() or "/scripts/" in name, f"{name} is not there"


def literals() -> Iterator[str]:
    """Every text in our sources, with {} for the values in it."""
    for path in (*(ROOT / "acestep_core").rglob("*.py"), *(ROOT / "nodes").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                parts = (p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
                yield "".join(map(str, parts))


def test_sentences_that_the_page_translates_are_said() -> None:
    said = {text.strip().removeprefix("Warning: ").lower() for text in literals()}
    text = (PAGE / "sentences.js").read_text(encoding="utf-8")
    rows = [json.loads(row) for row in re.findall(r'^  (\[".*"\]),$', text, re.M)]
    assert len(rows) > 100
    assert len({english for english, _ in rows}) == len(rows)
    for english, own in rows:
        assert english.lower() in said, f"no source says: {english}"
        places = sorted(int(place) for place in re.findall(r"\{(\d)\}", own))
        assert places == list(range(english.count("{}"))), f"a value is lost: {own}"


@pytest.mark.parametrize("task", [Inpaint, Extend, Edit, Follow])
def test_every_edit_has_a_name_in_both_languages(task: type[Task]) -> None:
    words = (PAGE / "words.js").read_text(encoding="utf-8")
    assert words.count(f" task_{task.__name__}: ") == 2
