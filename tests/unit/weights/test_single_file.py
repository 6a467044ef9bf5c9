"""A folder and the file made of it are the same model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from acestep_core.cli.commands import main
from acestep_core.pipeline import ACEStep
from acestep_core.types import Recipe, Sampling, TextToMusic
from acestep_core.weights.checkpoint import CheckpointError, recognise
from acestep_core.weights.single_file import write_single_file
from acestep_core.weights.small import FOLDER


def test_it_makes_the_same_music(tiny_folder: Path, pipe: ACEStep, tmp_path: Path) -> None:
    path = write_single_file(tiny_folder, tmp_path / "all.safetensors")
    found = recognise(path)
    assert (found.layout, found.is_demo, found.sound) == ("single file", True, "vocoder")
    recipe = Recipe("pop, piano", "[inst]", TextToMusic(1.0), sampling=Sampling(2), seeds=(3,))
    latent = ACEStep.load(path).generate(recipe).latent
    assert torch.equal(latent.z, pipe.generate(recipe).latent.z)


def test_what_sounds_it_goes_with_it(tiny_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_folder, tmp_path / "folder")
    about = (folder / "model.json").read_text(encoding="utf-8")
    changed = about.replace('"demo"', '"sound": "griffin_lim", "demo"')
    (folder / "model.json").write_text(changed, encoding="utf-8")
    path = write_single_file(folder, tmp_path / "all.safetensors")
    assert recognise(path).sound == recognise(folder).sound == "griffin_lim"
    (folder / "model.json").write_text(changed.replace("griffin", "gryphon"), encoding="utf-8")
    with pytest.raises(CheckpointError, match="gryphon_lim"):
        recognise(folder)


def test_on_demand_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "small.safetensors"
    assert main(["single-file", "-o", str(path)]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    found, folder = recognise(path), recognise(FOLDER)
    assert (found.is_demo, found.sound) == (True, folder.sound)
    assert path.stat().st_size <= 32_000_000
    assert main(["single-file", str(tmp_path), "-o", str(path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_what_cannot_be_made_is_said(tiny_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"all\.ckpt does not end in \.safetensors"):
        write_single_file(tiny_folder, tmp_path / "all.ckpt")
    folder = shutil.copytree(tiny_folder, tmp_path / "folder")
    shutil.rmtree(folder / "music_vocoder")
    with pytest.raises(CheckpointError, match="music_vocoder"):
        write_single_file(folder, tmp_path / "all.safetensors")
