"""Python in the documents: what it imports exists, and the readme's examples run."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from acestep_core import ACEStep

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def blocks(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


WITH_CODE = [page for page in PAGES if blocks(page)]


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
def test_names_that_a_document_imports_exist(page: Path) -> None:
    for block in blocks(page):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module:
                home = import_module(node.module)
                missing = [name.name for name in node.names if not hasattr(home, name.name)]
                assert not missing, f"{page.name}: {node.module} has no {missing}"


def test_the_readmes_examples_run(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the tiny model, with shorter clips and fewer steps."""
    monkeypatch.chdir(tmp_path)
    load = ACEStep.load
    monkeypatch.setattr(ACEStep, "load", lambda path, device: load(tiny_folder))
    code = "\n".join(blocks(ROOT / "README.md"))
    for long, short in (
        ("TextToMusic(60), seeds=(42,)", "TextToMusic(2), seeds=(42,), sampling=Sampling(2)"),
        ("Region(10, 14)", "Region(0.5, 1.5)"),
    ):
        assert long in code
        code = code.replace(long, short)
    exec(compile(f"from acestep_core import Sampling\n{code}", "README.md", "exec"), {})
    assert (tmp_path / "song.flac").stat().st_size > 1000
    assert (tmp_path / "again.flac").stat().st_size > 1000
