"""A checkpoint of the released size, streamed to disk: true names, shapes and dtypes.

    key tables -> (key, shape, dtype) -> header + repeated random numbers

Values are random and small. Tensors that inference never reads are written too, as in the
released files, so that leaving them out can be measured.
"""

from __future__ import annotations

import io
import json
import math
import random
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from acestep_core.config import ModelConfig
from acestep_core.weights.checkpoint import FILES, FOLDERS, PARTS, TOKENIZER_KEY
from acestep_core.weights.tiny import shapes, write_tokenizer

NAMES = {torch.bfloat16: "BF16", torch.float32: "F32", torch.uint8: "U8"}
STORED = {
    "transformer": torch.bfloat16,
    "dcae": torch.bfloat16,
    "vocoder": torch.bfloat16,
    "text_encoder": torch.float32,
}
PREFIX = {
    "transformer": "model.diffusion_model.",
    "dcae": "vae.dcae.",
    "vocoder": "vae.vocoder.",
    "text_encoder": "text_encoders.umt5base.transformer.",
}
BLOCK = 1 << 20  # numbers drawn once and repeated


@dataclass(frozen=True)
class Entry:
    key: str
    shape: tuple[int, ...]
    dtype: torch.dtype
    content: bytes | None = None

    @property
    def size(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def entries(part: str, config: ModelConfig, prefix: str = "") -> list[Entry]:
    """Everything the released file of a part holds."""
    found = {**shapes(part, config), **unread(part, config)}
    return [Entry(prefix + key, shape, STORED[part]) for key, shape in found.items()]


def unread(part: str, config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Tensors of the released files that inference never reads."""
    found: dict[str, tuple[int, ...]] = {}
    if part == "transformer":
        width = config.transformer.inner_dim
        for block in range(config.transformer.num_layers):
            for name in ("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"):
                path = f"transformer_blocks.{block}.cross_attn.{name}"
                found[f"{path}.weight"], found[f"{path}.bias"] = (width, width), (width,)
        for index, out in enumerate((1024, 768)):
            sizes = ((0, 2 * width, width), (2, 2 * width, 2 * width), (4, out, 2 * width))
            for layer, rows, columns in sizes:
                path = f"projectors.{index}.{layer}"
                found[f"{path}.weight"], found[f"{path}.bias"] = (rows, columns), (rows,)
    if part == "vocoder":
        found["mel_transform.spectrogram.window"] = (2048,)
        found["mel_transform.mel_scale.fb"] = (1025, 128)
    return found


def stream(path: Path, listed: list[Entry]) -> int:
    """Write a safetensors file without holding it in memory; its size in bytes."""
    header, offset = {}, 0
    for entry in listed:
        header[entry.key] = {
            "dtype": NAMES[entry.dtype],
            "shape": entry.shape,
            "data_offsets": [offset, offset + entry.size],
        }
        offset += entry.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    block = torch.randn(BLOCK, generator=torch.Generator().manual_seed(0)) * 0.02
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for entry in listed:
            for piece in _pieces(entry, block):
                file.write(piece)
    return path.stat().st_size


def _pieces(entry: Entry, block: torch.Tensor) -> Iterator[memoryview]:
    if entry.content is not None:
        yield memoryview(entry.content)
        return
    # Gains near one, so that weight norm and layer norms stay in range; offsets near zero, so
    # that the sound has no DC, which would be made again in float32.
    is_vector = len(entry.shape) == 1 and not entry.key.endswith("bias")
    is_gain = is_vector or entry.key.endswith("weight_g")
    numbers = (block + 1 if is_gain else block).to(entry.dtype).view(torch.uint8).numpy().data
    for start in range(0, entry.size, len(numbers)):
        yield numbers[: min(len(numbers), entry.size - start)]


def write_folder(folder: Path, config: ModelConfig) -> int:
    total = 0
    for part in PARTS:
        place = folder / FOLDERS[part]
        place.mkdir(parents=True)
        total += stream(place / FILES[part], entries(part, config))
        settings = json.dumps(asdict(getattr(config, part)))
        (place / "config.json").write_text(settings, encoding="utf-8")
    write_tokenizer(folder / FOLDERS["text_encoder"] / "tokenizer.json")
    return total


def write_single_file(path: Path, config: ModelConfig) -> int:
    listed = [e for part in PARTS for e in entries(part, config, PREFIX[part])]
    model = sentencepiece_model()
    return stream(path, [*listed, Entry(TOKENIZER_KEY, (len(model),), torch.uint8, model)])


def sentencepiece_model() -> bytes:
    """A small SentencePiece model of made-up words, with T5's special ids."""
    from sentencepiece import SentencePieceTrainer

    draw, out = random.Random(0), io.BytesIO()
    words = ["pop", "rock", "jazz", "piano", "guitar", "drums", "slow", "female", "120", "bpm", ","]
    SentencePieceTrainer.train(
        sentence_iterator=iter(" ".join(draw.choices(words, k=8)) for _ in range(400)),
        model_writer=out,
        vocab_size=80,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    return out.getvalue()


def check_space(folder: Path, need: float) -> None:
    free = shutil.disk_usage(folder).free
    if free < need:
        raise SystemExit(f"{folder} has {free / 1e9:.1f} GB free; {need / 1e9:.0f} GB are needed.")
