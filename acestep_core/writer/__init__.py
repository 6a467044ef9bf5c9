"""A plain sentence to tags and lyrics.

    from acestep_core.writer import write_song
    write_song("A cheerful pop song about summer memories.", seed=1).lyrics

"builtin" needs nothing but this package. "openai" asks a server of the user's choice, named in
the environment alone; what it answers is checked before it is used.
"""

from __future__ import annotations

from ..sampling.noise import drawn_seed
from ..settings import BACK_ENDS, HOSTED_SEED, PICK, SettingError, checked_whole, setting
from .song import Song

__all__ = ["Song", "write_song"]


def write_song(
    prompt: str,
    *,
    instrumental: bool = False,
    duration: float = 60.0,
    seed: int = PICK,
    back_end: str = BACK_ENDS[0],
) -> Song:
    """Tags and lyrics for a prompt; seed -1 draws one and says which."""
    if not prompt.strip():
        raise SettingError("The prompt is empty. Say in a sentence what the song is about.")
    most = setting("prompt").high or 0
    if len(prompt) > most:
        raise SettingError(
            f"The prompt has {len(prompt)} characters; at most {most:g} are read."
            " Cut it to a few sentences."
        )
    setting("song_seconds").check(duration)
    checked_whole("Seed", seed, PICK, HOSTED_SEED)
    setting("back_end").check(back_end)
    seed = drawn_seed() % (HOSTED_SEED + 1) if seed == PICK else seed
    if back_end == "openai":
        from .openai import write
    else:
        from .builtin import write
    return write(prompt.strip(), instrumental=instrumental, duration=duration, seed=seed)
