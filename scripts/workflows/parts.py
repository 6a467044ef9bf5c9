"""Parts that the graphs have in common: loader, words, sampler, sound."""

from __future__ import annotations

from typing import Any

from scripts.workflows.model import Group, Node, Wire
from scripts.workflows.words import EXAMPLE, GREEN, STYLE, WORDS

LOADER, WIDE, SAMPLER, SOUND = 240, 320, 280, 320  # widths of the four usual columns
OVER_WORDS, OVER_SAMPLER = 104, 54  # drops that leave the loader's wires in sight
MODEL = {"model": Wire("load", "model")}
LOAD = Node("AceSuiteLoad", {"checkpoint": "auto"})
SOURCE = Node("LoadAudio", {"audio": EXAMPLE}, title="Song to change")


def words(
    tags: Any = STYLE, lyrics: Any = WORDS, name: str = "", height: int = 150, below: int = 0
) -> dict[str, Node]:
    """Tag Encode above Lyric Encode, with so much room below; `name` says whose words they are."""
    titles = (f"{name} style", f"{name} lyrics") if name else ("", "")
    # What the small model does not know is said below the tags.
    space = 0 if isinstance(tags, str) and "voice" not in tags else 40
    if name:
        space -= 7  # two pairs above one another: more would make the graph too small to read
    asked = {"lyrics": lyrics, **MODEL}
    return {
        "tags": Node("AceSuiteTagEncode", {"tags": tags, **MODEL}, titles[0], space=space),
        "lyrics": Node("AceSuiteLyricEncode", asked, titles[1], height, space=below),
    }


def sampler(model: str = "load", **asked: Any) -> Node:
    inputs = {"model": Wire(model, "model"), "tags": Wire("tags", "tags")}
    inputs |= {"lyrics": Wire("lyrics", "lyrics"), "seed": 4242, "seconds": 60.0, **asked}
    return Node("AceSuiteSampler", inputs)


def sound() -> dict[str, Node]:
    saved = {"audio": Wire("decode", "audio"), "info": Wire("sampler", "info")}
    return {
        "decode": Node("AceSuiteDCAEDecode", {"latent": Wire("sampler", "latent"), **MODEL}),
        "save": Node("AceSuiteSaveAudio", {"filename_prefix": "audio/%title%", **saved}),
    }


RESULT = Group("Music", ("sampler", "decode", "save"), GREEN)
TASK = Wire("task", "task")
