"""What a player, or a folder, shows of a song, made of its tags and lyrics.

"folk, guitar", "[verse]\\nMorning comes in" -> title "Morning comes in", genre "folk"
the title -> a name for the file
"""

from __future__ import annotations

import re
import unicodedata

from ..lyrics.encode import prefixed
from ..lyrics.sections import is_sung
from ..lyrics.structure import pieces_of
from ..writer.style import read_style

LONGEST = 60  # characters of a title
MOST_BYTES = 150  # of a file's name: systems take 255, and what follows it needs some
# What some system does not take in a name; % is ComfyUI's mark for what it fills in.
FORBIDDEN = re.compile(r"[<>:\"/\\|?*%\x00-\x1f\x7f]+")


def shown(tags: str, lyrics: str, title: str = "") -> dict[str, str]:
    """The usual tags of a file under the names that `write_audio` knows; none without words."""
    found = {
        "title": title.strip() or title_of(tags, lyrics),
        "genre": genre_of(tags),
        "comment": tags.strip(),
        "lyrics": lyrics.strip() if sung_lines(lyrics) else "",
    }
    return {name: value for name, value in found.items() if value}


def title_of(tags: str, lyrics: str = "") -> str:
    """The first line that is sung; of music without words its first two tags."""
    lines = sung_lines(lyrics)
    if lines:
        return _shortened(lines[0].strip(" ,.;:-"))
    first = ", ".join(part.strip() for part in tags.split(",")[:2] if part.strip())
    return _shortened(first[:1].upper() + first[1:])


def sung_lines(lyrics: str) -> list[str]:
    return [prefixed(piece)[1] for piece in pieces_of(lyrics) if is_sung(piece)]


def genre_of(tags: str) -> str:
    """The first genre among the tags that is known; empty where none is."""
    return next(iter(read_style(tags).tags("genre")), "")


def file_name(title: str) -> str:
    """The title as every system takes it for the beginning of a file's name."""
    plain = FORBIDDEN.sub(" ", unicodedata.normalize("NFC", title))
    name = " ".join(plain.split()).strip(" .")
    while len(name.encode("utf-8", "replace")) > MOST_BYTES:
        name = name[:-1].strip(" .")
    return name


def _shortened(text: str) -> str:
    """At most LONGEST characters, cut between words where there are any."""
    text = " ".join(text.split())
    if len(text) <= LONGEST:
        return text
    head = text[: LONGEST + 1]
    return (head.rpartition(" ")[0] or head[:LONGEST]).rstrip(" ,.;:-")
