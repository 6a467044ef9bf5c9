"""The tag encoder's tokenizer: beside the weights, or inside the text encoder's file."""

from __future__ import annotations

from pathlib import Path

from ..conditions.tags import TagTokenizer
from .checkpoint import (
    TOKENIZER_JSON_KEY,
    TOKENIZER_KEY,
    Checkpoint,
    CheckpointError,
    names_in,
    opened,
)


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
