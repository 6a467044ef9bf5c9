from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from acestep_core.weights.checkpoint import FILES, FOLDERS
from acestep_core.weights.tiny import CONFIG, computed, shapes


def test_weights_come_from_their_names() -> None:
    """The recipe of the golden values: normal numbers seeded with the CRC-32 of the key."""
    w = computed("lyric_proj.weight", (64, 48))
    assert torch.equal(w, computed("lyric_proj.weight", (64, 48)))
    assert not torch.equal(w, computed("genre_embedder.weight", (64, 48)))
    first = np.random.RandomState(zlib.crc32(b"lyric_proj.weight")).standard_normal()
    assert w[0, 0] == pytest.approx(first / 48**0.5, rel=1e-5)


def test_a_tied_tensor_has_one_value() -> None:
    assert torch.equal(
        computed("shared.weight", (3, 4)), computed("encoder.embed_tokens.weight", (3, 4))
    )


def test_the_folder_is_a_small_checkpoint_of_true_names(tiny_folder: Path) -> None:
    for part, folder in FOLDERS.items():
        tensors = load_file(tiny_folder / folder / FILES[part])
        assert {key: tuple(t.shape) for key, t in tensors.items()} == shapes(part)
    sizes = json.loads((tiny_folder / "music_vocoder" / "config.json").read_text("utf-8"))
    assert sizes["num_mels"] == CONFIG.vocoder.num_mels
    assert sum(f.stat().st_size for f in tiny_folder.rglob("*")) < 50e6
