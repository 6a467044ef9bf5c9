from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from acestep_core.cli.info import describe
from acestep_core.weights.checkpoint import CheckpointError


def text_of(*paths: Path) -> str:
    return "\n".join(describe(paths))


def test_a_checkpoint(tiny_folder: Path) -> None:
    text = text_of(tiny_folder)
    assert text.startswith("tiny random demonstration model (noise): ACE-Step v1, folder\n")
    assert "  dcae          192 tensors, 0.8 M numbers, F32\n" in text
    assert "  vocoder       594 tensors, 5.0 M" in text
    assert f"  tokenizer     {tiny_folder / 'umt5-base' / 'tokenizer.json'}\n" in text
    assert text.endswith("This is a demonstration model.")


def test_a_component_file_says_what_is_missing(tiny_folder: Path) -> None:
    path = tiny_folder / "music_dcae_f8c8" / "diffusion_pytorch_model.safetensors"
    lines = describe([path])
    assert next(lines) == "diffusion_pytorch_model.safetensors: ACE-Step v1, components"
    assert next(lines).split() == ["transformer", "missing"]
    with pytest.raises(CheckpointError, match=r"is incomplete: transformer, vocoder, text_encod"):
        list(lines)


def adapter(path: Path, **more: torch.Tensor) -> Path:
    name = "transformer_blocks.3.attn.to_q"
    tensors = {
        f"{name}.lora_A.weight": torch.ones(4, 64),
        f"{name}.lora_B.weight": torch.ones(64, 4),
        **{f"{name}.{key}": value for key, value in more.items()},
    }
    path.parent.mkdir(exist_ok=True)
    save_file(tensors, path)
    return path


def test_an_adapter(tmp_path: Path) -> None:
    text = text_of(adapter(tmp_path / "rap.safetensors", alpha=torch.tensor(8.0)))
    assert text.splitlines()[0] == f"{tmp_path / 'rap.safetensors'}: LoRA rap for ACE-Step v1"
    assert "  1 x LoRA of rank 4\n  alpha / rank of its modules, always applied: 2" in text
    adapter(tmp_path / "folder" / "pytorch_lora_weights.safetensors")
    text = text_of(tmp_path / "folder")
    assert "LoRA folder for" in text
    assert "training scale of the whole file, an option: not stated" in text
    assert "always applied" not in text


def test_latents(tmp_path: Path) -> None:
    save_file({"latent": torch.zeros(2, 8, 16, 645)}, tmp_path / "a.safetensors")
    expected = f"{tmp_path / 'a.safetensors'}: 2 latent(s) of 645 frames, 59.907 s"
    assert text_of(tmp_path / "a.safetensors") == expected


def test_files_that_are_none_of_these(tmp_path: Path, tiny_folder: Path) -> None:
    (tmp_path / "notes.txt").write_text("pop", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"notes.txt is not a whole safetensors file"):
        text_of(tmp_path / "notes.txt")
    with pytest.raises(CheckpointError, match="does not exist"):
        text_of(tmp_path / "nowhere")
    shutil.copy(tiny_folder / "music_vocoder" / "config.json", tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        text_of(tmp_path / "a.safetensors")


def test_the_small_model_is_known_by_its_name_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = next(describe([Path("small_model")]))
    assert "ACE-Step v1, folder" in first
