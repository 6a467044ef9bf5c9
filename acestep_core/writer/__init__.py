"""A plain sentence to tags and lyrics.

    from acestep_core.writer import write_song
    write_song("A cheerful pop song about summer memories.", seed=1).lyrics

"builtin" needs nothing but this package. "openai" asks a server of the user's choice, named in
the environment alone; what it answers is checked before it is used.
"""

from __future__ import annotations

from ..sampling.noise import drawn_seed
from ..settings import SettingError, checked, checked_whole, chosen_from
from .song import Song

BACK_ENDS = ("builtin", "openai")
MOST_CHARACTERS = 4000
LEAST_SECONDS, MOST_SECONDS = 5.0, 240.0
MOST_SEED = 2**31 - 1

__all__ = ["BACK_ENDS", "Song", "write_song"]


def write_song(
    prompt: str,
    *,
    instrumental: bool = False,
    duration: float = 60.0,
    seed: int = -1,
    back_end: str = "builtin",
) -> Song:
    """Tags and lyrics for a prompt; seed -1 draws one and says which."""
    if not prompt.strip():
        raise SettingError("The prompt is empty. Say in a sentence what the song is about.")
    if len(prompt) > MOST_CHARACTERS:
        raise SettingError(
            f"The prompt has {len(prompt)} characters; at most {MOST_CHARACTERS} are read."
            " Cut it to a few sentences."
        )
    checked("Duration (seconds)", duration, LEAST_SECONDS, MOST_SECONDS)
    checked_whole("Seed", seed, -1, MOST_SEED)
    chosen_from("Back end of the writer", back_end, BACK_ENDS)
    seed = drawn_seed() % (MOST_SEED + 1) if seed == -1 else seed
    if back_end == "openai":
        from .openai import write
    else:
        from .builtin import write
    return write(prompt.strip(), instrumental=instrumental, duration=duration, seed=seed)
