from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from acestep_core.conditions.tags import END, encode_tags, tag_ids
from acestep_core.pipeline import ACEStep
from acestep_core.settings import SettingError
from acestep_core.weights.checkpoint import CheckpointError, recognise
from acestep_core.weights.tokenizer import tokenizer_of
from bench.synthetic import sentencepiece_model

KEY = "text_encoders.spiece_model"


@pytest.fixture(scope="module")
def spiece() -> bytes:
    return sentencepiece_model()


def single_file(folder: Path, content: bytes) -> Path:
    """The least that is recognised as a part, with a SentencePiece model inside."""
    path = folder / "one.safetensors"
    tensors = {
        KEY: torch.frombuffer(bytearray(content), dtype=torch.uint8),
        "vae.vocoder.backbone.channel_layers.0.0.bias": torch.zeros(1),
    }
    save_file(tensors, path)
    return path


def test_ids_of_the_folders_file(tiny_folder: Path) -> None:
    """The tiny one knows printable characters: their code less 29."""
    tokenizer = tokenizer_of(recognise(tiny_folder))
    assert tokenizer("Pop, a") == [ord(c) - 29 for c in "Pop, a"]
    assert tokenizer("\u00e9") == [2]


def test_settings_inside_the_file_do_not_decide_the_length(
    tiny_folder: Path, tmp_path: Path
) -> None:
    """Files of transformers may carry truncation and padding of whoever saved them."""
    shutil.copytree(tiny_folder, tmp_path / "m")
    path = tmp_path / "m" / "umt5-base" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=9)
    tokenizer.save(str(path))
    assert len(tokenizer_of(recognise(tmp_path / "m"))("abcdefg")) == 7
    assert len(tokenizer_of(recognise(tmp_path / "m"))("ab")) == 2


def test_ids_of_the_bytes_in_a_single_file(spiece: bytes, tmp_path: Path) -> None:
    from sentencepiece import SentencePieceProcessor

    processor = SentencePieceProcessor(model_proto=spiece)
    tokenizer = tokenizer_of(recognise(single_file(tmp_path, spiece)))
    ids = tokenizer("pop piano 120 bpm")
    pieces = [processor.IdToPiece(number) for number in ids]
    assert "".join(pieces).replace("\u2581", " ").strip() == "pop piano 120 bpm"
    assert END not in ids
    assert tokenizer("\u96e8") == [processor.PieceToId("\u2581"), 2]


def test_the_end_is_added_and_is_at_most_the_256th(tiny_folder: Path) -> None:
    tokenizer = tokenizer_of(recognise(tiny_folder))
    assert tag_ids("ab", tokenizer) == [68, 69, 1]
    assert len(tag_ids("x" * 254, tokenizer)) == 255
    full = tag_ids("x" * 255, tokenizer)
    assert (len(full), full[-2:]) == (256, [91, 1])
    assert tag_ids("x" * 5000, tokenizer) == full


def test_without_a_tokenizer(tiny_folder: Path) -> None:
    checkpoint = dataclasses.replace(recognise(tiny_folder), tokenizer=None)
    message = rf"no tag tokenizer: neither umt5-base/tokenizer.json nor a tensor {KEY}"
    with pytest.raises(CheckpointError, match=message):
        tokenizer_of(checkpoint)


def test_damaged_tokenizers(tiny_folder: Path, spiece: bytes, tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text("{", encoding="utf-8")
    checkpoint = dataclasses.replace(recognise(tiny_folder), tokenizer=path)
    with pytest.raises(CheckpointError, match=r"tokenizer.json is not a tokenizer file"):
        tokenizer_of(checkpoint)
    checkpoint = recognise(single_file(tmp_path, b"no model" + spiece[:50]))
    with pytest.raises(CheckpointError, match=rf"{KEY} in .*one.safetensors is damaged"):
        tokenizer_of(checkpoint)


@pytest.mark.parametrize("text", ["", "  \n\t", None])
def test_empty_tags(text: str | None, pipe: ACEStep) -> None:
    model = pipe.model
    with pytest.raises(SettingError, match=r"Tags are empty\. Describe the style: pop"):
        encode_tags(text, model.tokenizer, model.text_encoder)


def test_states_of_a_prompt(pipe: ACEStep) -> None:
    model = pipe.model
    with torch.no_grad():
        tags = encode_tags("Pop, 120 BPM", model.tokenizer, model.text_encoder)
        same = encode_tags("Pop, 120 BPM", model.tokenizer, model.text_encoder, weak=False)
        lower = encode_tags("pop, 120 bpm", model.tokenizer, model.text_encoder)
    assert tags.states.shape == (1, 13, 32)
    assert tags.mask.tolist() == [[1] * 13]
    assert tags.text == "Pop, 120 BPM"
    assert torch.equal(tags.states, same.states)
    assert same.weak_states is None
    assert tags.weak_states is not None
    assert not torch.allclose(tags.weak_states, tags.states, atol=1e-3)
    assert not torch.allclose(tags.states, lower.states, atol=1e-3)  # the prompt goes in unchanged
