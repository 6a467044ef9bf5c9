from __future__ import annotations

from pathlib import Path

import pytest

from acestep_core.cli import commands as cli
from tests.unit.command_kit import Run, Said


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """run("info", path): exit status and what was printed."""

    def run(*words: str | Path) -> Said:
        status = cli.main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return run


@pytest.fixture
def generate(run: Run, tiny_folder: Path) -> Run:
    return lambda *words: run("generate", "--model", tiny_folder, *words)
