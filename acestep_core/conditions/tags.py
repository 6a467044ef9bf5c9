"""Tag prompts to token ids to encoder states.

    "pop, 120 bpm" -> ids (1, S), end token last, at most 256 -> states (1, S, 768)

The prompt goes in unchanged. Two tokenizers give the same ids: the folder's tokenizer.json,
and the SentencePiece model inside the single file. A single file of our own holds the former.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import torch

from ..config import MAX_TAG_TOKENS
from ..networks.layers import ERG_FACTOR
from ..networks.memory import Part
from ..networks.umt5 import TextEncoder
from ..types import SettingError, Tags
from ..weights.checkpoint import (
    TOKENIZER_JSON_KEY,
    TOKENIZER_KEY,
    Checkpoint,
    CheckpointError,
    names_in,
    opened,
)

END = 1


class TagTokenizer(Protocol):
    def __call__(self, text: str) -> list[int]:
        """Ids of the text, without an end token."""
        ...


def tokenizer_of(checkpoint: Checkpoint) -> TagTokenizer:
    """The tokenizer that came with the checkpoint."""
    place = checkpoint.tokenizer
    if place is None:
        raise CheckpointError(
            f"{checkpoint.name} has no tag tokenizer: neither umt5-base/tokenizer.json nor a"
            f" tensor {TOKENIZER_KEY} inside the file. Add tokenizer.json beside the text encoder."
        )
    return _from_json(place) if place.suffix == ".json" else _from_bytes(place)


def _from_json(path: Path, text: str | None = None) -> TagTokenizer:
    """Of a tokenizer.json, or of its text where a file at `path` holds it."""
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path)) if text is None else Tokenizer.from_str(text)
    except Exception as error:  # the package raises bare Exception for a bad file
        raise CheckpointError(f"{path} is not a tokenizer file: {error}.") from error
    # Both may be set in the file; the length is ours to decide.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids


def _from_bytes(path: Path) -> TagTokenizer:
    with opened(path) as file:
        key = TOKENIZER_KEY if TOKENIZER_KEY in names_in(file) else TOKENIZER_JSON_KEY
        content = file.get_tensor(key).numpy().tobytes()
    if key == TOKENIZER_JSON_KEY:
        return _from_json(path, content.decode("utf-8", "replace"))
    from sentencepiece import SentencePieceProcessor

    try:
        processor = SentencePieceProcessor(model_proto=content)
    except RuntimeError as error:
        raise CheckpointError(f"{key} in {path} is damaged: {error}.") from error
    return lambda text: processor.EncodeAsIds(text)


def tag_ids(text: str, tokenizer: TagTokenizer) -> list[int]:
    """Ids of the prompt, cut so that the end token is at most the 256th."""
    return [*tokenizer(text)[: MAX_TAG_TOKENS - 1], END]


def checked_tags(text: str | None) -> str:
    """The prompt as it is, if it says anything."""
    if not text or not text.strip():
        raise SettingError(
            "Tags are empty. Describe the style, for example: pop, female voice, piano, 120 bpm."
        )
    return text


def encode_tags(
    text: str | None, tokenizer: TagTokenizer, encoder: Part[TextEncoder], weak: bool = True
) -> Tags:
    """One prompt through the encoder; `weak` adds the states that ERG's null branch wants."""
    text = checked_tags(text)
    ids = torch.tensor([tag_ids(text, tokenizer)], device=encoder.device)
    mask = torch.ones_like(ids)
    with encoder.use() as network:
        states = network(ids, mask, encoder.dtype)
        weak_states = network(ids, mask, encoder.dtype, ERG_FACTOR) if weak else None
    return Tags(states, mask, weak_states, text)
