"""The loader's list, with ComfyUI's model folders stood in for."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unit.nodes.pack import module

checkpoints, host = module("nodes.checkpoints"), module("nodes.host")
checkpoint, small = module("acestep_core.weights.checkpoint"), module("acestep_core.weights.small")


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty ComfyUI models folder, an empty home, and no small model in the pack."""
    folder = tmp_path / "models"
    folder.mkdir()

    def files(name: str) -> list[str]:
        place = folder / name
        return sorted(p.relative_to(place).as_posix() for p in place.rglob("*.safetensors"))

    monkeypatch.setattr(host, "model_files", files)
    monkeypatch.setattr(host, "path_of", lambda name, file: folder / name / file)
    monkeypatch.setattr(host, "model_folders", lambda: [folder / host.FOLDER])
    monkeypatch.setattr(host, "models_folder", lambda: folder)
    monkeypatch.setattr(small, "FOLDER", tmp_path / "small_model")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for name in ("ACESTEP_MODEL", "ACESTEP_VOCAB", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return folder


def make_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def make_folder(folder: Path) -> Path:
    for part in checkpoint.PARTS:
        make_file(folder / checkpoint.FOLDERS[part] / checkpoint.FILES[part])
    make_file(folder / "umt5-base" / "tokenizer.json")
    return folder


def test_empty_list_is_still_a_list(models: Path) -> None:
    assert checkpoints.choices() == ["auto", "download"]


def test_order_of_the_list(models: Path, tmp_path: Path) -> None:
    make_folder(models / "acestep" / "small")
    make_file(models / "acestep" / "one.safetensors")
    make_file(models / "checkpoints" / "sdxl.safetensors")
    make_file(models / "diffusion_models" / "music" / "ace.safetensors")
    make_folder(models / "TTS" / "ACE-Step-v1-3.5B")
    make_folder(tmp_path / "home" / ".cache" / "ace-step" / "checkpoints")
    assert checkpoints.choices() == [
        "auto",
        "checkpoints/sdxl.safetensors",
        "diffusion_models/music/ace.safetensors",
        "acestep/one.safetensors",
        "acestep/small",
        "models/TTS/ACE-Step-v1-3.5B",
        "~/.cache/ace-step/checkpoints",
        "download",
    ]


def test_folder_without_a_name_of_its_own(models: Path) -> None:
    make_folder(models / "acestep")
    assert checkpoints.choices() == ["auto", "acestep", "download"]
    assert checkpoints.chosen("acestep") == models / "acestep"


def test_every_entry_is_found_again(models: Path, tmp_path: Path) -> None:
    places = {
        "checkpoints/sdxl.safetensors": make_file(models / "checkpoints" / "sdxl.safetensors"),
        "acestep/small": make_folder(models / "acestep" / "small"),
        "~/acestep/models": make_folder(tmp_path / "home" / "acestep" / "models"),
    }
    for entry, place in places.items():
        assert checkpoints.chosen(entry) == place


def test_auto_passes_over_other_models_and_half_folders(models: Path) -> None:
    make_file(models / "checkpoints" / "sdxl.safetensors")
    half = make_folder(models / "acestep" / "half")
    (half / "umt5-base" / "tokenizer.json").unlink()
    whole = make_folder(models / "acestep" / "whole")
    assert checkpoints.chosen("auto") == whole
    single = make_file(models / "checkpoints" / "audio" / "ace_step_v1_3.5b.safetensors")
    assert checkpoints.chosen("auto") == single


def test_nothing_found_says_what_to_do(models: Path) -> None:
    with pytest.raises(checkpoint.CheckpointError, match=r"models/checkpoints.*download \(8.3 GB"):
        checkpoints.chosen("auto")
    with pytest.raises(checkpoint.CheckpointError, match="no longer there"):
        checkpoints.chosen("acestep/gone")


def test_auto_takes_the_small_model_only_where_there_is_no_other(models: Path) -> None:
    place = make_folder(small.FOLDER)
    assert checkpoints.choices() == ["auto", checkpoints.SMALL, "download"]
    assert checkpoints.chosen("auto") == checkpoints.chosen(checkpoints.SMALL) == place
    other = make_folder(models / "acestep" / "other")
    assert checkpoints.chosen("auto") == other
    assert checkpoints.chosen(checkpoints.SMALL) == place


def test_fingerprint_follows_the_file(models: Path) -> None:
    before = checkpoints.fingerprint("auto")
    folder = make_folder(models / "acestep" / "small")
    first = checkpoints.fingerprint("auto")
    assert first == checkpoints.fingerprint("acestep/small") != before
    os.utime(folder / checkpoints.MARK, ns=(1, 1))
    assert checkpoints.fingerprint("auto") != first
    assert checkpoints.fingerprint("acestep/gone") == checkpoints.fingerprint("acestep/gone")


def test_nothing_that_is_saved_names_a_folder(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries are saved with the workflow, marks with the prompt."""
    place = make_folder(tmp_path / "mnt" / "ann" / "mine")
    monkeypatch.setenv("ACESTEP_MODEL", str(place))
    make_folder(models / "acestep" / "other")
    assert checkpoints.choices()[1:3] == ["acestep/other", "elsewhere/mine"]
    assert checkpoints.chosen("elsewhere/mine") == place
    for entry in checkpoints.choices():
        assert re.fullmatch("[0-9a-f]{32}", checkpoints.fingerprint(entry))


@pytest.mark.parametrize("has_vocabulary", [True, False])
def test_download_goes_where_the_list_looks(
    models: Path, monkeypatch: pytest.MonkeyPatch, has_vocabulary: bool
) -> None:
    fetched: list[Any] = []

    def download(folder: Path) -> Path:
        fetched.append(folder)
        return make_folder(folder / "ACE-Step-v1-3.5B")

    def path(self: Any) -> Path:
        if not has_vocabulary:
            raise checkpoints.VocabularyError("not found")
        return models

    monkeypatch.setattr(checkpoints, "download", download)
    monkeypatch.setattr(checkpoints, "download_vocabulary", fetched.append)
    monkeypatch.setattr(checkpoints.Vocabulary, "path", path)
    place = checkpoints.chosen("download")
    assert fetched == [models / "acestep"] + ([] if has_vocabulary else [place])
    assert "acestep/ACE-Step-v1-3.5B" in checkpoints.choices()
