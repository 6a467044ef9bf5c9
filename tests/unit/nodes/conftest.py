"""A tiny checkpoint, and what the nodes make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.nodes.pack import NODES, module


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return module("acestep_core.weights.tiny").write_folder(
        tmp_path_factory.mktemp("models") / "tiny"
    )


@pytest.fixture(autouse=True)
def _only_this_checkpoint(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACESTEP_MODEL", str(checkpoint))


@pytest.fixture(autouse=True)
def _sampled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal runs are really done again: what they give is compared."""
    monkeypatch.setattr(module("nodes.again"), "kept", lambda *_: None)


@pytest.fixture(scope="session")
def model(checkpoint: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACESTEP_MODEL", str(checkpoint))
        return NODES["AceSuiteLoad"]().load("auto")[0]


@pytest.fixture(scope="session")
def words(model: Any) -> dict[str, Any]:
    """What the sampler is connected to."""
    (tags,) = NODES["AceSuiteTagEncode"]().encode(model, "pop, piano")
    lyrics, _ = NODES["AceSuiteLyricEncode"]().encode(model, "[verse]\n\n[inst]")
    return {"model": model, "tags": tags, "lyrics": lyrics}
