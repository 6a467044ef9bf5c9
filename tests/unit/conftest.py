"""The tiny checkpoint: written once, loaded once, for every test that needs a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from acestep_core.editing import ends, job
from acestep_core.networks.transformer import Transformer
from acestep_core.pipeline import ACEStep
from acestep_core.weights.tiny import write_folder

from .clip_kit import StubPipe

Drawn = Callable[..., Tensor]


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny checkpoint as a folder. Never written to; copy it first."""
    return write_folder(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def pipe(tiny_folder: Path) -> ACEStep:
    return ACEStep.load(tiny_folder)


@pytest.fixture(scope="session")
def transformer(pipe: ACEStep) -> Transformer:
    return pipe.model.transformer.module


@pytest.fixture(scope="session")
def drawn() -> Drawn:
    """drawn(2, 3, seed=1): normal numbers of that shape, the same ones every time."""

    def draw(*shape: int, seed: int = 0) -> Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed))

    return draw


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and none of the variables that name models: the home's path."""
    for name in ("ACESTEP_MODEL", "ACESTEP_VOCAB", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(Path, "home", lambda: home)
    return home


@pytest.fixture
def stub() -> StubPipe:
    """In place of an ACEStep, for the tests of editing."""
    return StubPipe()


@pytest.fixture
def short_limit(monkeypatch: pytest.MonkeyPatch) -> float:
    """Six seconds take the place of 240."""
    for module in (job, ends):
        monkeypatch.setattr(module, "MAX_SECONDS", 6.0)
    return 6.0
