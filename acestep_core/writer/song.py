"""What a writer gives: two texts that can be edited, and what went otherwise than asked.

prompt -> back end -> Song(tags, lyrics)
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Song:
    """A finished draft; both texts are plain strings, meant to be changed."""

    tags: str
    lyrics: str
    language: str  # of the lyrics
    warnings: tuple[str, ...] = ()
    seed: int = 0  # the one used, also where one was drawn
