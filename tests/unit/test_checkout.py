"""What is tracked stays light enough to be brought along."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST = 45_000_000  # bytes of all tracked files
LARGEST_PICTURE = 250_000
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".svg"}
ADVICE = "weights are committed again only for a reason that the commit names"


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    command = ["git", "ls-files", "-z"]
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout: nobody knows what is tracked")
    paths = [ROOT / name for name in found.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]  # one may just have been deleted


def test_the_checkout_is_light(tracked: list[Path]) -> None:
    assert len(tracked) > 100
    assert sum(path.stat().st_size for path in tracked) < MOST, ADVICE


def test_pictures_are_small(tracked: list[Path]) -> None:
    pictures = [path for path in tracked if path.suffix.lower() in PICTURES]
    assert len(pictures) > 10
    assert [path for path in pictures if path.stat().st_size > LARGEST_PICTURE] == []


def test_training_keeps_curves_and_no_weights(tracked: list[Path]) -> None:
    kept = {path.name for path in tracked if path.is_relative_to(ROOT / "training" / "runs")}
    assert {"losses.jsonl", "losses.png", "state.json"} <= kept
    assert {Path(name).suffix for name in kept} == {".jsonl", ".png", ".json"}, ADVICE
