"""Tag prompts to token ids to encoder states.

    "pop, 120 bpm" -> ids (1, S), end token last, at most 256 -> states (1, S, 768)

The prompt goes in unchanged. Two tokenizers give the same ids: the folder's tokenizer.json,
and the SentencePiece model inside the single file. A single file of our own holds the former.
"""

from __future__ import annotations

from typing import Protocol

import torch

from ..config import MAX_TAG_TOKENS
from ..networks.layers import ERG_FACTOR
from ..networks.memory import Part
from ..networks.umt5 import TextEncoder
from ..settings import SettingError
from ..types import Tags

END = 1


class TagTokenizer(Protocol):
    def __call__(self, text: str) -> list[int]:
        """Ids of the text, without an end token."""
        ...


def tag_ids(text: str, tokenizer: TagTokenizer) -> list[int]:
    """Ids of the prompt, cut so that the end token is at most the 256th."""
    return [*tokenizer(text)[: MAX_TAG_TOKENS - 1], END]


def checked_tags(text: str | None) -> str:
    """The prompt as it is, if it says anything."""
    if not text or not text.strip():
        raise SettingError("Tags are empty. Describe the style: pop, piano, 120 bpm.")
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
