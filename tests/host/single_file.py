"""A folder checkpoint as the one file that ComfyUI users have."""

from __future__ import annotations

import io
import json
import string
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from acestep_core.weights.checkpoint import (
    CONFIG_ENTRY,
    FILES,
    FOLDERS,
    PARTS,
    PREFIXES,
    TOKENIZER_KEY,
)
from acestep_core.weights.tiny import CONFIG


def write_single_file(folder: Path, path: Path) -> Path:
    tensors, sizes = {}, {}
    for part in PARTS:
        place = folder / FOLDERS[part]
        stored = load_file(place / FILES[part])
        tensors.update({PREFIXES[part][0] + key: value for key, value in stored.items()})
        sizes[part] = json.loads((place / "config.json").read_text(encoding="utf-8"))
    tensors[TOKENIZER_KEY] = torch.frombuffer(bytearray(_characters()), dtype=torch.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, {CONFIG_ENTRY: json.dumps(sizes)})
    return path


def _characters() -> bytes:
    """A SentencePiece model whose pieces are the printable ASCII characters."""
    from sentencepiece import SentencePieceTrainer

    model = io.BytesIO()
    SentencePieceTrainer.Train(
        sentence_iterator=iter(string.printable[:94] * 8),
        model_writer=model,
        model_type="char",
        vocab_size=90,
        character_coverage=1.0,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    return model.getvalue()


def write_adapter(path: Path, width: int = CONFIG.transformer.inner_dim) -> Path:
    """A LoRA for the tiny transformer, loud enough to be noticed."""
    name = "transformer_blocks.0.attn.to_q"
    generator = torch.Generator().manual_seed(2)
    down, up = (torch.randn(shape, generator=generator) for shape in ((2, width), (width, 2)))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, path)
    return path
