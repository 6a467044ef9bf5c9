"""`dev.py new node`: what it lays down is registered, told in both languages, and runs.

the tracked tree, copied -> new node -> the tests of the copy
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import new_node

COPIED = ("acestep_core", "nodes", "locales", "web", "tests", "scripts", "bench", "training")
FILES = ("__init__.py", "dev.py", "pyproject.toml", "requirements.txt", "requirements-dev.txt")
NAME = "Trial of a Node"  # not that of docs/adding.md, which a contributor may have typed
CONCERNED = ("test_structure.py", "test_faces.py", "nodes/test_manners.py", "nodes/test_nodes.py")
CONCERNED += ("nodes/test_locales.py", "nodes/test_trial_of_a_node.py")
CONCERNED += ("nodes/test_help_languages.py",)
# Their tests of this node, and those of all nodes together.
BROKEN_BY_NODES = "trial or menu or added_later or language or english or chinese or file_is_as"


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    heavy = shutil.ignore_patterns("__pycache__", "golden", "runs", "judges", "img", "api")
    for name in COPIED:
        shutil.copytree(root / name, tmp_path / name, ignore=heavy)
    for name in FILES:
        shutil.copy(root / name, tmp_path)
    (tmp_path / "workflows").mkdir()
    return tmp_path


def test_what_is_laid_down_passes_the_tests(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert new_node.main([NAME, "--menu", "words"], copy) == 0
    told = capsys.readouterr().out.splitlines()
    laid = [line for line in told if "/" in line and " " not in line]
    assert len(laid) == 9
    assert all((copy / name).is_file() for name in laid)
    concerned = [f"tests/unit/{name}" for name in CONCERNED]
    pytest_ = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *concerned]
    done = subprocess.run(
        [*pytest_, "-k", BROKEN_BY_NODES], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    ruff = [[sys.executable, "-m", "ruff", *one] for one in (["check"], ["format", "--check"])]
    for command in ruff:
        linted = [name for name in laid if name.endswith(".py")]
        done = subprocess.run(
            [*command, *linted], cwd=copy, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_every_menu_can_be_named(root: Path) -> None:
    from tests.unit.nodes.pack import module

    assert new_node.menus(root) == list(module("nodes.manners").MENUS)
    for menu in new_node.menus(root):
        node = new_node.checked(NAME, menu, root)
        text = new_node._in_menu(node, menu, root)
        namespace: dict[str, dict[str, tuple[str, ...]]] = {}
        table = text[text.index("MENUS = {") : text.index("\n}") + 2]
        exec(table, namespace)
        before = module("nodes.manners").MENUS
        assert namespace["MENUS"] == {**before, menu: (*before[menu], node.id)}


@pytest.mark.parametrize(
    ("words", "menu", "reason"),
    [
        ("Sampler", "words", "There is a node AceSuiteSampler already"),
        ("3 bands", "words", "is no name for a node"),
        ('say "hm"', "words", "is no name for a node"),
        ("  ", "words", "is no name for a node"),
        (NAME, "nowhere", "must be one of: song, "),
    ],
)
def test_what_cannot_be_is_refused(words: str, menu: str, reason: str, root: Path) -> None:
    with pytest.raises(SystemExit, match=reason):
        new_node.checked(words, menu, root)
