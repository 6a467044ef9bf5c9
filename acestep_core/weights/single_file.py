"""A checkpoint folder as one file, for those who keep models that way.

    folder of four parts, tokenizer, model.json -> tensors under ComfyUI's prefixes, metadata

Sizes, name, card and what sounds the model stand in the file's metadata; the tokenizer goes in as
bytes: tokenizer.json, since a SentencePiece model cannot be made from it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from ..atomic import check_place, replaced
from .checkpoint import (
    CARD_ENTRY,
    CONFIG_ENTRY,
    NAME_ENTRY,
    PARTS,
    PREFIXES,
    SOUND_ENTRY,
    TOKENIZER_JSON_KEY,
    CheckpointError,
    names_in,
    opened,
    recognise,
)


def write_single_file(folder: Path, path: Path) -> Path:
    """Write the whole checkpoint into one .safetensors file; all of it is in memory meanwhile."""
    from safetensors.torch import save_file

    if path.suffix != ".safetensors":
        raise CheckpointError(f"{path} does not end in .safetensors, the only kind that is read.")
    checkpoint = recognise(folder)
    checkpoint.require(*PARTS)
    tensors: dict[str, Tensor] = {}
    for part in PARTS:
        stored = checkpoint.parts[part]
        with opened(stored.path) as file:
            for name in names_in(file):
                key = PREFIXES[part][0] + name.removeprefix(stored.prefix)
                tensors[key] = file.get_tensor(name)
    if checkpoint.tokenizer is None:
        raise CheckpointError(f"{folder} has no tokenizer.json beside its text encoder.")
    content = bytearray(checkpoint.tokenizer.read_bytes())
    tensors[TOKENIZER_JSON_KEY] = torch.frombuffer(content, dtype=torch.uint8)
    about = {
        CONFIG_ENTRY: json.dumps({p: asdict(getattr(checkpoint.config, p)) for p in PARTS}),
        NAME_ENTRY: checkpoint.name,
        SOUND_ENTRY: checkpoint.sound,
        CARD_ENTRY: json.dumps(checkpoint.card.as_data()),
    }
    with replaced(check_place(path)) as temporary:
        save_file(tensors, str(temporary), about)
    return path
