"""The lyric vocabulary: where it is looked for, how it is recognised, what it answers.

    places -> first file with the known SHA-256 -> BPE -> token ids

The file is not part of this project. It is opened when the first line needs it, and never
downloaded from here.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..settings import SettingError
from .fallbacks import PackageError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

log = logging.getLogger(__name__)

FILE_NAME = "vocab.json"
SHA256 = "c2a66ea48c478c0bb9acb5497144b926acdeaa37128faa799508d40f2b9cc558"
SOURCE_COMMIT = "d612523f50e252c0e138e68ae75b06223f96e934"
SOURCE_PATH = "acestep/models/lyrics_utils/vocab.json"
URL = f"https://raw.githubusercontent.com/ace-step/ACE-Step/{SOURCE_COMMIT}/{SOURCE_PATH}"
COMFYUI_PATH = "comfy/text_encoders/ace_lyrics_tokenizer/vocab.json"  # inside a ComfyUI checkout
ENVIRONMENT = "ACESTEP_VOCAB"
DOWNLOAD_COMMAND = "python -m acestep_core download --vocab"


class VocabularyError(SettingError):
    """No place holds the vocabulary; the message lists the places and the command that helps."""


def default_folder() -> Path:
    """Where downloads go and are found again: a folder in plain sight."""
    return Path.home() / "acestep" / "models"


def is_genuine(content: bytes) -> bool:
    """True for the known file, also after a Windows checkout has rewritten its line ends."""
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest() == SHA256


@dataclass(frozen=True)
class Vocabulary:
    """Places that may hold the vocabulary, in order; nothing is opened until `encode`."""

    places: tuple[Path, ...]

    @classmethod
    def find(
        cls, model_folder: str | Path | None = None, extra: Iterable[str | Path] = ()
    ) -> Vocabulary:
        """The usual places: ACESTEP_VOCAB, the model's folder, `extra`, the default folder.

        A place may be the file or the folder that holds it.
        """
        named = os.environ.get(ENVIRONMENT)
        folders = [named, model_folder, *extra, default_folder()]
        places = (_file_in(Path(folder).expanduser()) for folder in folders if folder)
        return cls(tuple(dict.fromkeys(places)))

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a line that already carries its language prefix."""
        prepared = text.replace(" ", "[SPACE]")
        return tuple(self._tokenizer().encode(prepared, add_special_tokens=False).ids)

    def path(self) -> Path:
        """The first genuine file among the places; raises VocabularyError with all of them."""
        found: list[str] = []
        for place in self.places:
            if not place.is_file():
                found.append(f"{place} (not there)")
            elif is_genuine(place.read_bytes()):
                return place
            else:
                found.append(f"{place} (another file: its SHA-256 is not {SHA256[:12]}...)")
                log.warning("Not the ACE-Step lyric vocabulary, passed over: %s", place)
        looked = "".join(f"\n  {line}" for line in found)
        raise VocabularyError(
            f"the lyric vocabulary ({FILE_NAME}) was not found. Looked at:{looked}\n"
            f"Get it with: {DOWNLOAD_COMMAND}\n"
            f"or set {ENVIRONMENT} to a copy, such as {COMFYUI_PATH} of a ComfyUI."
        )

    def _tokenizer(self) -> Tokenizer:
        return _opened(self.places)


@functools.lru_cache(maxsize=4)
def _opened(places: tuple[Path, ...]) -> Tokenizer:
    """Kept between songs: reading the merges takes longer than tokenising a song."""
    path = Vocabulary(places).path()
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise PackageError("the package tokenizers is missing: pip install tokenizers") from error
    return Tokenizer.from_str(path.read_text(encoding="utf-8"))


def _file_in(place: Path) -> Path:
    """The vocabulary's own path; the file beside a checkpoint when a checkpoint is named."""
    if place.suffix == ".json":
        return place
    return (place.parent if place.is_file() else place) / FILE_NAME
