"""A checkpoint of tiny networks whose weights are computed from their key names.

    key, shape -> CRC-32 of the key -> normal numbers -> tensor

It has the true layout, key names and layer counts, needs no download, and makes noise: it
is for tests and for showing that every part runs. The recipe is that of the golden values.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..config import (
    DCAEConfig,
    LyricEncoderConfig,
    ModelConfig,
    TextEncoderConfig,
    TransformerConfig,
    VocoderConfig,
)
from .checkpoint import FILES, FOLDERS, PARTS, key_map
from .model import NETWORKS

CONFIG = ModelConfig(
    TransformerConfig(
        attention_head_dim=16,
        num_attention_heads=4,
        inner_dim=64,
        speaker_embedding_dim=16,
        text_embedding_dim=32,
        lyric_hidden_size=48,
        lyric_encoder=LyricEncoderConfig(4, 96, 6),
    ),
    DCAEConfig(
        attention_head_dim=16,
        encoder_block_out_channels=(16, 32, 32, 64),
        decoder_block_out_channels=(16, 32, 32, 64),
    ),
    VocoderConfig(
        depths=(1, 1, 2, 1), dims=(16, 24, 32, 48), num_mels=48, upsample_initial_channel=256
    ),
    TextEncoderConfig(vocab_size=300, d_model=32, d_kv=8, d_ff=64, num_heads=4),
)
# A tied pair is one tensor; the recipe gives it the value of its second name.
TIED = {"shared.weight": "encoder.embed_tokens.weight"}
NAME = "tiny random demonstration model (noise)"


def computed(key: str, shape: Iterable[int]) -> Tensor:
    """The recipe's float32 weights for a key of this shape."""
    size = tuple(shape)
    name = TIED.get(key, key)
    draw = np.random.RandomState(zlib.crc32(name.encode()) & 0xFFFFFFFF)
    w = torch.from_numpy(draw.standard_normal(size).astype(np.float32))
    is_gain = key.endswith(("original0", "weight_g"))
    if w.ndim >= 2 and not is_gain:
        return w / math.sqrt(math.prod(size[1:]))
    if is_gain or (w.ndim == 1 and key.endswith("weight")):
        return 1.0 + 0.1 * w
    return 0.1 * w


def shapes(part: str, config: ModelConfig = CONFIG) -> dict[str, tuple[int, ...]]:
    """File keys and shapes of one part, weight norm in halves as first published."""
    with torch.device("meta"):
        module: nn.Module = NETWORKS[part](getattr(config, part), nn)
    keys, found = key_map(part, config), {}
    for name, parameter in module.named_parameters():
        key, shape = keys.theirs(name), keys.file_shape(name, tuple(parameter.shape))
        if keys.is_normed(key):
            stem = key.removesuffix("weight")
            found[f"{stem}weight_g"] = (shape[0], *(1 for _ in shape[1:]))
            found[f"{stem}weight_v"] = shape
        else:
            found[key] = shape
    return found


def write_folder(folder: Path, config: ModelConfig = CONFIG) -> Path:
    """Write the whole checkpoint as the Hugging Face folder; about 3 MB at the tiny sizes."""
    from safetensors.torch import save_file

    for part in PARTS:
        place = folder / FOLDERS[part]
        place.mkdir(parents=True, exist_ok=True)
        tensors = {key: computed(key, shape) for key, shape in shapes(part, config).items()}
        save_file(tensors, str(place / FILES[part]))
        settings = json.dumps(asdict(getattr(config, part)), indent=2, sort_keys=True)
        (place / "config.json").write_text(settings + "\n", encoding="utf-8")
    write_tokenizer(folder / FOLDERS["text_encoder"] / "tokenizer.json")
    about = json.dumps({"name": NAME, "demo": True}, indent=2)
    (folder / "model.json").write_text(about + "\n", encoding="utf-8")
    return folder


def write_tokenizer(path: Path) -> None:
    """A tokenizer of single characters: pad 0, end 1, unknown 2, then printable ASCII."""
    from tokenizers import Tokenizer, models

    vocabulary: Mapping[str, int] = {
        "<pad>": 0,
        "</s>": 1,
        "<unk>": 2,
        **{chr(code): code - 29 for code in range(32, 127)},
    }
    model = models.BPE(vocab=dict(vocabulary), merges=[], unk_token="<unk>")
    path.write_text(Tokenizer(model).to_str(), encoding="utf-8")
